package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// fastPort listens on the loopback port that fil remembers from the last start, so that what a vendor has set up still works; when it
// is taken, or there is none, on a free one, which fil then remembers.
func fastPort(ctx context.Context, fil string) (net.Listener, error) {
	lytt := func(port int) (net.Listener, error) {
		return (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	if b, err := os.ReadFile(fil); err == nil {
		if port, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16); err == nil && port > 0 {
			if l, err := lytt(int(port)); err == nil {
				return l, nil
			}
		}
	}
	l, err := lytt(0)
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := os.WriteFile(fil, fmt.Appendln(nil, port), 0o600); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}
