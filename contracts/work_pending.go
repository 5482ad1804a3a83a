package contracts

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

func testPending(t *testing.T, open func(t *testing.T) Lager) {
	t.Run("W9 an item is pending until it is settled", func(t *testing.T) {
		is, l := is.New(t), open(t)
		venter := func(id levering.OppdragID) bool {
			t.Helper()
			ja, err := l.Work.Pending(t.Context(), id)
			is.NoErr(err)
			return ja
		}
		svar := levering.SvarOppdrag(etSvar(Start))
		is.True(!venter(svar.ID))
		leggTil(t, l, svar)
		is.True(venter(svar.ID))
		leie := klaimEn(t, l, levering.KoSvar, Start)
		is.True(venter(svar.ID)) // leased
		l = l.pany(t)
		is.True(venter(svar.ID))
		is.NoErr(l.Work.Release(t.Context(), leie, Start.Add(time.Hour), "x"))
		is.True(venter(svar.ID)) // backing off
		is.NoErr(l.Work.Done(t.Context(), klaimEn(t, l, levering.KoSvar, Start.Add(time.Hour))))
		is.True(!venter(svar.ID))

		id := Lagre(t, l, NyMelding(t))
		send := klaimEn(t, l, levering.KoSend, Start.Add(time.Hour)).Oppdrag.ID
		is.True(venter(send))
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Ferdig: []levering.OppdragID{send}}, nil
		})
		is.True(!venter(send))
		l = l.pany(t)
		is.True(!venter(send) && !venter(svar.ID))
	})
}
