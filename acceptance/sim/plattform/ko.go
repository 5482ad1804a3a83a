package plattform

import (
	"context"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// koviser is what a broker can also do when it is built in: RabbitMQ cannot.
type koviser interface {
	Meldinger(ko string) []broker.Melding
	Fjern(ko, meldingID string) bool
	UtlopNa(ko, meldingID string) bool
}

// Ko is the state of an account's queue.
func (p *Plattform) Ko(ctx context.Context, kontoID string) (broker.Status, error) {
	b, err := p.megler()
	if err != nil {
		return broker.Status{}, err
	}
	k := p.konto(kontoID)
	if k == nil {
		return broker.Status{}, feilKontoID.feil()
	}
	return b.Status(ctx, k.ko)
}

// Venter lists the ids of the messages that nobody has taken from an account's queue; ok is false when the broker cannot tell. Fjern,
// UtlopNa and Forsink work for these.
func (p *Plattform) Venter(kontoID string) (ids []string, ok bool) {
	b, err := p.megler()
	v, kan := b.(koviser)
	k := p.konto(kontoID)
	if err != nil || !kan || k == nil {
		return nil, false
	}
	for _, m := range v.Meldinger(k.ko) {
		ids = append(ids, m.Headere[protokoll.HeaderMeldingID])
	}
	return ids, true
}

// Fjern takes a message that nobody has yet from its queue, without a trace; false when it is not there or the broker cannot.
func (p *Plattform) Fjern(meldingID string) bool {
	ok := p.vedKo(meldingID, koviser.Fjern)
	if ok {
		p.bok.sett(meldingID, Fjernet)
	}
	return ok
}

// UtlopNa makes a message that nobody has yet expire now; false as for Fjern.
func (p *Plattform) UtlopNa(meldingID string) bool { return p.vedKo(meldingID, koviser.UtlopNa) }

// Forsink takes a message that nobody has yet from its queue and lays it last on it d later; its TTL then starts anew. False as for
// Fjern.
func (p *Plattform) Forsink(meldingID string, d time.Duration) bool {
	return p.vedKo(meldingID, func(v koviser, ko, id string) bool {
		for _, m := range v.Meldinger(ko) {
			if m.Headere[protokoll.HeaderMeldingID] == id && v.Fjern(ko, id) {
				p.leggSenere(id, ko, m, d)
				return true
			}
		}
		return false
	})
}

func (p *Plattform) vedKo(meldingID string, gjor func(v koviser, ko, id string) bool) bool {
	b, err := p.megler()
	o, kjent := p.bok.finn(meldingID)
	v, kan := b.(koviser)
	if err != nil || !kjent || !kan {
		return false
	}
	k := p.konto(o.Til)
	return k != nil && gjor(v, k.ko, meldingID)
}
