// Command fiks-sim is Fiks IO on this machine: send API, catalogue, Dokumentlager, AMQP, Maskinporten, and case systems with scripted
// characters. Vendors' clients use it unmodified. docs: ../../docs/fiks-sim.md.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/fikssim"
	"portal.example/bekymringsmelding/acceptance/sim/plattform"
)

type flagg struct {
	Data         string             `help:"Mappen for nøkler, kontoer og fiks-sim.json. En ny start på samme mappe er den samme verdenen." default:"./fiks-sim" type:"path"`
	Fiks         string             `help:"Adressen til send-API, katalog, Dokumentlager og adminside; bare loopback." default:"127.0.0.1:0"`
	AMQP         string             `name:"amqp" help:"Adressen til AMQP over TLS; bare loopback." default:"127.0.0.1:0"`
	Maskinporten string             `help:"Adressen til Maskinporten; bare loopback." default:"127.0.0.1:0"`
	Grense       int64              `help:"Innhold større enn så mange byte legges i Dokumentlager." default:"5242880"`
	Broker       string             `help:"innebygd, eller rabbitmq (Debian-pakken rabbitmq-server)." enum:"innebygd,rabbitmq" default:"innebygd"`
	Oppsett      string             `help:"JSON-fil med kontoer, nøkler og fagsystemer i stedet for de vanlige." type:"path" placeholder:"FIL"`
	Quiet        bool               `help:"Skriv bare linja «klar <sti til fiks-sim.json>»."`
	LempeligMP   bool               `name:"lempelig-maskinporten" help:"Godta aud uten skråstrek, klokker opptil ett minutt feil, og ukjente felt i en tokenforespørsel."`
	Lempelig     plattform.Lempelig `embed:"" prefix:"lempelig-"`
}

func main() {
	var f flagg
	parser, err := nyParser(&f)
	if err == nil {
		_, err = parser.Parse(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "fiks-sim: %s. Se fiks-sim --help.\n", feiltekst.Replace(err.Error()))
		os.Exit(2)
	}
	ctx, stopp := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stopp()
	if err := kjor(ctx, f, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fiks-sim:", err)
		os.Exit(1)
	}
}

func kjor(ctx context.Context, f flagg, ut io.Writer) error {
	stille := io.Discard
	if !f.Quiet {
		stille = ut
	}
	if err := sim.PrivatMappe(f.Data); err != nil { // before anything lies in it
		return err
	}
	logg, err := os.OpenFile(filepath.Join(f.Data, "fiks-sim.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = logg.Close() }()
	_, _ = fmt.Fprintln(stille, "fiks-sim – Fiks IO på denne maskinen")
	_, _ = fmt.Fprintln(stille, "Ingenting her er ekte: kontoer, nøkler og organisasjonsnummer er laget for prøver.")
	if _, err := os.Stat(filepath.Join(f.Data, "server.pem")); err != nil {
		_, _ = fmt.Fprintln(stille, "Lager nøkler (RSA-3072), det tar noen sekunder …")
	}
	v, err := fikssim.Start(ctx, fikssim.Config{Data: f.Data, Fiks: f.Fiks, AMQP: f.AMQP, Maskinporten: f.Maskinporten, Grense: f.Grense, Megler: f.Broker,
		Oppsett: f.Oppsett, Lempelig: f.Lempelig, LempeligMP: f.LempeligMP, Logg: slog.New(slog.NewJSONHandler(logg, nil))})
	if err != nil {
		return err
	}
	fil, err := v.SkrivArk()
	if err == nil {
		err = vis(stille, v, fil)
	}
	if err != nil {
		_ = v.Stopp()
		return err
	}
	if f.Quiet {
		_, _ = fmt.Fprintln(ut, "klar", fil)
	}
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(stille, "\nStopper. Køene er tomme neste gang; kontoer og nøkler er de samme.")
	case err = <-v.Ferdig():
	}
	if e := v.Stopp(); err == nil {
		err = e
	}
	return err
}

// vis prints where to look. Passwords are only in the file.
func vis(ut io.Writer, v *fikssim.Verden, fil string) error {
	a, err := v.Ark()
	if err != nil {
		return err
	}
	linje := func(format string, a ...any) { _, _ = fmt.Fprintf(ut, format+"\n", a...) }
	linje("")
	linje("  Se hva som skjer  %s", a.Admin)
	linje("  Fiks API          %s", a.Fiks)
	linje("  AMQP (TLS)        %s:%d", a.AMQP.Host, a.AMQP.Port)
	linje("  Maskinporten      %s", a.Maskinporten.Issuer)
	linje("  CA å stole på     %s", a.AMQP.CA)
	linje("")
	for _, k := range a.Kontoer {
		hva := "fagsystem: " + k.Fagsystem
		switch {
		case k.Portal:
			hva = "avsenderen: be om en prøvemelding på siden, eller send som den med send-API-et"
		case k.Fagsystem == "ingen":
			hva = "køen er ledig for din egen klient"
		}
		linje("  %-30s %s  %s", k.Navn, k.KontoID, hva)
	}
	linje("")
	linje("Alt en klient trenger, passord og nøkler også, står i %s", fil)
	linje("Stopp med Ctrl-C.")
	return nil
}
