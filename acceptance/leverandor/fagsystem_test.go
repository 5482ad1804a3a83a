package leverandor_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	referanse "portal.example/bekymringsmelding/adapters/fagsystem"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// motta is the whole of a vendor's receiving program, as docs/leverandor.md shows it. The arguments are that system's own.
func motta(ctx context.Context, arkiv referanse.Lager, nokkel cms.Key, rot *tls.Config, token func(context.Context) (string, error)) error {
	pakker, err := asice.NewPacker(nokkel.Decrypter.(crypto.Signer), time.Now, nokkel.Certificate)
	if err != nil {
		return err
	}
	k, err := referanse.New(referanse.Config{
		Konto: kommune.KontoID(os.Getenv("KONTO")), Portalkonto: kommune.KontoID(os.Getenv("PORTALKONTO")), IntegrasjonID: os.Getenv("INTEGRASJON"), Passord: os.Getenv("PASSORD"),
		AMQP: os.Getenv("AMQP"), API: os.Getenv("FIKS"), TLS: rot, Token: token,
		Nokler: []cms.Key{nokkel}, Pakker: pakker, Versjon: melding.V1,
		Lager: arkiv,
		Meld: func(h referanse.Hendelse) {
			slog.Info("fiks io", "hva", h.Art, "rapport", h.ID, "melding", h.MeldingID, "feil", h.Feil)
		},
	})
	if err != nil {
		return err
	}
	k.Motta(ctx) // returns when ctx ends
	return nil
}

func TestAnIncompleteSetUpIsSaidBeforeAnythingIsConnectedTo(t *testing.T) {
	is := is.New(t)
	err := motta(context.Background(), referanse.Mappe(t.TempDir()), nyNokkel(3), nil, func(context.Context) (string, error) { return "", errors.New("ingen") })
	is.True(err != nil)
}

// Receiving adds an AMQP library to what the formats bring, and nothing else.
func TestReferanseklientenDrarLiteMedSeg(t *testing.T) {
	is := is.New(t)
	var tredjepart, portalpakker []string
	for _, linje := range deps(t, portalmodul+"/adapters/fagsystem") {
		modul, pakke, _ := strings.Cut(linje, " ")
		if modul == portalmodul {
			portalpakker = append(portalpakker, strings.TrimPrefix(pakke, modul+"/"))
		} else {
			tredjepart = append(tredjepart, modul)
		}
	}
	slices.Sort(tredjepart)
	slices.Sort(portalpakker)
	is.Equal(slices.Compact(tredjepart), []string{"github.com/rabbitmq/amqp091-go", "github.com/smallstep/pkcs7", "golang.org/x/crypto"})
	is.Equal(portalpakker, []string{"adapters/asice", "adapters/cms", "adapters/fagsystem", "domain/kommune", "domain/melding", "domain/protokoll"})
}
