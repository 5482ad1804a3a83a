package amqp

import (
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

func TestConsumerTags(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b)
	r, vitne := ring(t, b).loggInn(0), ring(t, b).loggInn(0)
	en, to := r.abonner(minKo), r.abonner(minKo)
	is.True(strings.HasPrefix(en, "amq.ctag-"))
	is.True(en != to)

	r.apneKanal(2)
	r.metode(2, basicConsume, consume(minKo, en, 0)...) // a tag belongs to its channel, and a client may bring a server-made one
	is.Equal(r.vent(2, basicConsumeOk).kortStreng(), en)
	r.metode(2, basicCancel, kortStreng("finnes ikke"), []byte{0})
	is.Equal(r.vent(2, basicCancelOk).kortStreng(), "finnes ikke")

	r.metode(1, basicConsume, consume(minKo, to, 0)...)
	is.Equal(r.ventLukk(0), feilIkkeLov) // taken on this channel: that ends the connection
	vitne.apneKanal(2)                   // and no other
	ventStatus(t, b, broker.Status{})
}

func TestAConsumerMayAskToBeAlone(t *testing.T) {
	const eksklusiv = 1 << 2
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b)
	r := ring(t, b).loggInn(0)
	r.metode(1, basicConsume, consume(minKo, "alene", eksklusiv)...)
	r.vent(1, basicConsumeOk)
	r.apneKanal(2)
	r.metode(2, basicConsume, consume(minKo, "", 0)...)
	is.Equal(r.ventLukk(2), feilNektet)
	r.metode(2, channelCloseOk)
	r.metode(1, basicCancel, kortStreng("alene"), []byte{0})
	r.vent(1, basicCancelOk)
	r.abonner(minKo)
	r.apneKanal(2)
	r.metode(2, basicConsume, consume(minKo, "alene", eksklusiv)...)
	is.Equal(r.ventLukk(2), feilNektet) // somebody is there already
}

func TestAPassiveDeclareCountsAndMakesNothing(t *testing.T) {
	declare := func(ko string, flagg byte) [][]byte { return [][]byte{{0, 0}, kortStreng(ko), {flagg}, tomTabell} }
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1", "2")
	r := ring(t, b).loggInn(0)
	r.metode(1, queueDeclare, declare(minKo, 1)...)
	l := r.vent(1, queueDeclareOk)
	is.Equal(l.kortStreng(), minKo)
	is.Equal(l.lang(), uint32(2))
	is.Equal(l.lang(), uint32(0))
	for nr, tt := range []struct {
		ko    string
		flagg byte
		kode  int
	}{
		{minKo, 0, feilNektet}, {"fiksio.konto.ingen", 1, feilMangler}, {"andres", 1, feilNektet}, {"fiksio.konto.ny", 2, feilNektet},
	} {
		kanal := uint16(nr + 2)
		r.apneKanal(kanal)
		r.metode(kanal, queueDeclare, declare(tt.ko, tt.flagg)...)
		is.Equal(r.ventLukk(kanal), tt.kode)
	}
	_, err := b.Status(t.Context(), "fiksio.konto.ny")
	is.True(err != nil)
}

func TestChannelFlowHoldsDeliveriesBack(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b)
	r := ring(t, b).loggInn(0)
	r.abonner(minKo)
	r.metode(1, channelFlow, []byte{0})
	is.Equal(r.vent(1, channelFlowOk).oktett(), byte(0))
	medKo(t, b, "1")
	r.metode(1, basicQos, tall32(0), []byte{0, 0, 0})
	r.vent(1, basicQosOk) // and nothing before it
	r.metode(1, channelFlow, []byte{1})
	is.Equal(r.vent(1, channelFlowOk).oktett(), byte(1))
	_, kropp := r.levering(1)
	is.Equal(string(kropp), "1")
}

func TestAPrefetchCanBeTheChannelsAsAWhole(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1", "2", "3", "4")
	r := ring(t, b).loggInn(0)
	r.qos(2, true)
	r.abonner(minKo)
	tag, _ := r.levering(1)
	r.levering(1)
	r.abonner(minKo) // a second consumer gets nothing: the channel is full
	r.qos(2, true)
	ventStatus(t, b, broker.Status{Klare: 2, Ubekreftede: 2, Konsumenter: 2})
	r.ack(tag)
	_, kropp := r.levering(1)
	is.Equal(string(kropp), "3")
	r.qos(3, true)
	_, kropp = r.levering(1)
	is.Equal(string(kropp), "4")
}

func TestOneQueuesAckMakesRoomForAnotherQueuesMessage(t *testing.T) {
	const annenKo = "fiksio.konto.annen"
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1")
	is.NoErr(b.Opprett(t.Context(), annenKo))
	is.NoErr(b.Legg(t.Context(), annenKo, broker.Melding{Kropp: []byte("2")}))
	r := ring(t, b).loggInn(0)
	r.qos(1, true)
	r.abonner(minKo)
	tag, _ := r.levering(1)
	r.abonner(annenKo)
	r.ack(tag)
	_, kropp := r.levering(1)
	is.Equal(string(kropp), "2")
}

func TestAConsumerThatHoldsBackKeepsNothingFromAnother(t *testing.T) {
	iTid(t, func(t *testing.T, b *Broker, l *rorlytter) {
		medKo(t, b)
		r, annen := l.ring(t).loggInn(0), l.ring(t).loggInn(0)
		r.abonner(minKo)
		synctest.Wait() // it is first in turn
		annen.abonner(minKo)
		r.metode(1, channelFlow, []byte{0})
		r.vent(1, channelFlowOk)
		synctest.Wait()
		medKo(t, b, "1")
		annen.levering(1)
	})
}

func TestRecoverPutsEverythingBack(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1", "2")
	r := ring(t, b).loggInn(0)
	r.abonner(minKo)
	r.levering(1)
	r.levering(1)
	r.metode(1, basicRecover, []byte{1})
	r.vent(1, basicRecoverOk)
	tag, kropp := r.levering(1)
	is.Equal(tag, uint64(3))
	is.Equal(string(kropp), "1")
	_, kropp = r.levering(1)
	is.Equal(string(kropp), "2")
	r.metode(1, basicRecover, []byte{0})
	is.Equal(r.ventLukk(0), feilIkkeLaget)
}

func TestWhatAClientMayNotDoClosesItsChannelOnly(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1")
	r := ring(t, b).loggInn(0)
	for nr, metode := range []uint32{basicPublish, klasseConfirm<<16 | 10, klasseTx<<16 | 10, klasseExchange<<16 | 10, klasseQueue<<16 | 20, klasseQueue<<16 | 30} {
		kanal := uint16(nr + 2)
		r.apneKanal(kanal)
		r.metode(kanal, metode, []byte{0, 0}, kortStreng(""), kortStreng(minKo), []byte{0})
		// The client has not heard yet, and goes on with the content and more.
		hode := lukkRamme(append(apneRamme(nil, rammeHode, kanal), make([]byte, 14)...), 0)
		r.skriv(hode, lukkRamme(append(apneRamme(nil, rammeKropp, kanal), "hei"...), 0))
		r.metode(kanal, basicQos, tall32(0), []byte{0, 1, 0})
		is.Equal(r.ventLukk(kanal), feilNektet)
		r.metode(kanal, channelCloseOk)
		r.apneKanal(kanal) // the number is free again
	}
	r.abonner(minKo)
	_, kropp := r.levering(1)
	is.Equal(string(kropp), "1")
}

func TestABreachOfTheProtocolEndsThatConnectionOnly(t *testing.T) {
	b := startet(t, Config{FrameMax: minFrameMax})
	medKo(t, b, "1")
	vitne := ring(t, b).loggInn(0)
	metode := func(kanal uint16, metode uint32, arg ...[]byte) []byte { return metoderamme(kanal, metode, arg...) }
	stor := lukkRamme(append(apneRamme(nil, rammeMetode, 1), make([]byte, minFrameMax)...), 0)
	for navn, tt := range map[string]struct {
		ramme []byte
		kode  int
	}{
		"unknown class":                 {metode(1, 99<<16|10), feilIkkeLaget},
		"unknown method":                {metode(1, klasseBasic<<16|99), feilIkkeLaget},
		"update-secret":                 {metode(0, klasseConnection<<16|70), feilIkkeLaget},
		"a channel that is not open":    {metode(7, basicQos, tall32(0), []byte{0, 0, 0}), feilKanal},
		"a channel opened twice":        {metode(1, channelOpen, kortStreng("")), feilKanal},
		"a channel beyond the limit":    {metode(2048, channelOpen, kortStreng("")), feilKanal},
		"connection on a channel":       {metode(1, connectionClose), feilKommando},
		"a channel's method on none":    {metode(0, basicQos, tall32(0), []byte{0, 0, 0}), feilKommando},
		"the handshake again":           {startOk(tomTabell, "PLAIN", plain(bruker, passord)), feilKommando},
		"close-ok to no close":          {metode(0, connectionCloseOk), feilKommando},
		"channel.close-ok to no close":  {metode(1, channelCloseOk), feilKommando},
		"content without a method":      {lukkRamme(append(apneRamme(nil, rammeHode, 1), make([]byte, 14)...), 0), feilUventet},
		"arguments cut short":           {metode(1, basicAck, []byte{0}), feilSyntaks},
		"arguments too long":            {metode(1, basicQos, tall32(0), []byte{0, 0, 0, 0}), feilSyntaks},
		"a method without a number":     {lukkRamme(append(apneRamme(nil, rammeMetode, 1), 0, 60), 0), feilSyntaks},
		"a frame of no kind":            {lukkRamme(apneRamme(nil, 7, 1), 0), feilRamme},
		"a frame over frame_max":        {stor, feilRamme},
		"a frame that claims gigabytes": {[]byte{1, 0, 1, 0xff, 0xff, 0xff, 0xff}, feilRamme},
		"a frame that ends ill":         {[]byte{1, 0, 1, 0, 0, 0, 1, 0, 0}, feilRamme},
		"a heartbeat on a channel":      {lukkRamme(apneRamme(nil, rammeHjerteslag, 1), 0), feilRamme},
		"prefetch in octets":            {metode(1, basicQos, tall32(1), []byte{0, 0, 0}), feilIkkeLaget},
	} {
		t.Run(navn, func(t *testing.T) {
			r := ring(t, b).loggInn(0)
			r.abonner(minKo)
			r.levering(1)
			r.skriv(tt.ramme)
			is.New(t).Equal(r.ventLukk(0), tt.kode)
			ventStatus(t, b, broker.Status{Klare: 1}) // at once, before the client has answered
			r.metode(0, connectionCloseOk)
			r.ventSlutt()
			b.Fjern(minKo, "id-1")
			medKo(t, b, "1")
		})
	}
	vitne.abonner(minKo)
	vitne.levering(1)
}

func TestAnAckOfWhatWasNeverDeliveredClosesTheChannel(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1", "2")
	r := ring(t, b).loggInn(0)
	r.abonner(minKo)
	r.levering(1)
	r.levering(1)
	r.metode(1, basicAck, binary.BigEndian.AppendUint64(nil, 3), []byte{1})
	is.Equal(r.ventLukk(1), feilVilkar)
	ventStatus(t, b, broker.Status{Klare: 2})
}

func TestNoWaitIsNotAnswered(t *testing.T) {
	is := is.New(t)
	b := startet(t, Config{})
	medKo(t, b, "1")
	r := ring(t, b).loggInn(0)
	r.metode(1, queueDeclare, []byte{0, 0}, kortStreng(minKo), []byte{1 | 1<<4}, tomTabell)
	r.metode(1, basicConsume, consume(minKo, "stille", 1<<3)...)
	_, kropp := r.levering(1)
	is.Equal(string(kropp), "1")
	r.metode(1, basicCancel, kortStreng("stille"), []byte{1})
	r.metode(1, channelClose, []byte{0, 200}, kortStreng(""), tall32(0))
	r.vent(1, channelCloseOk)
}
