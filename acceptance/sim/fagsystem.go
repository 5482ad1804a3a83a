package sim

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Mottatt is a message as a case system is handed it, whatever the transport.
type Mottatt struct {
	Meldingstype string
	MeldingID    string            // the platform's id
	Korrelasjon  string            // klientKorrelasjonsId, "" when there is none
	Headere      map[string]string // as on the wire, with or without the prefix of own headers
	Innhold      []byte            // sealed
}

// Svar is an answer for the transport to bring. Forsinkelse is how long it takes; ForSending means that it reaches the sender before
// the sender's own call has returned.
type Svar struct {
	Meldingstype, SvarTil string
	Innhold               []byte
	Forsinkelse           time.Duration
}

// ForSending: see Svar.
const ForSending time.Duration = -1

// Oppforsel is the character of a case system.
type Oppforsel string

const (
	Kvitterer       Oppforsel = "kvitterer"        // stores, then answers mottatt
	Avviser         Oppforsel = "avviser"          // stores nothing, answers feilet with a feilmelding.json we can read
	AvviserUleselig Oppforsel = "avviser-uleselig" // the same with Trondheim's body: no ASiC-E, and sealed for itself
	Stille          Oppforsel = "stille"           // stores, and never answers
	ToGanger        Oppforsel = "to-ganger"        // answers mottatt twice
	Sent            Oppforsel = "sent"             // answers mottatt after SentEtter
	ForCommit       Oppforsel = "for-commit"       // answers mottatt before the send has returned
	Lyver           Oppforsel = "lyver"            // answers mottatt and stores nothing: June 2023
	Ingen           Oppforsel = "ingen"            // nobody takes from the queue
)

// Oppforsler lists them all.
func Oppforsler() []Oppforsel {
	return []Oppforsel{Kvitterer, Avviser, AvviserUleselig, Stille, ToGanger, Sent, ForCommit, Lyver, Ingen}
}

// FagsystemConfig is what a Fagsystem needs.
type FagsystemConfig struct {
	Nokkel    *Sertifikat              // what reports are sealed for; it signs and, unreadably, seals too
	Avsender  func() *x509.Certificate // whom a feilmelding is sealed for: the sending account's key, as the catalogue has it now
	Klokke    func() time.Time
	Versjon   melding.Versjon // newest it reads; 0 = V2. A newer report is answered feilet, as by KS's own sample receiver
	Oppforsel Oppforsel       // "" = Kvitterer
	SentEtter time.Duration   // for Sent
	Mappe     string          // where sealed reports are kept; "" = in memory. No plaintext is written anywhere
}

// Lagret is one report the system answers for.
type Lagret struct {
	ID        melding.ID
	MeldingID string
	SHA256    [32]byte            // of the sealed bytes
	Filer     map[string][32]byte // of each file inside
}

// Fagsystem is a receiving case system. It opens and verifies everything, also what it then refuses or lies about.
type Fagsystem struct {
	c      FagsystemConfig
	pakker *asice.Packer

	mu        sync.Mutex
	oppforsel Oppforsel
	lagret    map[melding.ID]Lagret
	rekke     []melding.ID // in the order stored
	ganger    map[melding.ID]int
	uleste    int
}

// NyttFagsystem takes up what the folder holds.
func NyttFagsystem(c FagsystemConfig) (*Fagsystem, error) {
	if c.Nokkel == nil || c.Avsender == nil || c.Klokke == nil {
		return nil, errors.New("sim: fagsystemet trenger Nokkel, Avsender og Klokke")
	}
	if c.Versjon == 0 {
		c.Versjon = melding.V2
	}
	if c.Oppforsel == "" {
		c.Oppforsel = Kvitterer
	}
	pakker, err := asice.NewPacker(c.Nokkel.Nokkel, c.Klokke, c.Nokkel.Cert)
	if err != nil {
		return nil, err
	}
	f := &Fagsystem{c: c, pakker: pakker, oppforsel: c.Oppforsel, lagret: map[melding.ID]Lagret{}, ganger: map[melding.ID]int{}}
	return f, f.lesMappe()
}

// Oppfor changes its character from now on.
func (f *Fagsystem) Oppfor(o Oppforsel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.oppforsel = o
}

// Behandle takes one message and gives the answers, in order. When an answer says mottatt, the report is stored: except by a liar.
func (f *Fagsystem) Behandle(m Mottatt) []Svar {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.oppforsel == Ingen || protokoll.ErKvittering(m.Meldingstype) {
		return nil // a receipt is never answered with a receipt
	}
	id, err := rapportID(m)
	if err != nil {
		f.uleste++
		return f.avvis(m, "Meldingen mangler bekymringsmelding-id")
	}
	f.ganger[id]++
	if _, v, err := protokoll.ParseMeldingstype(m.Meldingstype); err != nil || v > f.c.Versjon {
		return f.avvis(m, "Ukjent meldingstype")
	}
	l, err := f.apne(id, m.MeldingID, m.Innhold)
	if err != nil {
		f.uleste++
		return f.avvis(m, "Meldingen kan ikke leses")
	}
	switch f.oppforsel {
	case Avviser, AvviserUleselig:
		return f.avvis(m, "Fagsystemet tar ikke imot")
	case Lyver:
		return []Svar{f.kvitter(m, 0)}
	default: // the rest store it
	}
	// Stored before it is answered for. A crash between the two leaves a stored report without an answer: it comes again, is known by
	// its id, and is answered then.
	if err := f.lagre(l, m.Innhold); err != nil {
		return f.avvis(m, "Meldingen kan ikke lagres")
	}
	switch f.oppforsel {
	case Stille:
		return nil
	case ToGanger:
		return []Svar{f.kvitter(m, 0), f.kvitter(m, 0)}
	case Sent:
		return []Svar{f.kvitter(m, f.c.SentEtter)}
	case ForCommit:
		return []Svar{f.kvitter(m, ForSending)}
	default:
		return []Svar{f.kvitter(m, 0)}
	}
}

func (f *Fagsystem) kvitter(m Mottatt, etter time.Duration) Svar {
	return Svar{Meldingstype: protokoll.Mottatt, SvarTil: m.MeldingID, Forsinkelse: etter}
}

// rapportID is the report's own id: a header, or the correlation where the transport has no headers. The two must agree.
func rapportID(m Mottatt) (melding.ID, error) {
	s := header(m.Headere, protokoll.HeaderBekymring)
	if s == "" {
		s = m.Korrelasjon
	}
	id, err := melding.ParseID(s)
	if err == nil && m.Korrelasjon != "" && !strings.EqualFold(m.Korrelasjon, string(id)) {
		return "", errors.New("sim: bekymringsmelding-id og korrelasjon er ulike")
	}
	return id, err
}

func header(h map[string]string, navn string) string {
	if s := h[protokoll.HeaderEgendefinert+navn]; s != "" {
		return s
	}
	return h[navn]
}

// apne opens a sealed report all the way and keeps nothing of it but hashes.
func (f *Fagsystem) apne(id melding.ID, meldingID string, b []byte) (Lagret, error) {
	var pakke bytes.Buffer
	if err := cms.Decrypt(&pakke, bytes.NewReader(b), cms.Key{Certificate: f.c.Nokkel.Cert, Decrypter: f.c.Nokkel.Nokkel}); err != nil {
		return Lagret{}, err
	}
	c, err := asice.Read(melding.NyKlartekst(pakke.Bytes()))
	if err != nil {
		return Lagret{}, err
	}
	l := Lagret{ID: id, MeldingID: meldingID, SHA256: sha256.Sum256(b), Filer: map[string][32]byte{}}
	for _, fil := range c.Filer {
		l.Filer[fil.Navn] = sha256.Sum256(fil.Innhold.Bytes())
		if fil.Navn == protokoll.FilJSON && !json.Valid(bytes.TrimPrefix(fil.Innhold.Bytes(), []byte("\ufeff"))) {
			return Lagret{}, errors.New("sim: bekymringsmelding.json er ikke JSON")
		}
	}
	_, harJSON := l.Filer[protokoll.FilJSON]
	_, harPDF := l.Filer[protokoll.FilPDF]
	if !harJSON || !harPDF || len(l.Filer) != 2 {
		return Lagret{}, errors.New("sim: beholderen har ikke de to filene")
	}
	return l, nil
}

// Lagrede lists what is stored, in the order it came.
func (f *Fagsystem) Lagrede() []Lagret {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ut []Lagret
	for _, id := range f.rekke {
		ut = append(ut, f.lagret[id])
	}
	return ut
}

// Har says whether a report is stored.
func (f *Fagsystem) Har(id melding.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.lagret[id]
	return ok
}

// Ganger says how often a report has come, stored or not. Uleste counts messages nobody could read.
func (f *Fagsystem) Ganger(id melding.ID) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ganger[id]
}

func (f *Fagsystem) Uleste() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.uleste
}
