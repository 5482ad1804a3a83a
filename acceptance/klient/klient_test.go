// The tests of the generated client: it is what oapi-codegen makes of the OpenAPI 3.0 file, it compiles, and it sends a report.
// A module of its own, so that what generated code needs never enters the portal's go.mod.
package klient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/klient"
	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// The checked-in client is the one of the checked-in OpenAPI file; ./generer makes it anew.
func TestKlientenErNy(t *testing.T) {
	is := is.New(t)
	oa, err := os.ReadFile("../../contracts/openapi/openapi-3.0.json")
	is.NoErr(err)
	sum := sha256.Sum256(oa)
	notert, err := os.ReadFile("openapi-3.0.sha256")
	is.NoErr(err)
	is.Equal(strings.TrimSpace(string(notert)), hex.EncodeToString(sum[:])) // run ./generer

	verktoy, err := exec.LookPath("oapi-codegen")
	krevd := slices.Contains(strings.Split(os.Getenv("KREV"), ","), "oapi-codegen")
	ny := filepath.Join(t.TempDir(), "klient.gen.go")
	switch {
	case krevd:
		ut, err := exec.CommandContext(t.Context(), "./generer", ny).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, ut)
		}
	case err == nil:
		ut, err := exec.CommandContext(t.Context(), verktoy, "-config", "oapi-codegen.yaml", "-o", ny, "../../contracts/openapi/openapi-3.0.json").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, ut)
		}
	default:
		t.Skip("oapi-codegen mangler")
	}
	gammel, err := os.ReadFile("klient.gen.go")
	is.NoErr(err)
	b, err := os.ReadFile(ny)
	is.NoErr(err)
	is.True(bytes.Equal(gammel, b)) // run ./generer
}

const (
	org         = "2454acc9-e500-45c3-a570-ba9f8469279c"
	integrasjon = "64bfc8f7-cc77-4787-8dc8-7a5b311791c2"
	id          = "0199a5a0-0000-7000-8000-000000000001"
)

func TestKlientenSender(t *testing.T) {
	is := is.New(t)
	f := &falsk{}
	api, err := producerapi.New(producerapi.Config{
		Inntak: f, Oversikt: f, Katalog: f, Integrasjoner: f, Tokens: f, PassordMAC: mac, Clock: f, Mappe: t.TempDir(),
	})
	is.NoErr(err)
	srv := httptest.NewServer(api)
	defer srv.Close()
	k, err := klient.NewClientWithResponses(srv.URL, klient.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer token")
		r.Header.Set("IntegrasjonId", integrasjon)
		r.Header.Set("IntegrasjonPassord", "passord")
		return nil
	}))
	is.NoErr(err)

	bydeler, err := k.ListBydelerV2WithResponse(t.Context(), "4601")
	is.NoErr(err)
	is.Equal(*bydeler.JSON200, []klient.BydelV2{{Bydelsnummer: "01", Bydelsnavn: "Åsane", StandardMottaker: true, StottetVersjon: klient.V2}})

	kropp, type_ := skjema(is)
	nokkel := "forsøk-1"
	feil, err := k.SendOffentligV2WithBodyWithResponse(t.Context(), uuid.MustParse(org), "4601", "01", &klient.SendOffentligV2Params{IdempotencyKey: &nokkel}, type_, bytes.NewReader(kropp))
	is.NoErr(err)
	is.Equal(*feil.JSON400.ErrorCode, "UGYLDIG_IDEMPOTENSNOKKEL")
	nokkel = "1"
	svar, err := k.SendOffentligV2WithBodyWithResponse(t.Context(), uuid.MustParse(org), "4601", "01", &klient.SendOffentligV2Params{IdempotencyKey: &nokkel}, type_, bytes.NewReader(kropp))
	is.NoErr(err)
	is.Equal(svar.StatusCode(), http.StatusCreated)
	is.Equal(svar.JSON201.Uuid.String(), id)
	is.Equal(f.mottatt, map[melding.Del]string{melding.DelPDF: "pdf", melding.DelAsice: "asice"})

	status, err := k.HentStatusV2WithResponse(t.Context(), uuid.MustParse(org), svar.JSON201.Uuid)
	is.NoErr(err)
	is.Equal((*status.JSON200)[0].Tilstand, "AKSEPTERT")
	is.Equal((*status.JSON200)[0].Tidspunkt, "2026-11-22T13:00:00")
}

func skjema(is *is.I) ([]byte, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, d := range [][2]string{{"bekymringsmelding", "pdf"}, {"asice", "asice"}} {
		p, err := w.CreateFormFile(d[0], d[0])
		is.NoErr(err)
		_, err = io.WriteString(p, d[1])
		is.NoErr(err)
	}
	is.NoErr(w.Close())
	return b.Bytes(), w.FormDataContentType()
}

func mac(p string) []byte { s := sha256.Sum256([]byte(p)); return s[:] }

// falsk stands behind the API.
type falsk struct{ mottatt map[melding.Del]string }

func (*falsk) Now() time.Time                                  { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
func (*falsk) At(time.Time) (fired <-chan time.Time, s func()) { return nil, func() {} }
func (*falsk) Konsument(_ context.Context, token string) (kommune.Orgnr, error) {
	if token != "token" {
		return "", ports.ErrRefused
	}
	return "312345678", nil
}
func (*falsk) Integrasjon(context.Context, kommune.IntegrasjonID) (kommune.Integrasjon, error) {
	return kommune.Integrasjon{ID: integrasjon, Orgnr: "312345678", PassordMAC: mac("passord"), Aktiv: true}, nil
}
func (*falsk) Forhandskontroll(context.Context, intake.Innsending) error { return nil }
func (f *falsk) Motta(_ context.Context, i intake.Innsending) (melding.ID, error) {
	pdf, err := i.PDF.Bytes()
	if err != nil {
		return "", err
	}
	asice, err := i.Asice.Bytes()
	f.mottatt = map[melding.Del]string{melding.DelPDF: string(pdf), melding.DelAsice: string(asice)}
	return id, err
}
func (*falsk) Nokler(context.Context, kommune.Kommunenummer, kommune.Bydelsnummer) (intake.Nokler, error) {
	return intake.Nokler{}, intake.ErrUkjentMottaker
}
func (f *falsk) Status(context.Context, kommune.FiksOrgID, kommune.IntegrasjonID, melding.ID) ([]melding.Hendelse, error) {
	return []melding.Hendelse{{Tidspunkt: f.Now(), Art: melding.Overgang, Tilstand: melding.AKSEPTERT, Kode: melding.Akseptert}}, nil
}
func (*falsk) Kommuner(context.Context) ([]kommune.Kommune, error) { return nil, nil }
func (*falsk) Bydeler(context.Context, kommune.Kommunenummer) ([]kommune.Bydel, error) {
	return []kommune.Bydel{{Bydelsnummer: "01", Navn: kommune.Navn{"nb": "Åsane"}, StandardMottaker: true, Versjon: 2, Aktiv: true}}, nil
}
