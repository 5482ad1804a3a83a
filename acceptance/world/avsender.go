package world

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/eksempel"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/skjema"
)

// Avsender is a case system that sends reports through the public API, as a vendor would write it: it knows the portal only by URL.
type Avsender struct {
	API   string // …/bekymringsmelding
	Data  Avsenderdata
	Token func(context.Context) (string, error)
	Na    func() time.Time
	HTTP  *http.Client
}

// Feil is an answer that was not a success: KS's error body.
type Feil struct {
	Status    int             `json:"status"`
	ErrorCode string          `json:"errorCode"`
	Message   string          `json:"message"`
	ErrorJSON json.RawMessage `json:"errorJson"`
	Header    http.Header     `json:"-"`
}

func (f *Feil) Error() string { return fmt.Sprintf("%d %s: %s", f.Status, f.ErrorCode, f.Message) }

// Nokler are the certificates to seal for.
type Nokler struct{ Print, Mottaker *x509.Certificate }

// Sending is one sealed report, ready to be posted, and posted again, byte for byte.
type Sending struct {
	Kommune, Bydel string
	Slag           melding.Slag
	Versjon        melding.Versjon
	PDF, Asice     []byte
	Nokkel         string // Idempotency-Key
}

// Hent makes one call and decodes the answer into ut.
func (a *Avsender) Hent(ctx context.Context, sti string, ut any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.API+sti, nil)
	if err != nil {
		return err
	}
	return a.Kall(req, ut)
}

// Kall adds the three headers and reads the answer.
func (a *Avsender) Kall(req *http.Request, ut any) error {
	token, err := a.Token(req.Context())
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("IntegrasjonId", a.Data.IntegrasjonID)
	req.Header.Set("IntegrasjonPassord", a.Data.Passord)
	klient := a.HTTP
	if klient == nil {
		klient = http.DefaultClient
	}
	res, err := klient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		f := &Feil{Status: res.StatusCode, Header: res.Header}
		if err := json.Unmarshal(b, f); err != nil {
			return fmt.Errorf("%d uten KS sin feilkropp: %w", res.StatusCode, err)
		}
		return f
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // as strict as KS's Java client
	return d.Decode(ut)
}

// HentNokler fetches what to seal for.
func (a *Avsender) HentNokler(ctx context.Context, kommunenr, bydel string) (Nokler, error) {
	type nokkel struct {
		Nokkel, ValidFrom, ValidTo, Serial, SubjectDN, IssuerDN string
	}
	var svar struct{ PrintOffentligNokkel, FiksIOOffentligNokkel nokkel }
	if err := a.Hent(ctx, "/api/v1/mottak/fagsystem/"+kommunenr+"/"+bydel+"/krypteringsnokler", &svar); err != nil {
		return Nokler{}, err
	}
	p, err := sertifikat(svar.PrintOffentligNokkel.Nokkel)
	if err != nil {
		return Nokler{}, err
	}
	m, err := sertifikat(svar.FiksIOOffentligNokkel.Nokkel)
	return Nokler{Print: p, Mottaker: m}, err
}

func sertifikat(s string) (*x509.Certificate, error) {
	p, _ := pem.Decode([]byte(s))
	if p == nil {
		return nil, errors.New("svaret har ikke et PEM-sertifikat")
	}
	return x509.ParseCertificate(p.Bytes)
}

// Forsegl packs JSON and PDF as KS's clients do: the PDF sealed for the printer, and both in an ASiC-E sealed for the receiver.
func (a *Avsender) Forsegl(ctx context.Context, n Nokler, s Sending, dokument, pdf melding.Klartekst) (Sending, error) {
	pakker, err := asice.NewPacker(a.Data.Sert.Nokkel, a.Na, a.Data.Sert.Cert)
	if err != nil {
		return s, err
	}
	pakke, err := pakker.Pack(ctx, []melding.Fil{{Navn: protokoll.FilJSON, Innhold: dokument}, {Navn: protokoll.FilPDF, Innhold: pdf}})
	if err != nil {
		return s, err
	}
	if s.Asice, err = forsegl(pakke, n.Mottaker); err != nil {
		return s, err
	}
	s.PDF, err = forsegl(pdf, n.Print)
	return s, err
}

func forsegl(k melding.Klartekst, c *x509.Certificate) ([]byte, error) {
	f, err := cms.Sealer{}.Seal(k, melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: c.Raw})
	if err != nil {
		return nil, err
	}
	return f.Bytes()
}

// Post submits s and gives the id.
func (a *Avsender) Post(ctx context.Context, s Sending) (melding.ID, error) {
	req, err := a.Foresporsel(ctx, s)
	if err != nil {
		return "", err
	}
	var svar struct{ UUID string }
	if err := a.Kall(req, &svar); err != nil {
		return "", err
	}
	return melding.ParseID(svar.UUID)
}

// Foresporsel is the POST with KS's part headers, unsent.
func (a *Avsender) Foresporsel(ctx context.Context, s Sending) (*http.Request, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, d := range []struct {
		navn, fil string
		innhold   []byte
	}{{protokoll.DelPDF, protokoll.FilPDF, s.PDF}, {protokoll.DelAsice, protokoll.FilAsice, s.Asice}} {
		h := textproto.MIMEHeader{}
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; filename="%s"; name="%s"`, d.fil, d.navn))
		p, err := w.CreatePart(h)
		if err != nil {
			return nil, err
		}
		if _, err := p.Write(d.innhold); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	sti := strings.Join([]string{a.API, "api", s.Versjon.String(), "mottak/fagsystem", a.Data.FiksOrgID, s.Kommune, s.Bydel, string(s.Slag)}, "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sti, &b)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	if s.Nokkel != "" {
		req.Header.Set("Idempotency-Key", s.Nokkel)
	}
	return req, nil
}

// Statusrad is one line of the history as the sender sees it.
type Statusrad struct {
	BekymringsmeldingID string `json:"bekymringsmeldingId"`
	Tidspunkt           string `json:"tidspunkt"`
	Tilstand            string `json:"tilstand"`
	Beskrivelse         string `json:"beskrivelse"`
}

// Status asks for the history.
func (a *Avsender) Status(ctx context.Context, id melding.ID) ([]Statusrad, error) {
	var ut []Statusrad
	err := a.Hent(ctx, "/api/v2/mottak/fagsystem/"+a.Data.FiksOrgID+"/bekymringsmelding/"+string(id)+"/status", &ut)
	return ut, err
}

// Eksempel is the form's own sample with a matching PDF, addressed as s says and sealed for n.
func Eksempel(ctx context.Context, a *Avsender, n Nokler, s Sending, kommunenavn, bydelsnavn string) (Sending, error) {
	m := skjema.Mottaker{Kommunenummer: kommune.Kommunenummer(s.Kommune), Kommunenavn: kommunenavn, Bydelsnummer: kommune.Bydelsnummer(s.Bydel), Bydelsnavn: bydelsnavn}
	var dok skjema.Dokument
	if s.Slag == melding.Privat {
		d := skjema.EksempelPrivat()
		d.Mottaker, d.Sendingstidspunkt, d.Leveringskanal = m, a.Na(), a.Data.Navn
		dok = d
	} else {
		d := skjema.EksempelOffentlig(s.Versjon)
		d.Mottaker, d.Sendingstidspunkt, d.Leveringskanal = m, a.Na(), a.Data.Navn
		dok = d
	}
	j, err := dok.JSON()
	if err != nil {
		return s, err
	}
	pdf := eksempel.PDF("Bekymringsmelding (prøve)", "Mottaker: "+kommunenavn+", "+bydelsnavn, "Meldt av: "+a.Data.Navn, "",
		"Dette er en oppdiktet melding som bare brukes til å vise hvordan portalen virker.", "Alle navn og nummer er laget for prøver.")
	return a.Forsegl(ctx, n, s, j, melding.NyKlartekst(pdf))
}
