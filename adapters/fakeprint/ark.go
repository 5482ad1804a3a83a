package fakeprint

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Jobbark is the job sheet: what stands on the envelope, what the sealed file is, and what has happened to the letter.
type Jobbark struct {
	Jobb        melding.ForsokID `json:"jobb"`
	Referanse   melding.ID       `json:"referanse"` // the report's id: what a person at the vendor asks us about
	Til         Adresse          `json:"til"`
	Retur       Adresse          `json:"retur"`
	Fil         string           `json:"fil"`
	SHA256      string           `json:"sha256"`
	Storrelse   int64            `json:"storrelse"`
	Nokler      []string         `json:"nokler"` // serials (hex) of the print certificates it is sealed for
	Tosidig     bool             `json:"tosidig"`
	Farge       bool             `json:"farge"`
	Forsendelse string           `json:"forsendelse,omitempty"`
	Mottatt     time.Time        `json:"mottatt"`
	Hendelser   []Hendelse       `json:"hendelser"`
	Plan        []Plansteg       `json:"plan"` // what the script has left
}

// Adresse is an office's postal address.
type Adresse struct {
	Navn       string `json:"navn"`
	Linje1     string `json:"linje1"`
	Linje2     string `json:"linje2,omitempty"`
	Linje3     string `json:"linje3,omitempty"`
	Postnummer string `json:"postnummer"`
	Poststed   string `json:"poststed"`
}

// Hendelse is one status. Nr counts over all jobs of the folder, in the order the statuses became known: the cursor of Events.
type Hendelse struct {
	Nr     int                 `json:"nr"`
	Status levering.Brevstatus `json:"status"`
	Tid    time.Time           `json:"tid"`
	Arsak  string              `json:"arsak,omitempty"`
}

// Plansteg is a Steg with the instant it falls due.
type Plansteg struct {
	Status levering.Brevstatus `json:"status"`
	Tid    time.Time           `json:"tid"`
	Arsak  string              `json:"arsak,omitempty"`
}

func nyttArk(id melding.ForsokID, b levering.Brev, na time.Time, steg []Steg) *Jobbark {
	ark := &Jobbark{
		Jobb: id, Referanse: b.Melding, Til: adresse(b.Til), Retur: adresse(b.Retur), Fil: string(id) + cmsEndelse,
		SHA256: hex.EncodeToString(b.SHA256[:]), Storrelse: b.Innhold.Storrelse(), Nokler: slices.Clone(b.Nokkel),
		Tosidig: b.Tosidig, Farge: b.Farge, Forsendelse: b.Forsendelse, Mottatt: na,
	}
	for _, s := range steg {
		ark.Plan = append(ark.Plan, Plansteg{Status: s.Status, Tid: na.Add(s.Etter).Truncate(time.Microsecond), Arsak: s.Arsak})
	}
	return ark
}

func adresse(a kommune.Postadresse) Adresse {
	return Adresse{a.Navn, a.Linje1, a.Linje2, a.Linje3, a.Postnummer, a.Poststed}
}

func (a *Jobbark) meld(nr int, s levering.Brevstatus, tid time.Time, arsak string) {
	a.Hendelser = append(a.Hendelser, Hendelse{Nr: nr, Status: s, Tid: tid, Arsak: arsak})
}

func (a *Jobbark) jobb(h Hendelse) levering.Jobb {
	return levering.Jobb{ID: a.Jobb, Status: h.Status, Tid: h.Tid, Arsak: h.Arsak}
}

func (a *Jobbark) siste() levering.Jobb { return a.jobb(a.Hendelser[len(a.Hendelser)-1]) }

func (a *Jobbark) harVaert(s levering.Brevstatus) bool {
	return slices.ContainsFunc(a.Hendelser, func(h Hendelse) bool { return h.Status == s })
}

// kopi is a sheet that can be changed, written, and thrown away when writing fails.
func (a *Jobbark) kopi() *Jobbark {
	ny := *a
	ny.Nokler, ny.Hendelser, ny.Plan = slices.Clone(a.Nokler), slices.Clone(a.Hendelser), slices.Clone(a.Plan)
	return &ny
}

// fram takes the steps whose time has come. They are on disk before the caller sees them: a clock that steps back, or a restart,
// never takes a posted letter back out of the post.
func (p *Printer) fram(ark *Jobbark) error {
	na := p.klokke.Now()
	if len(ark.Plan) == 0 || na.Before(ark.Plan[0].Tid) {
		return nil
	}
	ny := ark.kopi()
	for len(ny.Plan) > 0 && !na.Before(ny.Plan[0].Tid) {
		s := ny.Plan[0]
		ny.meld(p.nesteNr(), s.Status, s.Tid, s.Arsak)
		ny.Plan = ny.Plan[1:]
	}
	return p.bytt(ark, ny)
}

// framAlle is fram for every job, in the order their next steps fall due.
func (p *Printer) framAlle() error {
	var alle []*Jobbark
	for _, ark := range p.jobber {
		if len(ark.Plan) > 0 {
			alle = append(alle, ark)
		}
	}
	slices.SortFunc(alle, func(a, b *Jobbark) int { return a.Plan[0].Tid.Compare(b.Plan[0].Tid) })
	for _, ark := range alle {
		if err := p.fram(ark); err != nil {
			return err
		}
	}
	return nil
}

// hendt appends a status now and drops what the script had left.
func (p *Printer) hendt(ark *Jobbark, s levering.Brevstatus, arsak string) error {
	ny := ark.kopi()
	ny.Plan = nil
	ny.meld(p.nesteNr(), s, p.klokke.Now(), arsak)
	return p.bytt(ark, ny)
}

// bytt makes ny the sheet. A crash before the rename leaves the old sheet: the step is taken again at the next call; after it, the
// event has a number above every cursor given out and is handed to the next Events.
func (p *Printer) bytt(ark, ny *Jobbark) error {
	if err := p.skrivArk(ny); err != nil {
		return err
	}
	*ark = *ny
	return nil
}

// nesteNr never gives a number twice, also not when writing its sheet failed: the file may be there all the same, and two events with
// one number could hide each other behind a cursor.
func (p *Printer) nesteNr() int {
	p.sisteNr++
	return p.sisteNr
}

// hendelserEtter gives the events after a number, oldest first, and the cursor behind them.
func (p *Printer) hendelserEtter(etter int) ([]levering.Jobb, string) {
	type linje struct {
		nr int
		j  levering.Jobb
	}
	var linjer []linje
	for _, ark := range p.jobber {
		for _, h := range ark.Hendelser {
			if h.Nr > etter {
				linjer = append(linjer, linje{h.Nr, ark.jobb(h)})
			}
		}
	}
	slices.SortFunc(linjer, func(a, b linje) int { return a.nr - b.nr })
	var ut []levering.Jobb
	for _, l := range linjer {
		ut, etter = append(ut, l.j), l.nr
	}
	return ut, strconv.Itoa(etter)
}

func lesCursor(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("fakeprint: ukjent markør: %w", ports.ErrRefused)
	}
	return n, nil
}

func ukjent(id melding.ForsokID) error { return fmt.Errorf("brev %s: %w", id, ports.ErrNotFound) }

// Brevene lists the job sheets, oldest job first.
func (p *Printer) Brevene() ([]Jobbark, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.framAlle(); err != nil {
		return nil, err
	}
	var ut []Jobbark
	for _, ark := range p.jobber {
		ut = append(ut, *ark.kopi())
	}
	slices.SortFunc(ut, func(a, b Jobbark) int { return a.Hendelser[0].Nr - b.Hendelser[0].Nr })
	return ut, nil
}
