package rabbit

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

//go:embed node.sh
var nodeSh string

//go:embed vokter.sh
var vokterSh string

const (
	takt      = 50 * time.Millisecond
	portfrist = 5 * time.Second
	maksSti   = 107 // octets, of a Unix socket's path
)

var errStyring = errors.New("rabbit: noden svarer ikke")

// node is the processes. Start, stop and kill are called one at a time (Broker.drift).
type node struct {
	o      *oppsett
	vokter *exec.Cmd
	linje  io.WriteCloser // to vokter

	mu   sync.Mutex
	cmd  *exec.Cmd     // leader of the group; nil before the first start
	over chan struct{} // closed when cmd is gone and reaped
}

// nyNode makes the folder and sets a guard on it.
func nyNode(o *oppsett) (_ *node, err error) {
	if o.mappe, err = os.MkdirTemp("", "fiks-rabbit"); err != nil {
		return nil, err
	}
	if len(filepath.Join(o.mappe, "styring")) > maksSti {
		return nil, errors.Join(errors.New("rabbit: TMPDIR er for lang for en sokkel"), os.RemoveAll(o.mappe))
	}
	n := &node{o: o, vokter: exec.Command("/bin/sh", "-c", vokterSh, "vokter", o.mappe)}
	n.vokter.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us, not for the guard
	if n.linje, err = n.vokter.StdinPipe(); err == nil {
		err = n.vokter.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(o.mappe))
	}
	if err := o.skriv(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// start runs the node and returns when it is ready. When it fails nothing runs.
func (n *node) start(ctx context.Context) error {
	if err := n.ventPorter(ctx); err != nil {
		return err
	}
	if err := os.Remove(n.styring()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // the socket of the last run
	}
	logg, err := os.Create(n.logg())
	if err != nil {
		return err
	}
	defer func() { _ = logg.Close() }() // the node has its own
	cmd := exec.Command("/bin/sh", "-c", nodeSh, "node", program)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = n.o.mappe, n.o.miljo(), logg, logg
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	klar, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(over)
	}()
	n.mu.Lock()
	n.cmd, n.over = cmd, over
	n.mu.Unlock()
	// The guard first: if we die between these two lines, the node's script sees its input end and gives up.
	_, err = fmt.Fprintln(n.linje, cmd.Process.Pid)
	if err == nil {
		_, err = fmt.Fprintln(klar)
	}
	err = errors.Join(err, klar.Close())
	if err == nil {
		err = n.ventKlar(ctx)
	}
	if err != nil {
		return errors.Join(err, n.drep())
	}
	return nil
}

// ventPorter waits until the ports are free: what was killed a moment ago may still be dying.
func (n *node) ventPorter(ctx context.Context) error {
	takt := time.NewTicker(takt)
	defer takt.Stop()
	frist := time.After(portfrist)
	for {
		feil := n.o.portfeil()
		if feil == nil {
			return nil
		}
		select {
		case <-takt.C:
		case <-ctx.Done():
			return fmt.Errorf("rabbit: %w", errors.Join(ctx.Err(), feil))
		case <-frist:
			return fmt.Errorf("rabbit: %w", feil)
		}
	}
}

// ventKlar waits until the node has booted and the queue of dead messages, when there is one, has a leader. RabbitMQ sends a dead message
// once and does not look whether it arrived: one that dies before that is lost.
func (n *node) ventKlar(ctx context.Context) error {
	takt := time.NewTicker(takt) // a server that boots has no other sign
	defer takt.Stop()
	for {
		if _, err := n.spor(ctx, "status "+dodeKo); err == nil {
			return nil
		}
		select {
		case <-takt.C:
		case <-ctx.Done():
			return fmt.Errorf("rabbit: noden ble ikke klar: %w\n%s", ctx.Err(), n.slutten())
		case <-n.borte():
			return fmt.Errorf("rabbit: noden ga seg mens den startet\n%s", n.slutten())
		}
	}
}

// spor asks styring.erl one question.
func (n *node) spor(ctx context.Context, sporsmal string) (string, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", n.styring())
	if err != nil {
		return "", fmt.Errorf("%w: %w", errStyring, err)
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if _, err := fmt.Fprintln(c, sporsmal); err != nil {
		return "", fmt.Errorf("%w: %w", errStyring, err)
	}
	svar, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%w: %w", errStyring, errors.Join(ctx.Err(), err))
	}
	return strings.TrimSpace(svar), nil
}

// borte is closed when no node runs.
func (n *node) borte() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.over
}

// stopp lets the node put its things in order. If it has not gone when ctx ends, it is killed.
func (n *node) stopp(ctx context.Context) error {
	if _, err := n.spor(ctx, "stopp"); err != nil {
		return errors.Join(err, n.drep())
	}
	select {
	case <-n.borte():
		return n.glem()
	case <-ctx.Done():
		return errors.Join(ctx.Err(), n.drep())
	}
}

// drep kills every process of the run at once, as a machine that loses its power.
func (n *node) drep() error {
	n.mu.Lock()
	cmd, over := n.cmd, n.over
	n.mu.Unlock()
	select {
	case <-over: // and its number may be somebody else's
	default:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // gone already is as good
		<-over
	}
	return n.glem()
}

// glem tells the guard that there is no group to kill.
func (n *node) glem() error {
	_, err := fmt.Fprintln(n.linje)
	return err
}

// Close ends everything; the guard removes the folder.
func (n *node) Close() error {
	var feil error
	if n.cmd != nil {
		feil = n.drep()
	}
	return errors.Join(feil, n.linje.Close(), n.vokter.Wait())
}

func (n *node) styring() string { return filepath.Join(n.o.mappe, "styring") }
func (n *node) logg() string    { return filepath.Join(n.o.mappe, "ut") }

// slutten is the end of what the node said.
func (n *node) slutten() string {
	b, _ := os.ReadFile(n.logg())
	return string(b[max(0, len(b)-2000):])
}
