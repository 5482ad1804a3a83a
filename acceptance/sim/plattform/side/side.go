// Package side is the simulator's admin page: a person sees accounts, queues and messages, answers in a receiver's name, and makes
// things go wrong. It is plain HTML that works without JavaScript and loads nothing from elsewhere.
//
// Whoever reaches it reads and answers everything, so it serves loopback only: a Host that is not (DNS rebinding), or a POST from
// another site (CSRF), is refused.
package side

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
	"portal.example/bekymringsmelding/acceptance/sim/loopback"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Config is what the page needs.
type Config struct {
	Plattform *plattform.Plattform
	Fagsystem func(kontoID string) string // the character of an account's case system; "" = none. nil = none anywhere
	// Avsender is the account that made-up reports are sent from; "" = they are not sent from here. Where a portal is running, it would be
	// answered for reports it never sent. Versjon is what an account reads; nil = V2 everywhere.
	Avsender string
	Versjon  func(kontoID string) melding.Versjon
}

var (
	//go:embed side.html
	malHTML string
	//go:embed stil.css
	stilCSS []byte
	mal     = template.Must(template.New("").Funcs(template.FuncMap{"kort": kort, "tid": tid, "storrelse": storrelse, "sekunder": sekunder, "varighet": varighet}).Parse(malHTML))
)

const maksVist = 100 // messages on the front page

type side struct{ c Config }

// Ny gives the page. It serves /, /stil.css, /meldinger/{id} and the forms below them.
func Ny(c Config) (http.Handler, error) {
	if c.Plattform == nil {
		return nil, errors.New("side: trenger Plattform")
	}
	if c.Fagsystem == nil {
		c.Fagsystem = func(string) string { return "" }
	}
	if c.Versjon == nil {
		c.Versjon = func(string) melding.Versjon { return melding.V2 }
	}
	s := &side{c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.forside)
	mux.HandleFunc("GET /stil.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(stilCSS)
	})
	mux.HandleFunc("GET /meldinger/{id}", s.melding)
	mux.HandleFunc("POST /meldinger/{id}/svar", s.svar)
	mux.HandleFunc("POST /meldinger/{id}/ko", s.ko)
	mux.HandleFunc("POST /kontoer/{id}/neste", s.neste)
	mux.HandleFunc("POST /kontoer/{id}/prove", s.prove)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { feil(w, http.StatusNotFound, "Siden finnes ikke.") })
	trygg := http.NewCrossOriginProtection()
	trygg.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		feil(w, http.StatusForbidden, "Skjemaet kom fra et annet nettsted.")
	}))
	beskyttet := trygg.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		if !loopback.Vert(r.Host) {
			feil(w, http.StatusMisdirectedRequest, "Siden vises bare på denne maskinen, som 127.0.0.1 eller localhost.")
			return
		}
		beskyttet.ServeHTTP(w, r)
	}), nil
}

// kontorad is one account on the front page.
type kontorad struct {
	plattform.Konto
	Fagsystem string
	Status    broker.Status
	StatusOK  bool
	Neste     plattform.Virkning
	HarNeste  bool
	KanProves bool // a made-up report can be sent to it
}

// meldingsrad is one message, on the front page and on its own.
type meldingsrad struct {
	plattform.Loggfort
	FraNavn, TilNavn string
	Venter           bool // nobody has taken it: the queue's buttons work
	Hentet           bool // somebody has, or had; false when the broker cannot tell
	KanSvares        bool
	KanFeile         bool // with a reason: the account's key is known
}

func (s *side) forside(w http.ResponseWriter, r *http.Request) {
	var kontoer []kontorad
	for _, k := range s.c.Plattform.Kontoer() {
		rad := kontorad{Konto: k, Fagsystem: s.c.Fagsystem(k.ID), Neste: s.c.Plattform.Neste(k.ID)}
		st, err := s.c.Plattform.Ko(r.Context(), k.ID)
		rad.Status, rad.StatusOK, rad.HarNeste = st, err == nil, rad.Neste != (plattform.Virkning{})
		rad.KanProves = s.c.Avsender != "" && k.ID != s.c.Avsender && !k.Stengt && k.Sertifikat != nil
		kontoer = append(kontoer, rad)
	}
	vis(w, http.StatusOK, "forside", map[string]any{"Kontoer": kontoer, "Prove": s.c.Avsender != "", "Meldinger": s.rader(s.c.Plattform.Logg(maksVist)...)})
}

func (s *side) rader(logg ...plattform.Loggfort) (ut []meldingsrad) {
	vetKo := false
	navn, nokkel, venter := map[string]string{}, map[string]bool{}, map[string]bool{}
	for _, k := range s.c.Plattform.Kontoer() {
		navn[k.ID], nokkel[k.ID] = k.Navn, k.Nokkel != nil
		ids, ok := s.c.Plattform.Venter(k.ID)
		vetKo = vetKo || ok
		for _, id := range ids {
			venter[id] = true
		}
	}
	for _, l := range logg {
		ut = append(ut, meldingsrad{Loggfort: l, FraNavn: navn[l.Fra], TilNavn: navn[l.Til], Venter: venter[l.MeldingID],
			Hentet: vetKo && l.Tilstand == plattform.IKo && !venter[l.MeldingID], KanSvares: !protokoll.ErKvittering(l.Meldingstype), KanFeile: nokkel[l.Til]})
	}
	return ut
}

// filvisning is one file of an opened message.
type filvisning struct {
	Navn      string
	Storrelse int64
	JSON      string // "" = not JSON
}

func (s *side) melding(w http.ResponseWriter, r *http.Request) {
	l, ok := s.c.Plattform.Melding(r.PathValue("id"))
	if !ok {
		feil(w, http.StatusNotFound, "Meldingen er ikke i loggen.")
		return
	}
	filer, err := s.c.Plattform.Apne(l.MeldingID)
	var vist []filvisning
	for _, f := range filer {
		v := filvisning{Navn: f.Navn, Storrelse: int64(len(f.Innhold.Bytes()))}
		var pen bytes.Buffer
		if strings.HasSuffix(f.Navn, ".json") && json.Indent(&pen, f.Innhold.Bytes(), "", "  ") == nil {
			v.JSON = pen.String()
		}
		vist = append(vist, v)
	}
	rad := s.rader(l)[0]
	vis(w, http.StatusOK, "melding", map[string]any{"M": rad, "Filer": vist, "Uapnet": uapnet(err, rad)})
}

// uapnet says why a message's content is not shown; "" = it is, or there is none.
func uapnet(err error, m meldingsrad) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, plattform.ErrUtenNokkel):
		s := "Innholdet er kryptert, og bare " + m.TilNavn + " kan åpne det: mottakeren har laget nøkkelen sin selv, og simulatoren har bare den offentlige delen."
		if protokoll.Kanonisk(m.Meldingstype) == protokoll.Feilet {
			s += " Er mottakeren portalen, viser kommandoen «portal svar» hva fagsystemet skrev."
		}
		return s
	case errors.Is(err, plattform.ErrAnnenNokkel):
		return "Innholdet kan ikke åpnes med nøkkelen til " + m.TilNavn + ". Det er kryptert for en annen nøkkel, eller ødelagt."
	case errors.Is(err, plattform.ErrGlemt):
		return "Innholdet er ikke lenger i minnet. Simulatoren husker bare innholdet i de nyeste meldingene."
	}
	return "Innholdet er dekryptert, men det er ikke en gyldig ASiC-E: mottakeren kan ikke lese det."
}

func (s *side) prove(w http.ResponseWriter, r *http.Request) {
	if s.c.Avsender == "" {
		feil(w, http.StatusNotFound, "Prøvemeldinger sendes ikke herfra. Send gjennom portalen.")
		return
	}
	id, err := s.c.Plattform.Prove(r.Context(), s.c.Avsender, r.PathValue("id"), s.c.Versjon(r.PathValue("id")))
	if err != nil {
		feil(w, http.StatusConflict, "Prøvemeldingen kunne ikke sendes ("+err.Error()+").")
		return
	}
	tilbake(w, r, "/meldinger/"+id)
}

func (s *side) svar(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	tekst := strings.TrimSpace(r.PostFormValue("tekst"))
	if err := s.c.Plattform.Svar(r.Context(), id, plattform.Svarslag(r.PostFormValue("slag")), tekst); err != nil {
		feil(w, http.StatusConflict, "Svaret kunne ikke sendes ("+err.Error()+").")
		return
	}
	tilbake(w, r, "/meldinger/"+id)
}

func (s *side) ko(w http.ResponseWriter, r *http.Request) {
	id, ok := r.PathValue("id"), false
	switch r.PostFormValue("gjor") {
	case "utlop":
		ok = s.c.Plattform.UtlopNa(id)
	case "fjern":
		ok = s.c.Plattform.Fjern(id)
	case "forsink":
		if d, gyldig := lesSekunder(r); gyldig {
			ok = s.c.Plattform.Forsink(id, d)
		}
	}
	if !ok {
		feil(w, http.StatusConflict, "Det gikk ikke. Meldingen ligger ikke lenger på køen, eller antallet sekunder er feil.")
		return
	}
	tilbake(w, r, "/meldinger/"+id)
}

func (s *side) neste(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !slices.ContainsFunc(s.c.Plattform.Kontoer(), func(k plattform.Konto) bool { return k.ID == id }) {
		feil(w, http.StatusNotFound, "Kontoen finnes ikke.")
		return
	}
	var v plattform.Virkning
	switch r.PostFormValue("hva") {
	case "normal":
	case "tap":
		v.Tap = true
	case "utlop":
		v.Utlop = true
	case "forsink":
		d, ok := lesSekunder(r)
		if !ok {
			feil(w, http.StatusBadRequest, "Sekunder må være et tall fra 1 til 86400.")
			return
		}
		v.Forsinkelse = d
	default:
		feil(w, http.StatusBadRequest, "Ukjent valg.")
		return
	}
	s.c.Plattform.NesteTil(id, v)
	tilbake(w, r, "/")
}

func lesSekunder(r *http.Request) (time.Duration, bool) {
	n, err := strconv.Atoi(r.PostFormValue("sekunder"))
	return time.Duration(n) * time.Second, err == nil && n >= 1 && n <= 86400
}

// tilbake answers a form, so that reloading the page does not send it again.
func tilbake(w http.ResponseWriter, r *http.Request, sti string) {
	http.Redirect(w, r, sti, http.StatusSeeOther)
}

func feil(w http.ResponseWriter, status int, tekst string) { vis(w, status, "feil", tekst) }

func vis(w http.ResponseWriter, status int, navn string, data any) {
	var ut bytes.Buffer
	if err := mal.ExecuteTemplate(&ut, navn, data); err != nil { // a fault in the template: the tests render every page
		http.Error(w, "siden kunne ikke vises", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(ut.Bytes())
}
