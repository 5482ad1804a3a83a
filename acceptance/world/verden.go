package world

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/adapters/fakeprint"
	"portal.example/bekymringsmelding/adapters/kalender"
	"portal.example/bekymringsmelding/adapters/maskinporten"
	"portal.example/bekymringsmelding/app/onboarding"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Start is when every world begins: a Monday morning in Oslo, far from holidays.
var Start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// Valg is how a world differs from the usual one.
type Valg struct {
	Lager func(t testing.TB) compose.Lager
	// Kanal makes the digital channel; nil = NyttNett.
	Kanal func(testing.TB, *Deltakere, *Klokke) Kanal
	Start time.Time
	Plass func() int64 // free disk; nil = plenty
	// UtenHTTP leaves out the API, the token issuer and the senders: reports go straight to the use case.
	UtenHTTP bool
	Brev     string // folder of letters; "" = a temporary one
	// Portaler share one store, one channel and one print vendor; 0 = one.
	Portaler int
	// Rundt wraps what a portal is composed of, and Ta its taking of answers, which Receive would wrap in a running portal.
	Rundt   func(*compose.Lager, *ports.Transport, *ports.Printer)
	Ta      func(Take) Take
	Oppsett func(*Deltakere)
}

// Take is how a portal takes one answer.
type Take = func(context.Context, melding.Svar) error

// Verden is one composed portal under a fake clock, with the outside world around it. Nothing runs by itself: Pump does what is due
// now, Fram moves time from one due thing to the next.
type Verden struct {
	T         testing.TB
	D         *Deltakere
	Klokke    *Klokke
	Nett      Kanal
	Fagsystem map[string]*Fagsystem
	Print     *fakeprint.Printer
	MP        *sim.Maskinporten
	System    *compose.System
	Andre     []*compose.System // the other portals, see Valg.Portaler
	Lager     compose.Lager
	Server    *httptest.Server
	Logg      *Loggbok
	Avsender  *Avsender
	Annen     *Avsender
	Manus     func(levering.Brev) fakeprint.Manus
	Plass     atomic.Int64  // free disk in bytes
	Steg      time.Duration // longest step Fram takes

	ta     func(Take) Take
	runder int // of Pump: portals take turns
}

var felles struct {
	sync.Mutex
	d *Deltakere
}

// deltakere are made once a run: RSA keys are slow. Each world gets a copy it may change.
func deltakere(t testing.TB) *Deltakere {
	felles.Lock()
	defer felles.Unlock()
	if felles.d == nil {
		mappe, err := os.MkdirTemp("", "deltakere")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(mappe)
		if felles.d, err = Apne(mappe, 2048, func() time.Time { return Start.AddDate(-1, 0, 0) }); err != nil {
			t.Fatal(err)
		}
	}
	d := *felles.d
	d.Mottakere = append([]Mottakerdata(nil), d.Mottakere...)
	return &d
}

// Ny builds a world.
func Ny(t testing.TB, valg Valg) *Verden {
	t.Helper()
	if valg.Start.IsZero() {
		valg.Start = Start
	}
	v := &Verden{T: t, D: deltakere(t), Klokke: NyKlokke(valg.Start), Logg: &Loggbok{}, Steg: time.Hour, ta: valg.Ta}
	if v.ta == nil {
		v.ta = func(t Take) Take { return t }
	}
	if valg.Oppsett != nil {
		valg.Oppsett(v.D)
	}
	if v.Nett = Kanal(NyttNett(v.Klokke)); valg.Kanal != nil {
		v.Nett = valg.Kanal(t, v.D, v.Klokke)
	}
	var err error
	v.Fagsystem, err = KobleAlle(v.Nett, v.D, v.Klokke.Now)
	v.ma(err)
	v.Manus = func(levering.Brev) fakeprint.Manus { return fakeprint.Poster(2 * time.Second) }
	if valg.Brev == "" {
		valg.Brev = filepath.Join(t.TempDir(), "brev")
	}
	v.Print, err = fakeprint.Open(fakeprint.Config{Mappe: valg.Brev, Klokke: v.Klokke, Manus: func(b levering.Brev) fakeprint.Manus { return v.Manus(b) }})
	v.ma(err)
	v.Lager = valg.Lager(t)
	v.Plass.Store(1 << 40)
	v.Lager = medPlass{v.Lager, &v.Plass}
	if valg.UtenHTTP {
		v.apne(valg)
		return v
	}
	// Each world has an issuer of its own clock, and so of its own key: a short one is made in a few milliseconds.
	v.MP, err = sim.NyMaskinporten(sim.MaskinportenConfig{Klokke: v.Klokke.Now, Bits: 1024})
	v.ma(err)
	v.ma(v.MP.Start())
	t.Cleanup(func() { _ = v.MP.Lukk() })
	v.ma(Registrer(v.MP, v.D))
	v.apne(valg)
	v.Server = httptest.NewServer(v.System.Handler)
	t.Cleanup(v.Server.Close)
	v.Avsender, v.Annen = v.NyAvsender(v.D.Avsender), v.NyAvsender(v.D.AnnenAvsender)
	return v
}

func (v *Verden) apne(valg Valg) {
	v.T.Helper()
	v.System = v.NySystem(v.Lager, valg.Rundt)
	for len(v.Andre)+1 < valg.Portaler {
		v.Andre = append(v.Andre, v.NySystem(v.Lager, valg.Rundt))
	}
	v.ma(v.Oppsett())
}

type medPlass struct {
	compose.Lager
	plass *atomic.Int64
}

func (m medPlass) LedigPlass(context.Context) (int64, error) { return m.plass.Load(), nil }

func (v *Verden) ma(err error) {
	v.T.Helper()
	if err != nil {
		v.T.Fatal(err)
	}
}

// NySystem composes one more portal over the same store, channel and printer.
func (v *Verden) NySystem(l compose.Lager, rundt func(*compose.Lager, *ports.Transport, *ports.Printer)) *compose.System {
	v.T.Helper()
	p := levering.Standard(kalender.Norge(2025, 2036))
	c := compose.Config{Hemmelighet: v.D.Hemmelighet, Roller: []string{"worker"}, Retur: "Portalen (test);Testveien 2;0000;Testby", Reserve: 256 << 20, Dev: true,
		Deler: compose.Deler{Lager: l, Clock: v.Klokke, Transport: forCommit{v.Nett, v}, Printer: v.Print, Policy: &p, Logg: v.Logg.Slog(), UtenKlokkevakt: true, Rundt: rundt}}
	if v.MP != nil {
		c.Roller, c.Utsteder, c.JWKS, c.Mappe = []string{"api", "worker"}, v.MP.Utsteder(), v.MP.JWKURL(), v.T.TempDir()
	}
	s, err := compose.Open(context.Background(), c)
	v.ma(err)
	return s
}

// Oppsett applies the world's set-up as it is now, as `portal oppsett` does. After an error it may be applied again.
func (v *Verden) Oppsett() error {
	b, err := v.D.Oppsett()
	if err != nil {
		return err
	}
	fil, err := onboarding.Les(bytes.NewReader(b))
	if err != nil {
		return err
	}
	_, err = v.System.Oppsett.Bruk(context.Background(), fil)
	return err
}

// NyAvsender is a case system that talks to this world's portal.
func (v *Verden) NyAvsender(d Avsenderdata) *Avsender {
	v.T.Helper()
	k, err := maskinporten.NyKlient(maskinporten.KlientConfig{TokenEndpoint: v.MP.TokenURL(), Issuer: v.MP.Utsteder(), KlientID: d.KlientID,
		Nokkel: d.Sert.Nokkel, Sertifikat: d.Sert.Cert, Clock: v.Klokke})
	v.ma(err)
	return &Avsender{API: v.Server.URL + "/bekymringsmelding", Data: d, Token: k.Token, Na: v.Klokke.Now, HTTP: v.Server.Client()}
}

// Forseglet is the sample report, sealed for a receiver and not yet sent.
func (v *Verden) Forseglet(kommunenr, bydel string) Sending {
	v.T.Helper()
	ctx := context.Background()
	n, err := v.Avsender.HentNokler(ctx, kommunenr, bydel)
	v.ma(err)
	s, err := Eksempel(ctx, v.Avsender, n, Sending{Kommune: kommunenr, Bydel: bydel, Slag: melding.Offentlig, Versjon: melding.V1}, "Prøve", "Prøve")
	v.ma(err)
	return s
}

// Send posts the sample report and gives its id.
func (v *Verden) Send(kommunenr, bydel string) melding.ID {
	v.T.Helper()
	id, err := v.Avsender.Post(context.Background(), v.Forseglet(kommunenr, bydel))
	v.ma(err)
	return id
}
