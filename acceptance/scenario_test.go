package acceptance_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/memory/feil"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

// scenario is one of reference §8, by its number, or one of our own. It is one value that lives twice: clean, in every world, where
// everything on the way is asserted; and swept, where one writing call fails and only the end is judged.
type scenario struct {
	navn string
	valg world.Valg
	// driv is what senders, case systems, the print vendor, operators and time do. It asserts nothing but inside l.venter.
	driv func(l *liv)
	// slutt is what must hold of each report at rest: one dom for all, or one each in the order their bytes were first posted. nil =
	// delivered digitally, once, and nothing left open.
	slutt []dom
	// losSaker are the kinds of the open cases of no report, all of them.
	losSaker []levering.Saksart
	// stille says that the scenario makes no writing call, so there is nothing that may fail. The clean run proves it.
	stille bool
	// verdensklokke says that it needs a platform whose TTLs run on the world's clock, which RabbitMQ's do not.
	verdensklokke bool
	// http sweeps it through the API too, beside the use case. Nothing in it is refused but by the sweep.
	http bool
}

// scenarier lists them all.
func scenarier() []scenario {
	var alle []scenario
	for _, s := range [][]scenario{avslag, inntak, digitale, fagsystemer, brevene, operatorer, driften} {
		alle = append(alle, s...)
	}
	return alle
}

// liv is one run of a scenario: a world, and what people do in it. In a swept run any one of these acts may fail, so none is fatal.
type liv struct {
	*world.Verden
	t    *testing.T
	rent bool // nothing is made to fail

	gale   []string // what people could not do
	poster []post
	nr     map[string]int // samples taken, by receiver
}

// post is what one distinct submission was answered.
type post struct {
	sha  [32]byte
	id   melding.ID
	feil []error
}

func nyttLiv(t *testing.T, valg world.Valg, rent bool) *liv {
	t.Helper()
	return &liv{Verden: world.Ny(t, valg), t: t, rent: rent, nr: map[string]int{}}
}

// hvil drives time on until nothing is left but what waits for a person.
func (l *liv) hvil() {
	l.t.Helper()
	l.Steg = 12 * time.Hour
	l.Fram(8 * 24 * time.Hour)
}

// venter asserts on the clean path.
func (l *liv) venter(fn func(is *is.I)) {
	l.t.Helper()
	if l.rent {
		fn(is.New(l.t))
	}
}

// forseglet holds sealed samples, by the receiver's certificate and a number: sealing is slow, and the portal does not look inside.
var forseglet sync.Map

// Forseglet is a sample report nobody has posted in this life. Through the API its sender asks for keys and seals.
func (l *liv) Forseglet(kommunenr, bydel string) world.Sending {
	l.t.Helper()
	if l.Server != nil {
		return l.Verden.Forseglet(kommunenr, bydel)
	}
	mottaker := l.D.Finn(kommunenr, bydel).Sert.Cert.SerialNumber.Text(16)
	l.nr[mottaker]++
	nokkel := fmt.Sprint(mottaker, "/", l.nr[mottaker])
	s, ok := forseglet.Load(nokkel)
	if !ok {
		s, _ = forseglet.LoadOrStore(nokkel, l.Forsegl(kommunenr, bydel))
	}
	return s.(world.Sending)
}

// Send posts a sample report; "" = the sender got no id, and does not try again.
func (l *liv) Send(kommunenr, bydel string) melding.ID {
	l.t.Helper()
	id, err := l.Post(l.Forseglet(kommunenr, bydel))
	if l.rent && err != nil {
		l.t.Fatal(err)
	}
	return id
}

// Post submits s for the usual sender.
func (l *liv) Post(s world.Sending) (melding.ID, error) { return l.PostFra(l.D.Avsender, s) }

// PostFra submits s, through the API where there is one. Swept runs mostly call the use case: the handler does nothing after it but
// write the answer, and before it no writing call (scenarios marked stille prove that, and those marked http are swept both ways).
func (l *liv) PostFra(fra world.Avsenderdata, s world.Sending) (id melding.ID, err error) {
	l.t.Helper()
	if l.Server == nil {
		id, err = l.Lever(fra, s)
	} else {
		id, err = l.NyAvsender(fra).Post(context.Background(), s)
	}
	l.husk(s, id, err)
	return id, err
}

// husk remembers what a submission was answered.
func (l *liv) husk(s world.Sending, id melding.ID, err error) {
	sha := sha256.Sum256(append(append([]byte(s.Kommune+s.Bydel), s.Asice...), s.PDF...))
	i := -1
	for j, p := range l.poster {
		if p.sha == sha {
			i = j
		}
	}
	if i < 0 {
		l.poster, i = append(l.poster, post{sha: sha}), len(l.poster)
	}
	p := &l.poster[i]
	if p.id == "" {
		p.id = id
	}
	if err != nil {
		p.feil = append(p.feil, err)
	}
}

// igjen is a person, or a job that runs every day: what did not work is done again.
func (l *liv) igjen(fn func() error) {
	l.t.Helper()
	var err error
	for range 3 {
		if err = fn(); err == nil {
			return
		}
	}
	l.gale = append(l.gale, fmt.Sprintf("tre ganger gikk det ikke: %v", err))
}

// avgjor is an operator's decision about a report that was accepted. Told that it did not work she decides again, until she is told
// that it has been done already.
func (l *liv) avgjor(id melding.ID, a levering.Avgjorelse) {
	l.t.Helper()
	if id == "" {
		return
	}
	a.Hvem, a.Grunn = "kari", "prøve"
	l.igjen(func() error {
		_, err := l.System.Levering.Avgjor(context.Background(), id, a)
		if !l.rent && errors.Is(err, levering.ErrValg) {
			return nil
		}
		return err
	})
}

// lukk closes every open case of a report.
func (l *liv) lukk(id melding.ID) {
	l.t.Helper()
	saker, err := l.Lager.Cases(context.Background(), true, 100)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, s := range saker {
		if s.Melding == id && id != "" {
			l.avgjor(id, levering.Avgjorelse{Valg: levering.ValgLukk, Sak: s.ID})
		}
	}
}

// svarer makes a case system answer this from now on.
func (l *liv) svarer(mottaker string, svar ...world.Svar) {
	l.Fagsystem[mottaker].Svarer(func(world.Sendt) []world.Svar { return svar })
}

// forst answers the first messages as given, one each, and confirms the rest.
func forst(svar ...string) func(world.Sendt) []world.Svar {
	return func(s world.Sendt) []world.Svar {
		if len(svar) == 0 {
			return world.Kvitterer(s)
		}
		m := svar[0]
		svar = svar[1:]
		return []world.Svar{{Meldingstype: m}}
	}
}

// TestScenarier lives every scenario clean, in every world.
func TestScenarier(t *testing.T) {
	for _, s := range scenarier() {
		t.Run(s.navn, func(t *testing.T) {
			t.Parallel()
			iHverVerden(t, func(t *testing.T, lager func(testing.TB) compose.Lager) {
				fe := feil.Ny(nil)
				l := nyttLiv(t, s.verden(lager, fe), true)
				start := len(fe.Kall())
				s.driv(l)
				if n := len(fe.Kall()) - start; (n == 0) != s.stille {
					t.Errorf("%d skrivende kall", n)
				}
				l.hvil()
				if gal := s.domme(l); gal != "" {
					t.Error(gal)
				}
			})
		})
	}
}

func finn(u levering.Utgave, k melding.Kode) melding.Hendelse {
	for _, h := range u.Melding.Historikk {
		if h.Kode == k {
			return h
		}
	}
	return melding.Hendelse{}
}
