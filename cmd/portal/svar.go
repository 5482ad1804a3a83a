package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/ports"
)

type svarCmd struct {
	lagervalg
	mappevalg
	ID string `arg:"" name:"melding-id" help:"Meldingens id."`
}

// errIkkeTerminal: what a case system wrote may quote the report, and plaintext is never written to disk, a pipe or a log.
var errIkkeTerminal = errors.New("teksten i et svar vises bare i en terminal: den skal ikke lagres eller sendes videre")

func (c *svarCmd) Run(ctx context.Context) (err error) {
	if i, ferr := os.Stdout.Stat(); ferr != nil || i.Mode()&os.ModeCharDevice == 0 {
		return errIkkeTerminal
	}
	return c.vis(ctx, os.Stdout)
}

func (c *svarCmd) vis(ctx context.Context, w io.Writer) (err error) {
	id, err := melding.ParseID(c.ID)
	if err != nil {
		return fmt.Errorf("oppgi meldingens id: %w", err)
	}
	cfg := c.med(c.config())
	l, err := compose.LesLager(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	leser, err := compose.NySvarleser(cfg, l)
	if err != nil {
		return err
	}
	return visSvar(ctx, w, l, leser, id)
}

type svarleser interface {
	Les(ctx context.Context, f melding.Forseglet, nar time.Time) (protokoll.Feilmelding, error)
}

// visSvar prints the body of every answer that was kept. It goes to w and nowhere else.
func visSvar(ctx context.Context, w io.Writer, l interface {
	ports.Store
	ports.Vault
}, leser svarleser, id melding.ID) error {
	u, err := l.Get(ctx, id)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, h := range u.Melding.Historikk {
		if h.Del == "" {
			continue
		}
		tekst, err := svartekst(ctx, l, leser, id, h)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n%s\n", lokal(h.Tidspunkt), h.Kode.Beskrivelse(), tekst)
	}
	if b.Len() == 0 {
		b.WriteString("Meldingen har ikke fått noe svar med innhold.\n")
	}
	_, err = io.WriteString(w, b.String())
	return err
}

func svartekst(ctx context.Context, l ports.Vault, leser svarleser, id melding.ID, h melding.Hendelse) (string, error) {
	f, err := l.Open(ctx, id, h.Del)
	if errors.Is(err, ports.ErrErased) {
		return "  (slettet)", nil
	} else if err != nil {
		return "", err
	}
	m, err := leser.Les(ctx, f, h.Tidspunkt)
	switch {
	case errors.Is(err, compose.ErrUleselig):
		return "  (uleselig)", nil
	case err != nil:
		return "", err
	case strings.TrimSpace(m.Melding) == "":
		return "  (svaret sier ikke hvorfor)", nil
	}
	return "  «" + trygg(m.Melding) + "»", nil
}

// trygg makes text from a stranger safe for a terminal: escape sequences could rewrite the screen, and invisible characters turn
// the text around.
func trygg(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
}
