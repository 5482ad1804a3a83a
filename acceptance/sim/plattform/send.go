package plattform

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/google/uuid"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Sendt is one message that was accepted for sending. It has no content.
type Sendt struct {
	MeldingID       string
	Fra, Til        string // account ids
	Meldingstype    string
	SvarPa          string // "" = none
	TTL             time.Duration
	Headere         map[string]string // as the sender gave them, without the prefix; not to be changed
	Storrelse       int64             // octets of payload
	DokumentlagerID string            // "" = the payload is in the message
	Tid             time.Time
}

// Virkning is what goes wrong with one message. The zero value is nothing.
type Virkning struct {
	Status      int           // refuse with this HTTP status (400–599), and queue nothing
	Tap         bool          // answer 202, and never queue it
	Utlop       bool          // answer 202, never queue it, and give the sender tidsavbrudd at once
	MistSvar    bool          // queue it, and close the connection without an answer
	Forsinkelse time.Duration // queue it this much later; its TTL counts from then
}

// errMistSvar makes the connection close without an answer.
var errMistSvar = errors.New("plattform: svaret er mistet")

// leggfrist is how long a broker may take to say that it has a message.
const leggfrist = 30 * time.Second

// VedSend asks f about each message that would be accepted, before it is queued, also the ones the admin page sends; nil = stop asking.
// f may be called by several senders at once.
func (p *Plattform) VedSend(f func(Sendt) Virkning) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.vedSend = f
}

// NesteTil decides what happens to the next message to an account, where VedSend says nothing; the zero Virkning takes it back.
func (p *Plattform) NesteTil(kontoID string, v Virkning) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v == (Virkning{}) {
		delete(p.neste, kontoID)
		return
	}
	p.neste[kontoID] = v
}

// Neste is what NesteTil has set and no message has used up.
func (p *Plattform) Neste(kontoID string) Virkning {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.neste[kontoID]
}

func (p *Plattform) virkning(s Sendt) Virkning {
	p.mu.Lock()
	vedSend := p.vedSend
	p.mu.Unlock()
	if vedSend != nil {
		if v := vedSend(s); v != (Virkning{}) {
			return v
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.neste[s.Til]
	delete(p.neste, s.Til)
	return v
}

// sendtSvar is the answer of the send API: these members and no other, for the bare Java builder fails on one it does not know, and
// .NET on a ttl that is null (§2.3).
type sendtSvar struct {
	MeldingID       string            `json:"meldingId"`
	MeldingType     string            `json:"meldingType"`
	AvsenderKontoID string            `json:"avsenderKontoId"`
	MottakerKontoID string            `json:"mottakerKontoId"`
	TTL             int64             `json:"ttl"`
	DokumentlagerID *string           `json:"dokumentlagerId"`
	SvarPaMelding   *string           `json:"svarPaMelding"`
	Headere         map[string]string `json:"headere"`
}

func (p *Plattform) sendHTTP(w http.ResponseWriter, r *http.Request) error {
	k, err := p.autentiser(r)
	if err != nil {
		return err
	}
	inn, err := p.les(w, r)
	if err != nil {
		return err
	}
	if !k.har(inn.metadata.avsender) {
		return feilIngenKonto.feil()
	}
	// A caller that hangs up now has sent all of its message: it is queued or refused all the same.
	s, err := p.send(context.WithoutCancel(r.Context()), inn)
	if err != nil {
		return err
	}
	return svarJSON(w, http.StatusAccepted, sendtSvar{MeldingID: s.MeldingID, MeldingType: s.Meldingstype, AvsenderKontoID: s.Fra, MottakerKontoID: s.Til,
		TTL: s.TTL.Milliseconds(), DokumentlagerID: ellerNull(s.DokumentlagerID), SvarPaMelding: ellerNull(s.SvarPa), Headere: s.Headere})
}

func ellerNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// send is the one way onto a queue for everything but the platform's own receipts.
func (p *Plattform) send(ctx context.Context, inn innsendt) (Sendt, error) {
	m := inn.metadata
	fra, til := p.konto(m.avsender), p.konto(m.mottaker)
	switch {
	case fra == nil:
		return Sendt{}, feilIngenKonto.feil()
	case fra.Stengt:
		return Sendt{}, feilAvsStengt.feil()
	case til == nil:
		return Sendt{}, feilMottUkjent.feil()
	case til.Stengt:
		return Sendt{}, feilMottStengt.feil()
	}
	if err := p.kontrollerInnhold(m, inn.data); err != nil {
		return Sendt{}, err
	}
	s := Sendt{MeldingID: uuid.NewString(), Fra: fra.ID, Til: til.ID, Meldingstype: m.meldingstype, SvarPa: m.svarPa, TTL: m.ttl, Headere: m.headere,
		Storrelse: int64(len(inn.data)), Tid: p.na()}
	v := p.virkning(s)
	if v.Status != 0 {
		f := feilTest.feil()
		f.status = v.Status
		return Sendt{}, f
	}
	kropp := inn.data
	if s.Storrelse > p.c.Grense {
		s.DokumentlagerID = p.lager.legg(dokument{konto: til.ID, navn: s.MeldingID, kropp: kropp, utloper: s.Tid.Add(s.TTL + dokumentTillegg)}, s.Tid)
		kropp = nil
	}
	bm := broker.Melding{Headere: headere(s, fra.Navn), TTL: s.TTL, Kropp: kropp}
	p.bok.skriv(s, inn.data)
	if err := p.utfor(ctx, s, til.ko, bm, v); err != nil {
		return Sendt{}, err
	}
	p.bok.svart(s)
	if v.MistSvar {
		return s, errMistSvar
	}
	return s, nil
}

// utfor queues the message, or does with it what the test wants.
func (p *Plattform) utfor(ctx context.Context, s Sendt, ko string, m broker.Melding, v Virkning) error {
	switch {
	case v.Tap:
		p.bok.sett(s.MeldingID, Tapt)
		return nil
	case v.Utlop:
		return p.kvitter(ctx, broker.Dod{Ko: ko, Arsak: broker.Utlopt, Melding: m})
	case v.Forsinkelse > 0:
		p.leggSenere(s.MeldingID, ko, m, v.Forsinkelse)
		return nil
	}
	return p.legg(ctx, s.MeldingID, ko, m)
}

// leggSenere sets its timer before it returns, so that a test's clock cannot pass it.
func (p *Plattform) leggSenere(id, ko string, m broker.Melding, d time.Duration) {
	p.bok.sett(id, Forsinket)
	naar, stopp := p.c.Klokke.At(p.na().Add(d))
	go func() {
		defer stopp()
		select {
		case <-naar:
			_ = p.legg(p.ctx, id, ko, m) // the log has it
		case <-p.ctx.Done():
		}
	}()
}

func (p *Plattform) legg(ctx context.Context, id, ko string, m broker.Melding) error {
	b, err := p.megler()
	if err == nil {
		var avbryt context.CancelFunc
		ctx, avbryt = context.WithTimeout(ctx, leggfrist)
		defer avbryt()
		p.bok.sett(id, IKo) // before it is there: a consumer may be done with it before Legg returns
		err = b.Legg(ctx, ko, m)
	}
	if err != nil {
		p.bok.sett(id, IkkeLagt)
		return feilKo.fordi(err)
	}
	return nil
}

// headere are a message's headers on the wire (§1.5). When either spelling of the correlation came in, both go out: clients in use know
// one or the other.
func headere(s Sendt, avsenderNavn string) map[string]string {
	h := map[string]string{protokoll.HeaderMeldingID: s.MeldingID, protokoll.HeaderAvsenderID: s.Fra, protokoll.HeaderType: s.Meldingstype,
		headerAvsenderNavn: avsenderNavn}
	if s.SvarPa != "" {
		h[protokoll.HeaderSvarTil] = s.SvarPa
	}
	if s.DokumentlagerID != "" {
		h[protokoll.HeaderDokumentlager] = s.DokumentlagerID
	}
	egne := maps.Clone(s.Headere)
	for _, par := range [][2]string{{protokoll.HeaderKorrelasjon, protokoll.HeaderKorrelasjonOld}, {protokoll.HeaderKorrelasjonOld, protokoll.HeaderKorrelasjon}} {
		if v, har := s.Headere[par[0]]; har {
			if _, har := egne[par[1]]; !har {
				egne[par[1]] = v
			}
		}
	}
	for navn, v := range egne {
		h[protokoll.HeaderEgendefinert+navn] = v
	}
	return h
}

const headerAvsenderNavn = "avsender-navn"

// kontrollerInnhold holds what Fiks IO does not look at and the protocol demands (§8.1), and who may answer what.
func (p *Plattform) kontrollerInnhold(m metadata, data []byte) error {
	_, _, err := protokoll.ParseMeldingstype(m.meldingstype)
	slag := protokoll.Kanonisk(m.meldingstype)
	skalHa, skalIkke := err == nil || slag == protokoll.Feilet, slag == protokoll.Mottatt
	if !p.c.Lempelig.Kropp && (skalHa && data == nil || skalIkke && data != nil) {
		return feilKropp.feil()
	}
	switch {
	case p.c.Lempelig.FremmedSvar:
		return nil
	case m.svarPa == "" && protokoll.ErKvittering(m.meldingstype):
		return feilUtenSvarPa.feil() // the portal would never know what it is an answer to
	case m.svarPa == "":
		return nil
	}
	// A message from before the last start is unknown, and may be answered by anybody.
	if o, kjent := p.bok.finn(m.svarPa); kjent && (o.Til != m.avsender || o.Fra != m.mottaker || protokoll.ErKvittering(o.Meldingstype)) {
		return feilFremmedSvar.feil()
	}
	return nil
}

// nyKvitteringsID names the receipt about a message. It is the same each time, so that a client can tell a second one from a new one
// where a broker that lost its answer hands over the same dead message again, also to a restarted platform.
func nyKvitteringsID(meldingID string, arsak broker.Arsak) string {
	return string(melding.NyForsokID(melding.ID(meldingID), string(arsak), 0))
}
