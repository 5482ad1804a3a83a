package fiksio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// tar is the func that Receive was given.
type tar func(context.Context, melding.Svar) error

const (
	forsteTapause = 250 * time.Millisecond
	lengstePause  = 30 * time.Second
	// dokumentfrist is how long an answer waits for its body in Dokumentlager: a rejection is to become a letter today, and the body
	// only says why.
	dokumentfrist = 5 * time.Minute
	// holdes is how long an answer is kept and tried after its connection is gone. The broker has it too and brings it again, but only
	// three times in all (Fiks IO's documentation, meldingshandtering.md): a store that is away for longer than that loses nothing that is
	// held here.
	holdes = time.Hour
)

// ta brings one delivery to take until it has it, and says whether it did. It never gives up while the connection lives: handing the
// message back would count as one of the platform's three attempts. slutt is closed when the connection is gone.
func (t *Transport) ta(ctx context.Context, slutt <-chan struct{}, d amqp.Delivery, take tar) bool {
	select {
	case t.plasser <- struct{}{}:
		defer func() { <-t.plasser }()
	case <-slutt:
		return false
	case <-ctx.Done():
		return false
	}
	s, dokument := svarAv(d, t.c.Clock.Now())
	feilet := protokoll.Kanonisk(s.Meldingstype) == protokoll.Feilet
	if dokument != "" && feilet { // nothing else has a body that anybody reads, and waiting for one would hold a place
		var ok bool
		if s, ok = t.hentKropp(ctx, slutt, s, dokument); !ok {
			return false
		}
	}
	if s.Lesbarhet == "" && feilet {
		s.Lesbarhet = t.lesbarhet(ctx, s)
	}
	for p := (pause{forst: forsteTapause}); ; {
		// A crash after take returned nil and before the ack brings the same answer once more, with the same id.
		err := take(ctx, s)
		if err == nil {
			return true
		}
		if ctx.Err() != nil || lukket(slutt) && t.c.Clock.Now().Sub(s.Mottatt) > holdes {
			return false
		}
		t.c.Logg.WarnContext(ctx, "et svar kunne ikke lagres, prøver igjen", "svar", s.ID, "feil", err)
		if !t.vent(ctx, p.neste()) {
			return false
		}
	}
}

// lesbarhet opens what somebody else made. Whatever that does to the libraries that open it, the answer is still an answer: a panic here
// would end the process, and again when the broker brings the message back.
func (t *Transport) lesbarhet(ctx context.Context, s melding.Svar) (a melding.Arsak) {
	if s.Innhold.Tom() {
		return melding.ArsakSvarTomt
	}
	defer func() {
		if recover() != nil { // what it says can quote the content
			t.c.Logg.ErrorContext(ctx, "innholdet i et svar kunne ikke åpnes uten feil i programmet", "svar", s.ID)
			a = melding.ArsakSvarUleselig
		}
	}()
	return t.c.Lesbar(ctx, s.Innhold)
}

// hentKropp fetches a body from Dokumentlager. ok is false when the connection or ctx ended first. A body that is not there, or does
// not come in time, leaves an answer without one.
func (t *Transport) hentKropp(ctx context.Context, slutt <-chan struct{}, s melding.Svar, dokument string) (_ melding.Svar, ok bool) {
	for p := (pause{forst: forsteTapause}); ; {
		b, err := t.lastNed(ctx, dokument)
		if err == nil {
			return medKropp(s, b), true
		}
		if ctx.Err() != nil || lukket(slutt) {
			return s, false
		}
		t.c.Logg.WarnContext(ctx, "kroppen til et svar kunne ikke hentes", "svar", s.ID, "dokument", dokument, "feil", err)
		if errors.Is(err, errIngenKropp) || t.c.Clock.Now().Sub(s.Mottatt) > dokumentfrist {
			s.Lesbarhet = melding.ArsakSvarUleselig
			return s, true
		}
		if !t.vent(ctx, p.neste()) {
			return s, false
		}
	}
}

// errIngenKropp says that Dokumentlager does not have the document, or not any more.
var errIngenKropp = errors.New("dokumentet finnes ikke")

func (t *Transport) lastNed(ctx context.Context, id string) ([]byte, error) {
	r, err := t.be(ctx, http.MethodGet, "/dokumentlager/nedlasting/"+id, nil)
	if err != nil {
		return nil, err
	}
	if err := t.legitimer(ctx, r); err != nil {
		return nil, err
	}
	s, err := t.gjor(r, melding.MaksSvar)
	switch {
	case err != nil:
		return nil, err
	case s.status == http.StatusNotFound || s.status == http.StatusGone:
		return nil, errIngenKropp
	case s.status != http.StatusOK:
		return nil, fmt.Errorf("dokumentlager: status %d", s.status)
	}
	return s.kropp, nil
}

func lukket(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
