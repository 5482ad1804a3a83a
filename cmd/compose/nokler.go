package compose

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/adapters/keystore"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/app/delivery"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

// The key of the portal's own account: what answers with a body are sealed for.
const (
	portalBits   = 3072
	portalGyldig = 2 * 365 * 24 * time.Hour // SjekkNokler calls a person 60 days before
)

// svargrenser are far above a feilmelding and its signature, and far below what 64 KiB can be inflated to.
var svargrenser = asice.Limits{Entries: 16, File: 1 << 20, Total: 2 << 20}

// apneNokler opens the folder of the platform's private keys.
func apneNokler(cfg Config) (ports.KeyStore, error) {
	if cfg.Nokler == "" {
		return nil, fmt.Errorf("%w: --nokler er ikke oppgitt", ErrConfig)
	}
	hemmelig, err := base64.StdEncoding.DecodeString(strings.TrimSpace(cfg.NokkelHemmelighet))
	if err != nil || len(hemmelig) < 32 {
		return nil, fmt.Errorf("%w: PORTAL_NOKKEL_HEMMELIGHET må være minst 32 byte som base64: den mappen ble laget med (til en ny mappe: openssl rand -base64 32)", ErrConfig)
	}
	s, err := keystore.Open(keystore.Config{Mappe: cfg.Nokler, Gyldighet: portalGyldig, Klokke: cfg.klokke()}, hemmelig)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return s, nil
}

func (c Config) klokke() ports.Clock {
	if c.Deler.Clock != nil {
		return c.Deler.Clock
	}
	return sysclock.Clock{}
}

// portalnokkel sees to it that the portal's own account has a key, and that it is here: it makes and announces the first one, and never
// replaces one. Two replicas that start together on an empty folder may make two; the last announced is in use, and
// the other is accepted for the overlap.
func portalnokkel(ctx context.Context, k ports.KeyStore, sert ports.Certificates, na time.Time) (ports.Handle, error) {
	c, err := sert.Current(ctx, kommune.Portalen)
	switch {
	case err == nil:
		h, err := k.Private(ctx, c)
		if errors.Is(err, ports.ErrNotFound) {
			// Not made anew: this is the wrong folder, and answers are sealed for the key that lies in the right one.
			return nil, fmt.Errorf("%w: nøkkelen til portalens sertifikat %s er ikke i mappen", ErrConfig, c.SerialNumber.Text(16))
		}
		return h, err
	case !errors.Is(err, ports.ErrNotFound):
		return nil, err
	}
	h, err := k.New(ctx, kommune.Portalen, portalBits)
	if err != nil {
		return nil, err
	}
	// A crash here leaves a key nothing is sealed for; the next start makes another.
	return h, sert.Announce(ctx, kommune.Portalen, h.Sertifikat(), na)
}

// BytterNokkel begins a change of the key of the portal's own account, for a command.
func BytterNokkel(ctx context.Context, cfg Config, l Lager, hvem, grunn string) (delivery.Nokkelbytte, error) {
	k, err := apneNokler(cfg)
	if err != nil {
		return delivery.Nokkelbytte{}, err
	}
	d := delivery.New(delivery.Config{Ledger: l, Certs: l, Overview: l, Clock: cfg.klokke()})
	return d.NyEgenNokkel(ctx, k, portalBits, hvem, grunn)
}

// ErrUleselig says that an answer's body cannot be read with the platform's keys, or is no feilmelding.
var ErrUleselig = errors.New("svaret kan ikke leses")

// Svarleser reads the bodies of answers with the keys of the portal's own account.
type Svarleser struct {
	nokler ports.KeyStore
	sert   ports.Certificates
}

// NySvarleser opens the key folder that cfg names, for a command.
func NySvarleser(cfg Config, sert ports.Certificates) (*Svarleser, error) {
	k, err := apneNokler(cfg)
	if err != nil {
		return nil, err
	}
	return &Svarleser{k, sert}, nil
}

// Les opens an answer that came at nar, verifies the container and gives the feilmelding in it. ErrUleselig whatever is wrong with the
// answer; any other error is the store's or the folder's and says nothing about it.
func (l *Svarleser) Les(ctx context.Context, f melding.Forseglet, nar time.Time) (protokoll.Feilmelding, error) {
	klar, err := cms.NewOpenerFunc(func(ctx context.Context) ([]cms.Key, error) { return l.noklene(ctx, nar) }).Open(ctx, f)
	if errors.Is(err, cms.ErrDecrypt) {
		return protokoll.Feilmelding{}, ErrUleselig
	} else if err != nil {
		return protokoll.Feilmelding{}, err
	}
	c, err := svargrenser.Read(klar)
	if err != nil {
		return protokoll.Feilmelding{}, ErrUleselig
	}
	for _, fil := range c.Filer {
		if fil.Navn != protokoll.FilFeilmelding {
			continue
		}
		if m, err := protokoll.ParseFeilmelding(fil.Innhold.Bytes()); err == nil {
			return m, nil
		}
	}
	return protokoll.Feilmelding{}, ErrUleselig
}

// noklene are the portal's keys that an answer at nar may be sealed for: while a change is under way also the one it is about to have,
// which the catalogue may have given somebody already. Accepted goes back an overlap from the instant it is given, so an old answer
// still finds the key that has been replaced since.
func (l *Svarleser) noklene(ctx context.Context, nar time.Time) ([]cms.Key, error) {
	serter, err := l.sert.Accepted(ctx, kommune.Portalen, nar)
	if err != nil {
		return nil, err
	}
	neste, err := l.sert.Accepted(ctx, kommune.PortalenNeste, nar)
	if err != nil {
		return nil, err
	}
	for _, c := range neste {
		if !slices.ContainsFunc(serter, c.Equal) {
			serter = append(serter, c)
		}
	}
	var ut []cms.Key
	for _, c := range serter {
		h, err := l.nokler.Private(ctx, c)
		if errors.Is(err, ports.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		ut = append(ut, cms.Key{Certificate: c, Decrypter: h})
	}
	return ut, nil
}

// lesbar says of an answer's body whether anybody can read why a report was rejected. It is counted and never needed: a store that does
// not answer now makes it unreadable, not the answer lost.
func (s *System) lesbar(nokler ports.KeyStore) func(context.Context, melding.Forseglet) melding.Arsak {
	l := &Svarleser{nokler, s.Lager}
	return func(ctx context.Context, f melding.Forseglet) melding.Arsak {
		if f.Tom() {
			return melding.ArsakSvarTomt
		}
		if _, err := l.Les(ctx, f, s.clock.Now()); err != nil {
			return melding.ArsakSvarUleselig
		}
		return melding.ArsakSvarLesbart
	}
}
