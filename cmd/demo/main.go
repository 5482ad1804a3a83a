// Command demo is the whole system and the outside world in one process: portal, APIs, workers and SQLite, and beside them a token
// issuer, case systems and a print vendor from acceptance/sim. It needs no network, account or server. docs: ../../README.md.
//
// It is a program of its own, so that cmd/portal never links a stand-in.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/adapters/bokmal"
)

type flagg struct {
	Addr   string `help:"Adressen portalen lytter på; bare loopback." default:"127.0.0.1:8080"`
	Data   string `help:"Mappen demoen lagrer i. En ny start på samme mappe fortsetter." default:"./data" type:"path"`
	Store  string `help:"sqlite (en fil i mappen), eller postgres://… til en tom database." default:"sqlite"`
	Grense int64  `help:"Største melding i byte som går rett på køen; større går over Dokumentlager." default:"5242880" hidden:""`
	Broker string `help:"Megleren: den innebygde, eller RabbitMQ (Debian-pakken rabbitmq-server)." enum:"innebygd,rabbitmq" default:"innebygd" hidden:""`
	Ekstra string `help:"Send også en melding til denne mottakeren, for eksempel 4601/02, og følg den ikke." placeholder:"KOMMUNE/BYDEL" hidden:""`
	Quiet  bool   `help:"Skriv bare linja «klar <sti til demo.json>»."`
}

func main() {
	var f flagg
	parser, err := nyParser(&f)
	if err == nil {
		_, err = parser.Parse(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %s. Se demo --help.\n", bokmal.Feil(err))
		os.Exit(2)
	}
	ctx, stopp := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stopp()
	if err := kjor(ctx, f); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func nyParser(f *flagg, valg ...kong.Option) (*kong.Kong, error) {
	return kong.New(f, append([]kong.Option{kong.Name("demo"), kong.Description("Hele portalen og verden rundt den i ett program. Stopp med Ctrl-C."), bokmal.Hjelp()}, valg...)...)
}

func kjor(ctx context.Context, f flagg) (err error) {
	if err := sim.PrivatMappe(f.Data); err != nil {
		return err
	}
	logg, lukk, err := nyLogg(f.Data)
	if err != nil {
		return err
	}
	defer lukk()
	s := nySkjerm(f.Quiet)
	d, err := start(ctx, f, logg, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stopp()) }()
	if err := d.skrivProve(); err != nil {
		return err
	}
	ark, err := d.skrivArk()
	if err != nil {
		return err
	}
	if f.Quiet {
		fmt.Println("klar", ark)
	}
	d.vis(ctx)
	select {
	case <-ctx.Done():
		s.linje("")
		s.linje("Stopper. Start igjen med samme --data for å fortsette.")
		return nil
	case <-d.ferdig:
		return nil // stopp says why
	}
}

// nyLogg writes the portal's log beside its data: the screen is for people.
func nyLogg(mappe string) (*slog.Logger, func(), error) {
	fil, err := os.OpenFile(filepath.Join(mappe, "portal.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	return slog.New(slog.NewJSONHandler(fil, nil)), func() { _ = fil.Close() }, nil
}
