package rabbit

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	dialfrist  = 10 * time.Second
	dialpause  = 100 * time.Millisecond // between attempts while the node is down
	hjerteslag = 10 * time.Second
)

var errNede = errors.New("rabbit: ingen forbindelse til megleren")

// samband is our own connection, made again whenever it is lost.
type samband struct {
	adresse, passord string
	tls              *tls.Config
	logg             *slog.Logger

	mu     sync.Mutex
	na     *linje        // nil while there is none
	skifte chan struct{} // closed, and made anew, when na changes
	feil   error         // of the last attempt to connect
}

// hold keeps the connection until ctx ends.
func (s *samband) hold(ctx context.Context) {
	for ctx.Err() == nil {
		l, err := s.ring()
		s.mu.Lock()
		s.feil = err
		s.mu.Unlock()
		if err != nil {
			pause(ctx, dialpause)
			continue
		}
		s.sett(l)
		s.logg.InfoContext(ctx, "forbindelsen til RabbitMQ er på plass")
		select {
		case <-l.over:
		case <-ctx.Done():
		}
		s.sett(nil)
		l.lukk()
		if ctx.Err() == nil {
			s.logg.WarnContext(ctx, "forbindelsen til RabbitMQ er borte")
		}
	}
}

func (s *samband) ring() (*linje, error) {
	c, err := amqp.DialConfig("amqps://"+s.adresse, amqp.Config{Vhost: vhost, Heartbeat: hjerteslag, Locale: "en_US", TLSClientConfig: s.tls,
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: plattformbruker, Password: s.passord}}, Dial: amqp.DefaultDial(dialfrist)})
	if err != nil {
		return nil, err
	}
	return nyLinje(c)
}

func (s *samband) sett(l *linje) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.na = l
	close(s.skifte)
	s.skifte = make(chan struct{})
}

func (s *samband) linje() (*linje, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.na, s.skifte
}

// vent gives the connection when there is one, or says why there is none.
func (s *samband) vent(ctx context.Context) (*linje, error) {
	for {
		l, skifte := s.linje()
		if l != nil {
			return l, nil
		}
		select {
		case <-skifte:
		case <-ctx.Done():
			s.mu.Lock()
			defer s.mu.Unlock()
			return nil, errors.Join(ctx.Err(), s.feil)
		}
	}
}

// medKanal gives do a channel of its own. The AMQP client knows no context: when ctx ends do is left to itself, and ends with the
// channel.
func (l *linje) medKanal(ctx context.Context, do func(*amqp.Channel) error) error {
	feil := make(chan error, 1)
	go func() {
		k, err := l.c.Channel()
		if err == nil {
			defer func() { _ = k.Close() }()
			err = do(k)
		}
		feil <- err
	}()
	select {
	case err := <-feil:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause waits, but not longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
