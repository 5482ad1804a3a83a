package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// A flock belongs to the open file, so the kernel lets it go when the process dies, however it dies. The lock files stay: removing
// one would let two processes hold locks on two files of the same name.

// prov takes the lock or says that somebody else has it.
func prov(path string) (slipp func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlite, låsefil: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrIBruk
		}
		return nil, errors.Join(fmt.Errorf("sqlite, %s: %w", path, err), f.Close())
	}
	return f.Close, nil
}

// vent takes the lock as soon as it is free; ctx ends the wait.
func vent(ctx context.Context, path string) (slipp func() error, err error) {
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	for {
		if slipp, err = prov(path); !errors.Is(err, ErrIBruk) {
			return slipp, err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
