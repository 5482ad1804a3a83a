package world

import (
	"bytes"
	"crypto/sha256"
	"sync"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Fagsystem is a receiving case system: it opens what it is handed with its own key, checks the package, keeps the hash of what it
// stored, and answers as it is told to. It keeps no plaintext.
type Fagsystem struct {
	nokkel cms.Key

	mu      sync.Mutex
	svarer  func(Sendt) []Svar
	lagret  map[melding.ID][32]byte
	uleste  int
	mottatt int
}

// Ways to answer.
var (
	Kvitterer = func(Sendt) []Svar { return []Svar{{Meldingstype: protokoll.Mottatt}} }
	Avviser   = func(Sendt) []Svar { return []Svar{{Meldingstype: protokoll.Feilet}} }
	Stille    = func(Sendt) []Svar { return nil }
	ToGanger  = func(Sendt) []Svar {
		return []Svar{{Meldingstype: protokoll.Mottatt}, {Meldingstype: protokoll.Mottatt}}
	}
)

// NyttFagsystem is the case system of m.
func NyttFagsystem(m *Mottakerdata, svarer func(Sendt) []Svar) *Fagsystem {
	return &Fagsystem{nokkel: cms.Key{Certificate: m.Sert.Cert, Decrypter: m.Sert.Nokkel}, svarer: svarer, lagret: map[melding.ID][32]byte{}}
}

// Svarer changes how it answers from now on.
func (f *Fagsystem) Svarer(s func(Sendt) []Svar) { f.mu.Lock(); f.svarer = s; f.mu.Unlock() }

// Ta is a Mottaker: store first, then answer. The same report twice is stored once.
func (f *Fagsystem) Ta(s Sendt) []Svar {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mottatt++
	filer, err := f.apne(s.Innhold)
	if err != nil || len(filer) != 2 {
		f.uleste++
		return []Svar{{Meldingstype: protokoll.Feilet}}
	}
	f.lagret[s.Melding] = sha256.Sum256(s.Innhold)
	return f.svarer(s)
}

func (f *Fagsystem) apne(b []byte) ([]melding.Fil, error) {
	var pakke bytes.Buffer
	if err := cms.Decrypt(&pakke, bytes.NewReader(b), f.nokkel); err != nil {
		return nil, err
	}
	c, err := asice.Read(melding.NyKlartekst(pakke.Bytes()))
	return c.Filer, err
}

// Har says whether a report is stored.
func (f *Fagsystem) Har(id melding.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.lagret[id]
	return ok
}

// Tall says how many messages came, and how many could not be read.
func (f *Fagsystem) Tall() (mottatt, uleste int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mottatt, f.uleste
}

// KobleAlle puts every receiver's case system on the channel as its data says.
func KobleAlle(n *Nett, d *Deltakere) map[string]*Fagsystem {
	ut := map[string]*Fagsystem{}
	for i := range d.Mottakere {
		m := &d.Mottakere[i]
		svarer, ok := map[string]func(Sendt) []Svar{"kvitterer": Kvitterer, "avviser": Avviser, "stille": Stille}[m.Fagsystem]
		if !ok { // ingen: the account exists, and nobody takes from it
			n.Koble(kontoID(m), nil)
			continue
		}
		f := NyttFagsystem(m, svarer)
		n.Koble(kontoID(m), f.Ta)
		ut[m.Kommunenummer+"/"+m.Bydelsnummer] = f
	}
	return ut
}

func kontoID(m *Mottakerdata) kommune.KontoID { return kommune.KontoID(m.KontoID) }
