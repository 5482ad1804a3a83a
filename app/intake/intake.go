// Package intake accepts sealed reports: it judges what can be judged without opening them, and stores report, history, work and
// both parts in one transaction before it says yes.
//
// The answer to the sender is a promise: an id means the report is stored durably and somebody owes its delivery. An error other
// than the sentinels below means unknown; the sender may send the same bytes again and gets the first id.
package intake

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// Refusals. Each means certainly not stored.
var (
	ErrUkjentMottaker = errors.New("ukjent kommune eller bydel")                         // 404
	ErrIkkeDin        = errors.New("organisasjonen finnes ikke for denne integrasjonen") // 404, the same for foreign and unknown (D11)
	ErrManglerTilgang = errors.New("integrasjonen mangler tilgangen")                    // 403
	ErrVersjon        = errors.New("mottakeren støtter ikke versjonen")                  // 400, D7
	ErrNokkel         = errors.New("en del er ikke forseglet for riktig nøkkel")         // 400, D21
	ErrCMS            = errors.New("krypteringen er ikke støttet")                       // 400, D21
	ErrUgyldigCMS     = errors.New("en del er ikke hel CMS")                             // 400
	ErrFull           = errors.New("for lite ledig plass")                               // 503, D20
)

// IdempotensError: the Idempotency-Key was used for other bytes (D10).
type IdempotensError struct{ Forste melding.ID }

func (e *IdempotensError) Error() string {
	return "Idempotency-Key er brukt for melding " + string(e.Forste)
}

// Innsending is one submission as received.
type Innsending struct {
	Fra         kommune.FiksOrgID
	Integrasjon kommune.Integrasjon
	Kommune     kommune.Kommunenummer
	Bydel       kommune.Bydelsnummer
	Slag        melding.Slag
	Versjon     melding.Versjon
	Nokkel      string // Idempotency-Key; "" = none
	PDF, Asice  melding.Forseglet
	SHA         map[melding.Del][32]byte
}

// Config is what a Service needs; every field but Plass and Logg is required.
type Config struct {
	Store     ports.Store
	Directory ports.Directory
	Access    ports.Access
	Certs     ports.Certificates
	Inspector ports.Inspector
	Clock     ports.Clock
	Policy    levering.Policy
	NyID      func(time.Time) melding.ID
	// Plass says how many bytes are free; negative = unknown. Below Reserve new reports are refused (D20).
	Plass   func(context.Context) (int64, error)
	Reserve int64
	Logg    *slog.Logger
	// Tell hears of every event written, for metrics.
	Tell func(melding.Kode)
	// Vekk is called after a commit that owes work now and was not handed over, so that nobody has to poll fast.
	Vekk     func()
	Handover ports.Handover // nil = everything is claimed
}

// Service is the use case. Safe for concurrent use.
type Service struct{ Config }

// New checks nothing but keeps c.
func New(c Config) *Service {
	if c.Logg == nil {
		c.Logg = slog.New(slog.DiscardHandler)
	}
	if c.Vekk == nil {
		c.Vekk = func() {}
	}
	if c.Tell == nil {
		c.Tell = func(melding.Kode) {}
	}
	return &Service{c}
}

// Nokler are the certificates a sender seals for.
type Nokler struct{ Print, Mottaker *x509.Certificate }

// Nokler gives what krypteringsnokler announces for an active bydel.
func (s *Service) Nokler(ctx context.Context, k kommune.Kommunenummer, b kommune.Bydelsnummer) (Nokler, error) {
	konto, err := s.mottaker(ctx, k, b)
	if err != nil {
		return Nokler{}, err
	}
	m, err := s.Certs.Current(ctx, kommune.MottakerEier(konto.Bydel.RessursID))
	if err != nil {
		return Nokler{}, fmt.Errorf("nøkkel for mottaker %s: %w", konto.Bydel.RessursID, utilgjengelig(err))
	}
	p, err := s.Certs.Current(ctx, kommune.Printleverandor)
	if err != nil {
		return Nokler{}, fmt.Errorf("nøkkel for print: %w", utilgjengelig(err))
	}
	return Nokler{Print: p, Mottaker: m}, nil
}

// utilgjengelig keeps a missing key of our own set-up from looking like an unknown receiver.
func utilgjengelig(err error) error {
	if errors.Is(err, ports.ErrNotFound) {
		return ports.ErrUnavailable
	}
	return err
}

// mottaker finds the active bydel and its account.
func (s *Service) mottaker(ctx context.Context, k kommune.Kommunenummer, b kommune.Bydelsnummer) (kommune.Mottakerkonto, error) {
	bydeler, err := s.Directory.Bydeler(ctx, k)
	if err != nil {
		return kommune.Mottakerkonto{}, err
	}
	for _, x := range bydeler {
		if x.Bydelsnummer == b {
			return s.Directory.Mottaker(ctx, x.RessursID)
		}
	}
	return kommune.Mottakerkonto{}, ErrUkjentMottaker
}

// Forhandskontroll judges what is known before the body is read: access, receiver, version and room.
func (s *Service) Forhandskontroll(ctx context.Context, i Innsending) error {
	_, err := s.vurder(ctx, i, ports.Sporsmal{Na: s.Clock.Now(), Omtrent: true})
	return err
}

// vurder asks everything at once. Before the body it may ask about; Motta asks again, exactly: minutes may have passed, and a right
// withdrawn or a bydel closed meanwhile counts.
func (s *Service) vurder(ctx context.Context, i Innsending, q ports.Sporsmal) (ports.Grunnlag, error) {
	q.Integrasjon, q.Fra, q.Kommune, q.Bydel = i.Integrasjon.ID, i.Fra, i.Kommune, i.Bydel
	g, err := s.Access.Grunnlag(ctx, q)
	switch {
	case err != nil:
		return g, err
	// D11: no relation to the organisation looks like an unknown one; a relation without the privilege is told.
	case !g.KanSende && g.KanMotta:
		return g, ErrManglerTilgang
	case !g.KanSende:
		return g, ErrIkkeDin
	case g.Organisasjon == nil:
		return g, fmt.Errorf("organisasjon %s har tilgang og finnes ikke: %w", i.Fra, ports.ErrUnavailable)
	case g.Mottaker == nil:
		return g, ErrUkjentMottaker
	case int(i.Versjon) > g.Mottaker.Bydel.Versjon:
		return g, ErrVersjon
	}
	if s.Plass != nil {
		if ledig, err := s.Plass(ctx); err == nil && ledig >= 0 && ledig < s.Reserve {
			return g, ErrFull
		}
	}
	return g, nil
}

// Motta judges, stores and answers. A crash before the commit leaves nothing; after it, a report that is delivered although the
// sender never heard of it, and that a repeat of the same bytes finds again.
func (s *Service) Motta(ctx context.Context, i Innsending) (melding.ID, error) {
	na := s.Clock.Now()
	g, err := s.vurder(ctx, i, ports.Sporsmal{Na: na,
		Lik: &ports.Likhet{Slag: i.Slag, Asice: i.Asice.Storrelse(), PDF: i.PDF.Storrelse(), Siden: na.Add(-10 * time.Minute)}})
	if err != nil {
		return "", err
	}
	deler, utloptPrint, err := s.segl(i, g, na)
	if err != nil {
		return "", err
	}
	konto := *g.Mottaker
	f := melding.Fakta{
		ID: s.NyID(na), Slag: i.Slag, Versjon: i.Versjon, Kilde: melding.Fagsystem,
		FraFiksOrgID: i.Fra, FraOrgnr: g.Organisasjon.Orgnr, IntegrasjonID: i.Integrasjon.ID,
		TilFiksOrgID: konto.FiksOrgID, Kommune: konto.Bydel.Kommunenummer, Bydel: konto.Bydel.Bydelsnummer,
		RessursID: konto.Bydel.RessursID, Kanal: konto.Kanal, KontoID: konto.KontoID, MuligDublett: g.Lik,
		Innsendt: na, Frist: s.Policy.Frist(konto, na), Deler: deler, Oppbevar: s.Policy.OppbevarFor(konto), UtloptPrint: utloptPrint,
	}
	n := ports.Ny{Fakta: f, Nokkel: i.Nokkel,
		Deler: map[melding.Del]melding.Forseglet{melding.DelPDF: i.PDF, melding.DelAsice: i.Asice}}
	n.Hendelser, n.Oppdrag, n.Saker = levering.Aksepter(f, na)
	// The commit outlives the request: a sender that hangs up now must not decide whether its report is stored.
	ctx = context.WithoutCancel(ctx)
	start, slipp := s.overlat(ctx, &n, g, na)
	defer slipp()
	return s.lagre(ctx, n, start)
}

// lagre stores n. start is called when, and only when, it is there.
func (s *Service) lagre(ctx context.Context, n ports.Ny, start func()) (melding.ID, error) {
	f := n.Fakta
	id, err := s.Store.Create(ctx, n)
	switch {
	case err == nil:
		start()
		s.Logg.InfoContext(ctx, "melding akseptert", "melding", id, "mottaker", f.RessursID, "slag", f.Slag, "versjon", f.Versjon.String())
		for _, h := range n.Hendelser {
			s.Tell(h.Kode)
		}
		for _, sak := range n.Saker {
			s.Logg.ErrorContext(ctx, "sak åpnet", "sak", sak.ID, "art", sak.Art, "melding", id)
		}
		return id, nil
	case errors.Is(err, ports.ErrExists):
		s.Logg.InfoContext(ctx, "samme innsending igjen", "melding", id)
		return id, nil
	case errors.Is(err, ports.ErrConflict):
		return "", &IdempotensError{Forste: id}
	}
	// Unknown: the commit may have happened. Found = accepted; anything else must be asked again by the sender.
	if _, gerr := s.Store.Get(ctx, f.ID); gerr == nil {
		start()
		return f.ID, nil
	}
	// If it comes all the same, it comes with a lease that nobody holds, and is claimed when that has run out.
	return "", fmt.Errorf("lagring av melding %s: %w: %w", f.ID, ports.ErrUnavailable, err)
}

// overlat has this process send the report the instant it is stored, if it has room: the item is born leased to it and, where nothing
// stands against sending, with the attempt begun. start says that it is stored, slipp that what is not started is let go. A process that
// dies with it leaves an attempt begun, which the next one repeats with the same id, and notes.
func (s *Service) overlat(ctx context.Context, n *ports.Ny, g ports.Grunnlag, na time.Time) (start, slipp func()) {
	start, slipp = s.Vekk, func() {}
	if s.Handover == nil {
		return start, slipp
	}
	u := ports.Utgave{Melding: melding.Melding{Fakta: n.Fakta}.Med(n.Hendelser...), Owed: n.Oppdrag}
	o, begynt, ok := levering.SendesStraks(u, *g.Mottaker, g.TilMottaker, s.Policy, na)
	if !ok {
		return start, slipp
	}
	l, ok := s.Handover.Hold(ctx, o)
	if !ok {
		return start, slipp
	}
	l.Begynt = true
	n.Leier, n.Hendelser = []ports.Lease{l}, append(n.Hendelser, begynt)
	startet := false
	return func() { startet = true; s.Handover.Start(l) }, func() {
		if !startet {
			s.Handover.Drop(l)
		}
	}
}

// segl is D21: both parts are whole CMS of an accepted kind, sealed for an accepted certificate and for nobody else.
func (s *Service) segl(i Innsending, g ports.Grunnlag, na time.Time) (map[melding.Del]melding.Delfakta, bool, error) {
	asice, _, err := s.del(i.Asice, g.TilMottaker, g.Mottaker.TarGCM, na)
	if err != nil {
		return nil, false, fmt.Errorf("del %s: %w", melding.DelAsice, err)
	}
	pdf, utlopt, err := s.del(i.PDF, g.TilPrint, false, na)
	if err != nil {
		return nil, false, fmt.Errorf("del %s: %w", melding.DelPDF, err)
	}
	asice.SHA256, pdf.SHA256 = i.SHA[melding.DelAsice], i.SHA[melding.DelPDF]
	return map[melding.Del]melding.Delfakta{melding.DelAsice: asice, melding.DelPDF: pdf}, utlopt, nil
}

func (s *Service) del(f melding.Forseglet, godtatt []*x509.Certificate, gcm bool, na time.Time) (melding.Delfakta, bool, error) {
	d := melding.Delfakta{Storrelse: f.Storrelse(), Forsegling: f.Forsegling()}
	segl, err := s.Inspector.Inspect(f)
	if errors.Is(err, ports.ErrRefused) {
		return d, false, ErrUgyldigCMS
	} else if err != nil {
		return d, false, err
	}
	if ventet := map[bool]string{false: "AES-256-CBC", true: "AES-256-GCM"}[segl.Autentisert]; segl.Algoritme != ventet || segl.Autentisert && !gcm {
		return d, false, ErrCMS
	}
	if len(segl.Mottakere) == 0 {
		return d, false, ErrNokkel
	}
	utlopt := false
	for _, m := range segl.Mottakere {
		c := finn(godtatt, m)
		if c == nil {
			return d, false, ErrNokkel
		}
		if m.RSA != ports.RSAOAEP && m.RSA != ports.RSAPKCS1 {
			return d, false, ErrCMS
		}
		d.Nokkelserie = append(d.Nokkelserie, strings.ToLower(c.SerialNumber.Text(16)))
		utlopt = utlopt || na.After(c.NotAfter)
	}
	return d, utlopt, nil
}

func finn(godtatt []*x509.Certificate, m ports.Seglmottaker) *x509.Certificate {
	for _, c := range godtatt {
		if c.SerialNumber.String() == m.Serie && string(c.RawIssuer) == string(m.Utsteder) {
			return c
		}
	}
	return nil
}
