// Command portal is the service: serve runs it, the others look after it. Settings are flags or environment variables; --help lists
// them.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"portal.example/bekymringsmelding/adapters/bokmal"
	"portal.example/bekymringsmelding/cmd/compose"
)

type program struct {
	Serve   serveCmd   `cmd:"" help:"Kjør portalen."`
	Migrate migrateCmd `cmd:"" help:"Lag eller oppdater databasen."`
	Oppsett oppsettCmd `cmd:"" help:"Les en oppsettfil: organisasjoner, bydeler, nøkler, adresser, integrasjoner."`
	Saker   sakerCmd   `cmd:"" help:"Vis saker som noen må se på."`
	Avgjor  avgjorCmd  `cmd:"" help:"Avgjør en sak eller en melding, med navn og begrunnelse."`
	Svar    svarCmd    `cmd:"" help:"Vis hva et fagsystem skrev da det avviste en melding."`
	Nokkel  nokkelCmd  `cmd:"" help:"Vis nøkler, trekk tilbake en som er på avveie, bytt portalens egen."`
	Verify  verifyCmd  `cmd:"" help:"Kontroller historikk og lagret innhold."`
}

func main() {
	ctx, stopp := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	kode := kjor(ctx, os.Args[1:])
	stopp()
	os.Exit(kode)
}

// kjor runs one command. 1 = it went wrong, 2 = the command line cannot be read.
func kjor(ctx context.Context, args []string) int {
	parser, err := nyParser()
	if err != nil {
		fmt.Fprintln(os.Stderr, "portal:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "portal: %s. Se portal --help.\n", bokmal.Feil(err))
		return 2
	}
	k.BindTo(ctx, (*context.Context)(nil))
	k.Bind(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "portal:", err)
		return 1
	}
	return 0
}

func nyParser(valg ...kong.Option) (*kong.Kong, error) {
	return kong.New(&program{}, append([]kong.Option{kong.Name("portal"),
		kong.Description("Portal for bekymringsmeldinger til barnevernet."), bokmal.Hjelp()}, valg...)...)
}

// lagervalg is what every command but serve needs to know.
type lagervalg struct {
	Lager       string `help:"Hvor meldingene lagres: sqlite:<fil> eller postgres://…" env:"PORTAL_LAGER" required:"" placeholder:"URL"`
	Hemmelighet string `help:"Tjenerens nøkkel, base64." env:"PORTAL_HEMMELIGHET" placeholder:"BASE64"`
	Dev         bool   `help:"Tillat det som ikke må brukes i drift." env:"PORTAL_DEV"`
}

func (l lagervalg) config() compose.Config {
	return compose.Config{Lager: l.Lager, Hemmelighet: l.Hemmelighet, Dev: l.Dev}
}

// mappevalg is what a command that uses the portal's own keys needs to know.
type mappevalg struct {
	Nokler            string `help:"Mappe med portalens private nøkler." env:"PORTAL_NOKLER" required:"" type:"path" placeholder:"MAPPE"`
	NokkelHemmelighet string `name:"nokkel-hemmelighet" help:"Nøkkelen som filene i mappen er forseglet med, base64." env:"PORTAL_NOKKEL_HEMMELIGHET" placeholder:"BASE64"`
}

func (m mappevalg) med(c compose.Config) compose.Config {
	c.Nokler, c.NokkelHemmelighet = m.Nokler, m.NokkelHemmelighet
	return c
}
