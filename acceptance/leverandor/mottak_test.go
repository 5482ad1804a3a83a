package leverandor_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/leverandor"
)

var naa = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

var (
	fagsystem = sync.OnceValue(func() cms.Key { return nyNokkel(1) })
	portal    = sync.OnceValue(func() cms.Key { return nyNokkel(2) })
)

func nyNokkel(serie int64) cms.Key {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	mal := &x509.Certificate{SerialNumber: big.NewInt(serie), Subject: pkix.Name{CommonName: "Kastetest"}, NotBefore: naa.AddDate(-1, 0, 0), NotAfter: naa.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, mal, mal, k.Public(), k)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cms.Key{Certificate: c, Decrypter: k}
}

func signerer(k cms.Key) *asice.Packer {
	p, err := asice.NewPacker(k.Decrypter.(crypto.Signer), func() time.Time { return naa }, k.Certificate)
	if err != nil {
		panic(err)
	}
	return p
}

// sendt is what the portal hands over: filer, packed and sealed for the case system.
func sendt(filer ...string) []byte {
	var inn []melding.Fil
	for _, f := range filer {
		inn = append(inn, melding.Fil{Navn: f, Innhold: melding.NyKlartekst([]byte("innhold av " + f))})
	}
	pakke, err := signerer(portal()).Pack(context.Background(), inn)
	if err != nil {
		panic(err)
	}
	return forseglet(pakke)
}

func forseglet(pakke melding.Klartekst) []byte {
	f, err := cms.Sealer{}.Seal(pakke, melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: fagsystem().Certificate.Raw})
	if err != nil {
		panic(err)
	}
	b, err := f.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

// Receiving one message, from its bytes to the answer.
func Example() {
	mottak := leverandor.NyttMottak([]cms.Key{fagsystem()}, signerer(fagsystem()), portal().Certificate)

	innhold := sendt("bekymringsmelding.json", "bekymringsmelding.pdf")
	rapport, err := mottak.Apne(context.Background(), innhold)
	if err != nil {
		body, err := mottak.Feilet(context.Background(), "Pakken kan ikke åpnes")
		fmt.Println("svar feilet.v1", len(body), err)
		return
	}
	fmt.Println("lagre", rapport.JSON.Storrelse(), "og", rapport.PDF.Storrelse(), "byte, signert av", rapport.Avsender.Subject.CommonName)
	fmt.Println("i en logg:", rapport.JSON)
	fmt.Println("svar mottatt.v1")
	// Output:
	// lagre 33 og 32 byte, signert av Kastetest
	// i en logg: [skjult]
	// svar mottatt.v1
}

func TestMottar(t *testing.T) {
	is := is.New(t)
	m := leverandor.NyttMottak([]cms.Key{fagsystem()}, signerer(fagsystem()), portal().Certificate)
	r, err := m.Apne(context.Background(), sendt(protokoll.FilJSON, protokoll.FilPDF))
	is.NoErr(err)
	is.Equal(string(r.JSON.Bytes()), "innhold av "+protokoll.FilJSON)
	is.Equal(string(r.PDF.Bytes()), "innhold av "+protokoll.FilPDF)
	is.True(r.Avsender.Equal(portal().Certificate))
	is.True(!r.SHA1)
}

func TestTarIkkeImotHvaSomHelst(t *testing.T) {
	m := leverandor.NyttMottak([]cms.Key{fagsystem()}, signerer(fagsystem()), portal().Certificate)
	skadet := sendt(protokoll.FilJSON, protokoll.FilPDF)
	skadet[len(skadet)-1]++
	for navn, tc := range map[string]struct {
		mottak  *leverandor.Mottak
		innhold []byte
		feil    error
	}{
		"damaged":        {m, skadet, cms.ErrDecrypt},
		"another's key":  {leverandor.NyttMottak([]cms.Key{portal()}, signerer(fagsystem()), portal().Certificate), sendt(protokoll.FilJSON, protokoll.FilPDF), cms.ErrDecrypt},
		"not a package":  {m, forseglet(melding.NyKlartekst([]byte("støy"))), asice.ErrNotZip},
		"no PDF":         {m, sendt(protokoll.FilJSON), leverandor.ErrIkkeRapport},
		"something else": {m, sendt(protokoll.FilFeilmelding), leverandor.ErrIkkeRapport},
	} {
		t.Run(navn, func(t *testing.T) {
			is := is.New(t)
			r, err := tc.mottak.Apne(context.Background(), tc.innhold)
			is.True(errors.Is(err, tc.feil))
			is.Equal(r.JSON.Storrelse()+r.PDF.Storrelse(), 0)
		})
	}
}

// The portal's side of a feilet answer.
func TestFeilet(t *testing.T) {
	is := is.New(t)
	m := leverandor.NyttMottak([]cms.Key{fagsystem()}, signerer(fagsystem()), portal().Certificate)
	body, err := m.Feilet(context.Background(), `Fødselsnummeret "mangler"`)
	is.NoErr(err)
	pakke, err := cms.NewOpener(portal()).Open(context.Background(), melding.ForsegletBytes(melding.X509, body))
	is.NoErr(err)
	c, err := asice.Read(pakke)
	is.NoErr(err)
	is.True(c.Signer.Equal(fagsystem().Certificate))
	is.Equal(len(c.Filer), 1)
	is.Equal(c.Filer[0].Navn, protokoll.FilFeilmelding)
	f, err := protokoll.ParseFeilmelding(c.Filer[0].Innhold.Bytes())
	is.NoErr(err)
	is.Equal(f.Melding, `Fødselsnummeret "mangler"`)
}
