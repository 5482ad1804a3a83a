package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// oppdragRad is owed work without the body of an answer, which goes past bun.
type oppdragRad struct {
	bun.BaseModel `bun:"table:oppdrag,alias:o"`

	Seq        int64 `bun:",pk,autoincrement"`
	ID         levering.OppdragID
	Ko         levering.Ko
	Melding    *melding.ID
	Forfall    int64 // what the domain asked for; never moved
	Klar       int64 // when it can be claimed
	Token      *string
	Antall     int
	Arsak      string
	Forsok     melding.ForsokID
	Runde      int
	Last       string
	Forsegling melding.Forsegling // of the answer's body
	Innhold    []byte             `bun:",scanonly"`
}

// last is what only some queues carry.
type last struct {
	Svar *svar `json:"svar,omitempty"`
	Jobb *jobb `json:"jobb,omitempty"`
}

type svar struct {
	ID            string          `json:"id"`
	Meldingstype  string          `json:"type"`
	SvarTil       string          `json:"svarTil"`
	Korrelasjon   string          `json:"korrelasjon"`
	AvsenderKonto kommune.KontoID `json:"konto"`
	Mottatt       int64           `json:"mottatt"`
	HarInnhold    bool            `json:"harInnhold"`
	Lesbarhet     melding.Arsak   `json:"lesbarhet"`
	Forbigaende   bool            `json:"forbigaende"`
	Aktor         string          `json:"aktor"`
}

type jobb struct {
	ID     melding.ForsokID    `json:"id"`
	Status levering.Brevstatus `json:"status"`
	Tid    int64               `json:"tid"`
	Arsak  string              `json:"arsak"`
}

func nyOppdragRad(o levering.Oppdrag) *oppdragRad {
	r := &oppdragRad{ID: o.ID, Ko: o.Ko, Melding: eller(o.Melding), Forfall: mikro(o.Forfall), Klar: mikro(o.Forfall),
		Forsok: o.Forsok, Runde: o.Runde}
	var l last
	if s := o.Svar; s != nil {
		l.Svar = &svar{s.ID, s.Meldingstype, s.SvarTil, s.Korrelasjon, s.AvsenderKonto, mikro(s.Mottatt), !s.Innhold.Tom(),
			s.Lesbarhet, s.Forbigaende, s.Aktor}
		r.Forsegling = s.Innhold.Forsegling()
	}
	if j := o.Jobb; j != nil {
		l.Jobb = &jobb{j.ID, j.Status, mikro(j.Tid), j.Arsak}
	}
	if l != (last{}) {
		r.Last = tekst(l)
	}
	return r
}

// leid is r as claimed (nil = not).
func (r *oppdragRad) leid(l *ports.Lease) *oppdragRad {
	if l != nil {
		r.Token, r.Klar, r.Antall = &l.Token, mikro(l.Until), l.Attempt
	}
	return r
}

func (r *oppdragRad) oppdrag() (levering.Oppdrag, error) {
	o := levering.Oppdrag{ID: r.ID, Ko: r.Ko, Melding: verdi(r.Melding), Forfall: tid(r.Forfall), Forsok: r.Forsok, Runde: r.Runde}
	if r.Last == "" {
		return o, nil
	}
	var l last
	if err := json.Unmarshal([]byte(r.Last), &l); err != nil {
		return o, fmt.Errorf("oppdrag %s: %w", r.ID, ports.ErrCorrupt)
	}
	if s := l.Svar; s != nil {
		o.Svar = &melding.Svar{ID: s.ID, Meldingstype: s.Meldingstype, SvarTil: s.SvarTil, Korrelasjon: s.Korrelasjon,
			AvsenderKonto: s.AvsenderKonto, Mottatt: tid(s.Mottatt), Lesbarhet: s.Lesbarhet, Forbigaende: s.Forbigaende, Aktor: s.Aktor}
		if s.HarInnhold {
			o.Svar.Innhold = melding.ForsegletBytes(r.Forsegling, r.Innhold)
		}
	}
	if j := l.Jobb; j != nil {
		o.Jobb = &levering.Jobb{ID: j.ID, Status: j.Status, Tid: tid(j.Tid), Arsak: j.Arsak}
	}
	return o, nil
}

// svarkropp reads the body of the answer that o is about; nil = none.
func svarkropp(o levering.Oppdrag) ([]byte, error) {
	if o.Svar == nil || o.Svar.Innhold.Tom() {
		return nil, nil
	}
	if o.Svar.Innhold.Storrelse() > melding.MaksSvar {
		return nil, fmt.Errorf("oppdrag %s: svaret er over %d byte: %w", o.ID, melding.MaksSvar, ports.ErrRefused)
	}
	b, err := o.Svar.Innhold.Bytes()
	if err != nil {
		return nil, fmt.Errorf("oppdrag %s: svaret kunne ikke leses: %w", o.ID, ports.ErrUnavailable)
	}
	return b, nil
}

const oppdragKolonner = "id, ko, melding, forfall, klar, token, antall, arsak, forsok, runde, last, forsegling"

func (r *oppdragRad) verdier() []any {
	return []any{string(r.ID), string(r.Ko), null(r.Melding), r.Forfall, r.Klar, null(r.Token), int64(r.Antall), r.Arsak, string(r.Forsok),
		int64(r.Runde), r.Last, string(r.Forsegling)}
}

// felt are the columns and, last, innhold.
func (r *oppdragRad) felt() []any {
	return []any{&r.ID, &r.Ko, &r.Melding, &r.Forfall, &r.Klar, &r.Token, &r.Antall, &r.Arsak, &r.Forsok, &r.Runde, &r.Last, &r.Forsegling, &r.Innhold}
}
