package world

import (
	"context"
	"crypto/x509"
	"sync"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// Fagsystem is a simulated case system on this world's channel. It opens, verifies and stores what it is handed, and answers by its
// character or, in a scenario, as it is told to.
type Fagsystem struct {
	*sim.Fagsystem
	konto kommune.KontoID

	mu        sync.Mutex
	svarer    func(Sendt) []Svar
	forCommit bool
}

// Answers that many scenarios use.
var (
	Kvitterer = func(Sendt) []Svar { return []Svar{{Meldingstype: protokoll.Mottatt}} }
	Stille    = func(Sendt) []Svar { return nil }
	ToGanger  = func(Sendt) []Svar {
		return []Svar{{Meldingstype: protokoll.Mottatt}, {Meldingstype: protokoll.Mottatt}}
	}
)

// Svarer makes it answer this from now on, whatever its character; nil = its character again.
func (f *Fagsystem) Svarer(s func(Sendt) []Svar) { f.mu.Lock(); f.svarer = s; f.mu.Unlock() }

// Oppfor changes its character from now on.
func (f *Fagsystem) Oppfor(o sim.Oppforsel) {
	f.mu.Lock()
	f.forCommit = o == sim.ForCommit
	f.mu.Unlock()
	f.Fagsystem.Oppfor(o)
}

// forCommit is the channel as a portal sees it when answers overtake its own commit: a message to a case system of that character is
// answered, and the answer judged, before Send has returned.
type forCommit struct {
	ports.Transport
	v *Verden
}

func (t forCommit) Send(ctx context.Context, x ports.Forsendelse) (string, error) {
	ref, err := t.Transport.Send(ctx, x)
	for _, f := range t.v.Fagsystem {
		f.mu.Lock()
		sin := f.forCommit && f.konto == x.Til.KontoID
		f.mu.Unlock()
		if sin {
			t.v.Pump()
		}
	}
	return ref, err
}

// Ta is a Mottaker.
func (f *Fagsystem) Ta(s Sendt) []Svar {
	f.mu.Lock()
	svarer := f.svarer
	f.mu.Unlock()
	sagt := f.Behandle(sim.Mottatt{Meldingstype: s.Meldingstype, MeldingID: s.Ref, Korrelasjon: string(s.Melding), Innhold: s.Innhold,
		Headere: map[string]string{protokoll.HeaderBekymring: string(s.Melding), protokoll.HeaderKlientMelding: string(s.Forsok)}})
	if svarer != nil {
		return svarer(s)
	}
	var ut []Svar
	for _, a := range sagt {
		v := Svar{Meldingstype: a.Meldingstype, Innhold: a.Innhold, Etter: max(a.Forsinkelse, 0)}
		ut = append(ut, v)
	}
	return ut
}

// KobleAlle puts every receiver's case system on the channel with the character its data names.
func KobleAlle(n Kanal, d *Deltakere, klokke func() time.Time) (map[string]*Fagsystem, error) {
	ut := map[string]*Fagsystem{}
	for i := range d.Mottakere {
		m := &d.Mottakere[i]
		konto := kommune.KontoID(m.KontoID)
		if m.Fagsystem == string(sim.Ingen) { // the account exists, and nobody takes from it
			n.Koble(konto, nil)
			continue
		}
		versjon := melding.V2
		if m.Versjon == "V1" {
			versjon = melding.V1
		}
		f, err := sim.NyttFagsystem(sim.FagsystemConfig{Nokkel: m.Sert, Avsender: func() *x509.Certificate { return d.Portal.Cert }, Klokke: klokke,
			Versjon: versjon, Oppforsel: sim.Oppforsel(m.Fagsystem), SentEtter: m.SentEtter})
		if err != nil {
			return nil, err
		}
		f2 := &Fagsystem{Fagsystem: f, konto: konto, forCommit: m.Fagsystem == string(sim.ForCommit)}
		n.Koble(konto, f2.Ta)
		ut[m.Kommunenummer+"/"+m.Bydelsnummer] = f2
	}
	return ut, nil
}
