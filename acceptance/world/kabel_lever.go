package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/fagklient"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// kabelfrist is how long, in real time, anything may be on its way.
const kabelfrist = 30 * time.Second

// Lever: see Kanal.
func (k *Kabel) Lever(ctx context.Context, take func(context.Context, melding.Svar) error) (tatt int, forste error) {
	for _, p := range k.parkert {
		p.utfall <- errors.New("prøves igjen") // the adapter offers it anew
	}
	k.parkert = nil
	frist, tikk := time.NewTimer(kabelfrist), time.NewTicker(2*time.Millisecond)
	defer frist.Stop()
	defer tikk.Stop()
	for ctx.Err() == nil && !k.erNede() {
		k.sendSene(ctx)
		if k.hviler() {
			return tatt, forste
		}
		select {
		case t := <-k.tilbud:
			t.svar.Mottatt = k.klokke.Now()
			err := take(ctx, t.svar)
			if err != nil {
				k.parkert = append(k.parkert, t)
				if forste == nil {
					forste = err
				}
			}
			k.mu.Lock()
			k.handtert[t.svar.ID] = true
			delete(k.ventes, t.svar.ID)
			k.mu.Unlock()
			if err == nil {
				tatt++
				t.utfall <- nil
			}
		case <-tikk.C:
		case <-frist.C:
			k.t.Errorf("kabelen kommer ikke til ro: %s", k.uro())
			return tatt, forste
		}
	}
	return tatt, forste
}

func (k *Kabel) hviler() bool { return k.uro() == "" }

// uro says what is still on its way; "" = nothing.
func (k *Kabel) uro() string {
	if !k.Tilkoblet() {
		return "portalen er ikke tilkoblet"
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for ref, n := range k.svarUte {
		if n > 0 {
			return "svar på " + ref + " er ikke sendt"
		}
	}
	for id := range k.ventes {
		return "melding " + id + " er ikke framme"
	}
	for _, l := range k.fiks.Plattform.Logg(10_000) {
		if l.Tilstand != "" {
			delete(k.godtatt, l.MeldingID)
		}
		if k.handtert[l.MeldingID] || l.Tilstand != plattform.IKo {
			continue
		}
		if konto := kommune.KontoID(l.Til); konto == Portalkonto || k.mottakere[konto] != nil {
			return "melding " + l.MeldingID + " er ikke framme"
		} else if !k.ekteTid && !k.klokke.Now().Before(l.Tid.Add(l.TTL)) {
			return "melding " + l.MeldingID + " er utløpt, og avsenderen vet det ikke"
		}
	}
	for id := range k.godtatt {
		return "melding " + id + " er godtatt og ikke lagt på køen"
	}
	return ""
}

// ventBekreftet waits until the broker knows what the case systems have dealt with. What it does not know would come to them once more.
func (k *Kabel) ventBekreftet() {
	frist, tikk := time.After(kabelfrist), time.NewTicker(2*time.Millisecond)
	defer tikk.Stop()
	for konto := range k.mottakere {
		for {
			if st, err := k.fiks.Broker.Status(context.Background(), protokoll.Konavn(konto)); err != nil || st.Ubekreftede == 0 {
				break
			}
			select {
			case <-tikk.C:
			case <-frist:
				k.t.Errorf("konto %s bekrefter ikke", konto)
				return
			}
		}
	}
}

// Si: see Kanal.
func (k *Kabel) Si(s Sendt, svar ...Svar) {
	k.mu.Lock()
	for _, v := range svar {
		k.sene = append(k.sene, sentSvar{k.klokke.Now().Add(v.Etter), s, v})
	}
	k.mu.Unlock()
}

// sendSene sends the answers whose time has come.
func (k *Kabel) sendSene(ctx context.Context) {
	k.mu.Lock()
	var na []sentSvar
	k.sene = slices.DeleteFunc(k.sene, func(s sentSvar) bool {
		if k.klokke.Now().Before(s.nar) {
			return false
		}
		na = append(na, s)
		return true
	})
	k.mu.Unlock()
	for _, s := range na {
		if err := k.send(ctx, s.til, s.svar); err != nil {
			k.t.Errorf("svar på %s: %v", s.til.Ref, err)
		}
	}
}

// send sends one answer in an account's name, or, for the platform's own word, puts on the queue what the platform puts there.
func (k *Kabel) send(ctx context.Context, til Sendt, v Svar) error {
	fra := v.Fra
	if fra == "" {
		fra = til.Handtak.(kommune.KontoID)
	}
	if v.Meldingstype == protokoll.Serverfeil {
		id := uuid()
		k.mu.Lock()
		k.ventes[id] = true
		k.mu.Unlock()
		return k.fiks.Broker.Legg(ctx, protokoll.Konavn(Portalkonto), broker.Melding{TTL: time.Hour, Headere: map[string]string{protokoll.HeaderMeldingID: id,
			protokoll.HeaderAvsenderID: string(fra), protokoll.HeaderType: v.Meldingstype, protokoll.HeaderSvarTil: til.Ref, protokoll.HeaderSvarTilType: til.Meldingstype}})
	}
	m := map[string]any{"avsenderKontoId": fra, "mottakerKontoId": Portalkonto, "meldingType": v.Meldingstype, "ttl": (24 * time.Hour).Milliseconds(), "headere": map[string]string{}}
	switch {
	case v.SvarTil != "":
		ref := v.SvarTil
		if _, err := melding.ParseID(ref); err != nil {
			ref = string(melding.NyForsokID("", ref, 0)) // the wire carries UUIDs only
		}
		m["svarPaMelding"] = ref
	case v.UtenRef:
		m["headere"] = map[string]string{protokoll.HeaderKorrelasjon: string(til.Melding)}
	default:
		m["svarPaMelding"] = til.Ref
		m["headere"] = map[string]string{protokoll.HeaderKorrelasjon: string(til.Melding)}
	}
	return k.post(ctx, fra, m, v.Innhold)
}

// post calls the send API as the account's owner.
func (k *Kabel) post(ctx context.Context, fra kommune.KontoID, metadata map[string]any, innhold []byte) error {
	i := slices.IndexFunc(k.d.Mottakere, func(m Mottakerdata) bool { return m.KontoID == string(fra) })
	if i < 0 {
		return fmt.Errorf("ingen eier konto %s", fra)
	}
	m := k.d.Mottakere[i]
	klient, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: k.mp.TokenURL(), Issuer: k.mp.Utsteder(), KlientID: m.KlientID,
		Nokkel: m.Sert.Nokkel, Sertifikat: m.Sert.Cert, Clock: k.klokke})
	if err != nil {
		return err
	}
	token, err := klient.Token(ctx)
	if err != nil {
		return err
	}
	req, err := fagklient.Login{IntegrasjonID: m.IntegrasjonID, Passord: m.Passord, Token: token}.Sending(ctx, k.fiks.API, metadata, innhold)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusAccepted {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}
