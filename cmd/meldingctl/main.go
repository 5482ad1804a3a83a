// Command meldingctl is what a vendor needs at a shell: fetch a receiver's keys, look at a PDF before it is sealed, seal and send a
// report, follow it, receive reports as a case system, look inside a container, and print the pages that are made from the code. It is
// built on the public formats and interfaces only: whatever it can do, a vendor's own client can do.
//
// It never prints content, and no secret is a flag: flags show in the list of processes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"portal.example/bekymringsmelding/adapters/bokmal"
	"portal.example/bekymringsmelding/adapters/sysclock"
	"portal.example/bekymringsmelding/ports"
)

// Exit codes: what a script has to tell apart.
const (
	kodeOK     = 0
	kodeNei    = 1 // something is wrong, and the same call will not go better
	kodeBruk   = 2 // the command line, or a file it names, is wrong
	kodeUkjent = 3 // not known, or not now: try again, for send with the same --idempotensnokkel
)

// avslutt is an error with its exit code; the text is for a person, in bokmål, and holds no content.
type avslutt struct {
	kode  int
	tekst string
}

func (a *avslutt) Error() string { return a.tekst }

func nei(format string, a ...any) error    { return &avslutt{kodeNei, fmt.Sprintf(format, a...)} }
func bruk(format string, a ...any) error   { return &avslutt{kodeBruk, fmt.Sprintf(format, a...)} }
func ukjent(format string, a ...any) error { return &avslutt{kodeUkjent, fmt.Sprintf(format, a...)} }

// program is what every command works with; tests put their own world in.
type program struct {
	ctx    context.Context
	ut     io.Writer // what was asked for
	feil   io.Writer // everything said beside it
	klokke ports.Clock
	vent   func(context.Context, time.Duration) error
	http   *http.Client
	kobl   Tilkobling
}

func (p *program) si(format string, a ...any)   { _, _ = fmt.Fprintf(p.ut, format+"\n", a...) }
func (p *program) merk(format string, a ...any) { _, _ = fmt.Fprintf(p.feil, format+"\n", a...) }

type kommandolinje struct {
	Tilkobling `embed:""`

	Nokler     noklerKommando     `cmd:"" help:"Hent og vis krypteringsnøklene til en mottaker."`
	Send       sendKommando       `cmd:"" help:"Kontroller, forsegle og send en melding."`
	Status     statusKommando     `cmd:"" help:"Vis historikken til en melding."`
	Motta      mottaKommando      `cmd:"" help:"Ta imot meldinger som et fagsystem skal: lagre, kvittere, og så ta dem av køen."`
	Preflight  preflightKommando  `cmd:"" help:"Kontroller om en PDF kan skrives ut."`
	Verify     verifyKommando     `cmd:"" help:"Kontroller en ASiC-E, forseglet eller åpen."`
	Tilstander tilstanderKommando `cmd:"" help:"Skriv docs/tilstander.md."`
	Openapi    openapiKommando    `cmd:"" help:"Skriv OpenAPI-filen til API-et."`
}

const hjelp = `Verktøy for den som sender eller tar imot bekymringsmeldinger i et fagsystem.

Returkoder: 0 gikk bra, 1 noe er galt og blir ikke bedre av et nytt forsøk, 2 kommandolinjen eller en fil er feil, 3 utfallet er
ukjent eller tjenesten kan ikke svare nå.`

func main() {
	ctx, stopp := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	kode := kjor(&program{ctx: ctx, ut: os.Stdout, feil: os.Stderr, klokke: sysclock.Clock{}, vent: vent, http: nyHTTP()}, os.Args[1:])
	stopp()
	os.Exit(kode)
}

// kjor is main without the process: p's outputs are written, and the exit code is returned.
func kjor(p *program, args []string) (kode int) {
	type ferdig struct{ kode int }
	defer func() {
		// Kong asks for the end of the process after --help.
		switch r := recover().(type) {
		case nil:
		case ferdig:
			kode = r.kode
		default:
			panic(r)
		}
	}()
	var k kommandolinje
	parser, err := kong.New(&k, kong.Name("meldingctl"), kong.Description(hjelp), kong.Writers(p.ut, p.feil),
		kong.Exit(func(kode int) { panic(ferdig{kode}) }), bokmal.Hjelp(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		p.merk("meldingctl: %v", err)
		return kodeBruk
	}
	valgt, err := parser.Parse(args)
	if err != nil {
		p.merk("Kommandoen kan ikke tolkes: %s. Se meldingctl --help.", bokmal.Feil(err))
		return kodeBruk
	}
	p.kobl = k.Tilkobling
	return p.slutt(valgt.Run(p))
}

func (p *program) slutt(err error) int {
	if err == nil {
		return kodeOK
	}
	p.merk("%v", err)
	var a *avslutt
	if errors.As(err, &a) {
		return a.kode
	}
	return kodeNei
}

// vent waits, and ends early when the program is told to stop.
func vent(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nyHTTP follows no redirect: the headers hold a password, and no API of ours redirects.
func nyHTTP() *http.Client {
	return &http.Client{
		Timeout:       60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// lesFil reads a file no larger than maks.
func lesFil(fil string, maks int64) ([]byte, error) {
	f, err := os.Open(fil)
	if err != nil {
		return nil, bruk("%s kan ikke åpnes: %v.", fil, grunn(err))
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maks+1))
	switch {
	case err != nil:
		return nil, bruk("%s kan ikke leses: %v.", fil, grunn(err))
	case int64(len(b)) > maks:
		return nil, bruk("%s er større enn %d MiB.", fil, maks>>20)
	}
	return b, nil
}

// grunn is the cause without the path, which the sentence has already.
func grunn(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
