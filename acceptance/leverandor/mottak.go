// Package leverandor is what a case system's vendor writes to receive reports with the portal's own formats: [Mottak.Apne]
// for a message of type bekymringsmelding, [Mottak.Feilet] for the body of the answer when it cannot be taken in. The
// answer mottatt has no body. Copy it: it is an example that is compiled and tested, and not a library.
//
// Behind adapters/cms and adapters/asice lie golang.org/x/crypto and github.com/smallstep/pkcs7, and nothing else.
package leverandor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// ErrIkkeRapport: the package is whole and signed, and does not hold a report.
var ErrIkkeRapport = errors.New("leverandor: pakken er ikke en bekymringsmelding")

// Rapport is one report, every byte of it under the signature. Keep it in memory until it lies in the case archive, and
// out of logs and temporary files: Klartekst prints as [skjult] to help with that.
type Rapport struct {
	JSON melding.Klartekst // the structured report, for the case system's own fields
	PDF  melding.Klartekst // the same as a document, for the archive

	// Avsender signed the package. Read checks that the signature is this certificate's; whether that is somebody you
	// take reports from is yours to judge.
	Avsender *x509.Certificate
	// SHA1 says that the signature is made with SHA-1, as KS's Java client still does.
	SHA1 bool
}

// Mottak receives for one account.
type Mottak struct {
	nokler *cms.Opener
	pakker *asice.Packer
	portal melding.Mottakernokkel
}

// NyttMottak needs the account's keys, newest first (keep an old one as long as reports sealed for it may come), what
// signs your answers, and the portal's certificate out of the catalogue.
func NyttMottak(nokler []cms.Key, signerer *asice.Packer, portal *x509.Certificate) *Mottak {
	return &Mottak{
		nokler: cms.NewOpener(nokler...),
		pakker: signerer,
		portal: melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: portal.Raw},
	}
}

// Apne opens one received message and verifies all of it. Answer mottatt when the report lies safely in the archive, and
// not before: from then on nobody else has it. After an error answer feilet at once, so that the report goes out on
// paper instead. cms.ErrDecrypt says that it was not sealed for your keys, or is damaged; an error in asice that the
// package is not what its sender signed.
func (m *Mottak) Apne(ctx context.Context, innhold []byte) (Rapport, error) {
	pakke, err := m.nokler.Open(ctx, melding.ForsegletBytes(melding.X509, innhold))
	if err != nil {
		return Rapport{}, fmt.Errorf("open: %w", err)
	}
	c, err := asice.Read(pakke)
	if err != nil {
		return Rapport{}, fmt.Errorf("read package: %w", err)
	}
	r := Rapport{Avsender: c.Signer, SHA1: c.SHA1}
	for _, f := range c.Filer {
		switch f.Navn {
		case protokoll.FilJSON:
			r.JSON = f.Innhold
		case protokoll.FilPDF:
			r.PDF = f.Innhold
		}
	}
	if r.JSON.Storrelse() == 0 || r.PDF.Storrelse() == 0 {
		return Rapport{}, ErrIkkeRapport
	}
	return r, nil
}

// Feilet makes the body of a feilet answer: feilmelding.json in a signed package, sealed for the portal. The reason is
// read by people and counted; it says what went wrong here, never anything out of the report.
func (m *Mottak) Feilet(ctx context.Context, grunn string) ([]byte, error) {
	feil := protokoll.Feilmelding{Melding: grunn}
	pakke, err := m.pakker.Pack(ctx, []melding.Fil{{Navn: protokoll.FilFeilmelding, Innhold: melding.NyKlartekst(feil.JSON())}})
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	f, err := cms.Sealer{}.Seal(pakke, m.portal)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return f.Bytes()
}
