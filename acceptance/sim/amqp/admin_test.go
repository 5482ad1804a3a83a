package amqp

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/adapters/memory"
)

func utenKontekst(f func(broker.Dod) error) func(context.Context, broker.Dod) error {
	return func(_ context.Context, d broker.Dod) error { return f(d) }
}

func TestAnAdminPageSeesRemovesAndExpiresWhatLiesReady(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1", "2", "3", "4", "5")
	r := ring(t, b).loggInn(0)
	r.qos(2, false)
	r.abonner(minKo)
	r.levering(1)
	r.levering(1)
	ser := func() (ut string) {
		for _, m := range b.Meldinger(minKo) {
			ut += string(m.Kropp)
		}
		return ut
	}
	is.Equal(ser(), "345") // the first two are in a consumer's hands
	is.True(!b.Fjern(minKo, "id-1"))
	is.True(!b.Fjern(minKo, "ukjent"))
	is.True(!b.Fjern("ukjent", "id-3"))
	is.True(b.Fjern(minKo, "id-4"))
	r.metode(1, channelClose, []byte{0, 200}, kortStreng(""), tall32(0))
	r.vent(1, channelCloseOk)
	is.Equal(ser(), "1235")

	dode := make(chan broker.Dod, 10)
	go func() {
		_ = b.Dode(t.Context(), utenKontekst(func(d broker.Dod) error { dode <- d; return nil }))
	}()
	is.True(b.UtlopNa(minKo, "id-2")) // was put back
	is.True(b.UtlopNa(minKo, "id-5")) // never delivered, and not at the head
	for _, id := range []string{"id-2", "id-5"} {
		d := <-dode
		is.Equal(d.Arsak, broker.Utlopt)
		is.Equal(d.Melding.Headere[headerID], id)
	}
	is.Equal(ser(), "13")
	is.Equal(b.Meldinger("ukjent"), nil)
}

func TestWhatComesToTheHeadByARemovalExpires(t *testing.T) {
	iTid(t, func(t *testing.T, b *Broker, _ *rorlytter) {
		is := is.New(t)
		medKo(t, b, "1")
		is.NoErr(b.Legg(t.Context(), minKo, broker.Melding{TTL: time.Second}))
		b.c.Klokke.(*memory.Klokke).Flytt(time.Minute)
		synctest.Wait()
		is.True(b.Fjern(minKo, "id-1"))
		synctest.Wait()
		d, ok := b.dode.forste()
		is.True(ok)
		is.Equal(d.Arsak, broker.Utlopt)
	})
}
