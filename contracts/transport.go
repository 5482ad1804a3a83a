package contracts

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Ankommet is one message as the far side took it.
type Ankommet struct {
	Ref          string // the platform's id for it
	Konto        kommune.KontoID
	Meldingstype string
	Forsok       melding.ForsokID
	Melding      melding.ID
	Innhold      []byte
}

// Transportrigg is a Transport and a handle on its far side.
type Transportrigg struct {
	Transport ports.Transport
	Konto     kommune.Mottakerkonto // takes messages
	Stengt    kommune.Mottakerkonto // certainly cannot be reached
	// VedAnkomst makes the far side run fn with each message it takes, before Send returns.
	VedAnkomst func(fn func(Ankommet))
	// Svar sends an answer to a message.
	Svar func(t *testing.T, til Ankommet, meldingstype string, innhold []byte)
	// Brudd breaks every connection; Mend lets them be made again.
	Brudd, Mend func(t *testing.T)
}

// mottaker runs Receive and gives what take was handed.
func (r Transportrigg) mottaker(t *testing.T, take func(melding.Svar) error) <-chan melding.Svar {
	t.Helper()
	svar := make(chan melding.Svar, 100)
	ctx, avbryt := context.WithCancel(context.Background()) // t's own ends before its clean-up runs
	slutt := make(chan error, 1)
	go func() {
		slutt <- r.Transport.Receive(ctx, func(_ context.Context, s melding.Svar) error {
			svar <- s
			if take == nil {
				return nil
			}
			return take(s)
		})
	}()
	t.Cleanup(func() {
		select {
		case err := <-slutt:
			t.Errorf("Receive ga seg før tiden: %v", err)
		default:
			avbryt()
			_ = ventPa(t, slutt, "at Receive gir seg")
		}
	})
	return svar
}

// ankomster takes every message into a channel.
func (r Transportrigg) ankomster() <-chan Ankommet {
	c := make(chan Ankommet, 100)
	r.VedAnkomst(func(a Ankommet) { c <- a })
	return c
}

func forsendelse(t testing.TB, til kommune.Mottakerkonto) ports.Forsendelse {
	t.Helper()
	id := MeldingID(Start)
	return ports.Forsendelse{Forsok: melding.NyForsokID(id, "sending", 1), Melding: id, Til: til, Slag: melding.Offentlig, Versjon: melding.V2,
		Innhold: Forseglet(Tilfeldig(5000)), TTL: time.Hour}
}

// sendt sends one report and gives what arrived.
func (r Transportrigg) sendt(t *testing.T, kom <-chan Ankommet) Ankommet {
	t.Helper()
	if _, err := r.Transport.Send(t.Context(), forsendelse(t, r.Konto)); err != nil {
		t.Fatalf("Send: %v", err)
	}
	return ventPa(t, kom, "meldingen på den andre siden")
}

// TestTransport is the contract of ports.Transport.
func TestTransport(t *testing.T, rigg func(t *testing.T) Transportrigg) {
	t.Run("Send carries what the receiver needs, the same on a repeat", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		kom := r.ankomster()
		f := forsendelse(t, r.Konto)
		refs := map[string]bool{}
		for range 2 {
			ref, err := r.Transport.Send(t.Context(), f)
			is.NoErr(err)
			refs[ref] = true
			a := ventPa(t, kom, "meldingen")
			is.Equal(a, Ankommet{Ref: ref, Konto: r.Konto.KontoID, Meldingstype: protokoll.Meldingstype(melding.Offentlig, melding.V2),
				Forsok: f.Forsok, Melding: f.Melding, Innhold: bytesAv(t, f.Innhold)})
		}
		is.True(!refs[""])
	})

	t.Run("T1 an answer comes until take has it", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		kom := r.ankomster()
		var mu sync.Mutex
		talt := map[string]int{}
		svar := r.mottaker(t, func(s melding.Svar) error {
			mu.Lock()
			defer mu.Unlock()
			talt[s.ID]++
			if talt[s.ID] < 3 {
				return errors.New("lageret er nede")
			}
			return nil
		})
		a := r.sendt(t, kom)
		kropp := Tilfeldig(3000)
		r.Svar(t, a, protokoll.Feilet, kropp)
		var forste melding.Svar
		for i := range 3 {
			s := ventPa(t, svar, "svaret")
			is.Equal(s.Meldingstype, protokoll.Feilet)
			is.Equal(s.SvarTil, a.Ref)
			is.Equal(s.Korrelasjon, string(a.Melding))
			is.Equal(s.AvsenderKonto, a.Konto)
			is.Equal(bytesAv(t, s.Innhold), kropp)
			if i == 0 {
				forste = s
			}
			is.Equal(s.ID, forste.ID) // the same answer is recognised
		}
		is.True(forste.ID != "")
		r.Svar(t, a, protokoll.Mottatt, nil)
		for range 3 {
			s := ventPa(t, svar, "neste svar")
			is.Equal(s.Meldingstype, protokoll.Mottatt) // the taken one is gone
			is.True(s.ID != forste.ID)
			is.True(s.Innhold.Tom())
		}
	})

	t.Run("T1 a break while take runs loses nothing", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		kom := r.ankomster()
		brudd := make(chan struct{})
		var en sync.Once
		svar := r.mottaker(t, func(melding.Svar) error {
			en.Do(func() { <-brudd })
			return nil
		})
		a := r.sendt(t, kom)
		r.Svar(t, a, protokoll.Mottatt, nil)
		forste := ventPa(t, svar, "svaret")
		r.Brudd(t)
		close(brudd) // taken, but the broker never hears of it
		r.Mend(t)
		igjen := ventPa(t, svar, "svaret en gang til")
		is.Equal(igjen.ID, forste.ID)
	})

	t.Run("T2 an answer may arrive before Send has returned", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		svar := r.mottaker(t, nil)
		fikk := make(chan melding.Svar, 1)
		r.VedAnkomst(func(a Ankommet) {
			r.Svar(t, a, protokoll.Mottatt, nil)
			select {
			case s := <-svar:
				fikk <- s
			case <-time.After(frist):
			}
		})
		f := forsendelse(t, r.Konto)
		ref, err := r.Transport.Send(t.Context(), f)
		is.NoErr(err)
		select {
		case s := <-fikk:
			is.Equal(s.SvarTil, ref)
			is.Equal(s.Korrelasjon, string(f.Melding))
		default:
			t.Fatal("svaret kom ikke før Send var ferdig")
		}
	})

	t.Run("T3 a broken connection is mended inside", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		kom := r.ankomster()
		svar := r.mottaker(t, nil) // its clean-up fails if Receive has given up
		a := r.sendt(t, kom)
		for range 2 {
			r.Brudd(t)
			r.Mend(t)
			r.Svar(t, a, protokoll.Mottatt, nil)
			is.Equal(ventPa(t, svar, "svaret etter bruddet").SvarTil, a.Ref)
		}
	})

	t.Run("T4 with less than a second left nothing is sent", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		kom := r.ankomster()
		f := forsendelse(t, r.Konto)
		f.TTL = time.Second - time.Microsecond
		_, err := r.Transport.Send(t.Context(), f)
		is.True(errors.Is(err, ports.ErrRefused))
		f = forsendelse(t, r.Konto)
		_, err = r.Transport.Send(t.Context(), f)
		is.NoErr(err)
		is.Equal(ventPa(t, kom, "meldingen").Forsok, f.Forsok) // and the other never came
	})

	t.Run("T4 refused only when it is certain", func(t *testing.T) {
		is, r := is.New(t), rigg(t)
		kom := r.ankomster()
		_, err := r.Transport.Send(t.Context(), forsendelse(t, r.Stengt))
		is.True(errors.Is(err, ports.ErrRefused))
		ctx, avbryt := context.WithCancel(t.Context())
		avbryt()
		_, err = r.Transport.Send(ctx, forsendelse(t, r.Konto))
		is.True(err != nil)
		is.True(!errors.Is(err, ports.ErrRefused)) // unknown
		r.Brudd(t)
		_, err = r.Transport.Send(t.Context(), forsendelse(t, r.Konto))
		is.True(!errors.Is(err, ports.ErrRefused))
		r.Mend(t)
		f := forsendelse(t, r.Konto)
		_, err = r.Transport.Send(t.Context(), f)
		is.NoErr(err)
		for ventPa(t, kom, "meldingen etter bruddet").Forsok != f.Forsok {
		}
	})
}
