package melding

// Forsoksart is what an attempt tries.
type Forsoksart string

const (
	Sendeforsok Forsoksart = "sending"
	Brevforsok  Forsoksart = "brev"
)

// Forsok is one attempt as the history tells it. It is begun before the world hears of it, and ended when the world has
// said how it went (or when we know it never began there).
type Forsok struct {
	ID        ForsokID
	Art       Forsoksart
	Overfort  bool // the act itself has been tried at least once: its outcome may be unknown
	Overtatt  bool // the world has it: Fiks IO gave an id, the vendor accepted the job
	Avsluttet bool
}

// Forsokene lists every attempt in the order begun.
func (m Melding) Forsokene() []Forsok {
	var ut []Forsok
	finn := func(id ForsokID) *Forsok {
		for i := range ut {
			if ut[i].ID == id {
				return &ut[i]
			}
		}
		return &Forsok{}
	}
	for _, h := range m.Historikk {
		if h.Forsok == "" {
			continue
		}
		f := finn(h.Forsok)
		switch h.Kode {
		case SendingBegynt:
			if f.ID == "" {
				ut = append(ut, Forsok{ID: h.Forsok, Art: Sendeforsok, Overfort: true})
			}
		case VenterPaPrint:
			if f.ID == "" {
				ut = append(ut, Forsok{ID: h.Forsok, Art: Brevforsok})
			}
		case BrevBegynt:
			f.Overfort = true
		case SendtFagsystem, SendingFullfort, SendtBevist:
			f.Overtatt, f.Avsluttet = true, true
		case SendingAvvist, SendingOppgitt:
			f.Avsluttet = true
		case SendtPrint, BrevEtterLevert:
			f.Overtatt = true
		case BrevPostlagt, PostlagtEtterLevert:
			f.Overtatt, f.Avsluttet = true, true
		case BrevAvvist, AvvistEtterLevert, BrevIRetur, ReturEtterLevert, BrevAvbestilt, BekreftetAvbestilt:
			f.Avsluttet = true
		}
	}
	return ut
}

// FinnForsok gives the attempt with the id.
func (m Melding) FinnForsok(id ForsokID) (Forsok, bool) {
	for _, f := range m.Forsokene() {
		if f.ID == id {
			return f, true
		}
	}
	return Forsok{}, false
}

// ApneForsok lists attempts of a kind that are begun and not ended.
func (m Melding) ApneForsok(art Forsoksart) []Forsok {
	var ut []Forsok
	for _, f := range m.Forsokene() {
		if f.Art == art && !f.Avsluttet {
			ut = append(ut, f)
		}
	}
	return ut
}

// NesteForsok is the id the next attempt of a kind will have.
func (m Melding) NesteForsok(art Forsoksart) ForsokID {
	n := 1
	for _, f := range m.Forsokene() {
		if f.Art == art {
			n++
		}
	}
	return NyForsokID(m.Fakta.ID, string(art), n)
}

// Hold says whether an operator has stopped erasure.
func (m Melding) Hold() bool { return m.Antall(HoldSatt) > m.Antall(HoldLoftet) }

// InnholdErSlettet says whether the content is gone.
func (m Melding) InnholdErSlettet() bool { return m.Har(InnholdSlettet) }
