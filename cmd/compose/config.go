// Package compose is the only one that names concrete adapters: it turns a Config into a running System. Swapping a part is a case
// here and nowhere else.
package compose

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/ports"
)

// Config is everything a portal can be told, by flag or by environment variable. docs/drift/konfigurasjon.md lists it. It prints as
// [skjult], and so does FiksConfig: a password may stand in the address of a database too.
type Config struct {
	Lager        string        `help:"Hvor meldingene lagres: sqlite:<fil> eller postgres://…" env:"PORTAL_LAGER" placeholder:"URL"`
	Adresse      string        `help:"Adressen portalen lytter på: vert:port, eller unix:<fil>." env:"PORTAL_ADRESSE" default:"127.0.0.1:8080"`
	TLSSert      string        `name:"tls-sertifikat" help:"PEM-fil med sertifikatkjede. Leses på nytt ved SIGHUP." env:"PORTAL_TLS_SERTIFIKAT" type:"path" placeholder:"FIL"`
	TLSNokkel    string        `name:"tls-nokkel" help:"PEM-fil med privat nøkkel." env:"PORTAL_TLS_NOKKEL" type:"path" placeholder:"FIL"`
	Hemmelighet  string        `help:"Tjenerens nøkkel for lagrede passord: minst 32 tilfeldige byte, base64." env:"PORTAL_HEMMELIGHET" placeholder:"BASE64"`
	Utsteder     string        `name:"maskinporten" help:"Maskinportens utsteder (issuer), ordrett slik tokenet har den." env:"PORTAL_MASKINPORTEN" placeholder:"URL"`
	JWKS         string        `name:"maskinporten-jwks" help:"Hvor Maskinportens nøkler hentes." env:"PORTAL_MASKINPORTEN_JWKS" placeholder:"URL"`
	Transport    string        `help:"Digital kanal: fiksio. memory: finnes bare med --dev." env:"PORTAL_TRANSPORT" default:"" placeholder:"fiksio"`
	Print        string        `help:"Utskrift. mappe:<mappe> finnes bare med --dev." env:"PORTAL_PRINT" default:"" placeholder:"mappe:…"`
	Roller       []string      `help:"Hva denne prosessen gjør." env:"PORTAL_ROLLER" default:"web,api,worker" enum:"web,api,worker"`
	Rate         float64       `help:"Kall i sekundet per integrasjon; 0 er uten grense." env:"PORTAL_RATE" default:"100"`
	Burst        int           `help:"Kall på en gang per integrasjon." env:"PORTAL_BURST" default:"200"`
	Forbindelser int           `help:"Forbindelser på en gang; halvparten fra én adresse." env:"PORTAL_FORBINDELSER" default:"1024"`
	Nedtrapping  time.Duration `help:"Hvor lenge /readyz sier nei før portalen slutter å ta imot, når den stanses." env:"PORTAL_NEDTRAPPING" default:"3s"`
	Reserve      int64         `help:"Ledig plass i byte før nye meldinger avvises." env:"PORTAL_RESERVE" default:"268435456"`
	PrintPause   time.Duration `name:"print-pause" help:"Tid mellom hver gang utskriftsleverandøren spørres." env:"PORTAL_PRINT_PAUSE" default:"30s"`
	Nokler       string        `help:"Mappe med portalens private nøkler, bare for eieren (chmod 700)." env:"PORTAL_NOKLER" type:"path" placeholder:"MAPPE"`
	Retur        string        `help:"Returadresse på brev: navn;linje1;postnummer;poststed" env:"PORTAL_RETUR" placeholder:"ADRESSE"`
	Mappe        string        `help:"Mappe for forseglede deler mens de kommer inn." env:"PORTAL_MIDLERTIDIG" type:"path" placeholder:"MAPPE"`
	Dev          bool          `help:"Tillat deler som ikke må brukes i drift." env:"PORTAL_DEV"`

	NokkelHemmelighet string `name:"nokkel-hemmelighet" help:"Nøkkelen som filene i --nokler er forseglet med: minst 32 tilfeldige byte, base64." env:"PORTAL_NOKKEL_HEMMELIGHET" placeholder:"BASE64"`

	Fiks FiksConfig `embed:""`

	Deler Deler `kong:"-"`
}

const skjult = "[skjult]"

func (Config) Format(f fmt.State, _ rune)       { _, _ = io.WriteString(f, skjult) }
func (Config) MarshalText() ([]byte, error)     { return []byte(skjult), nil }
func (FiksConfig) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, skjult) }
func (FiksConfig) MarshalText() ([]byte, error) { return []byte(skjult), nil }

// Deler replaces parts from outside: the demo and the tests give their own world. Everything nil is made from the Config.
type Deler struct {
	Lager     Lager
	Clock     ports.Clock
	Transport ports.Transport
	Printer   ports.Printer
	Policy    *levering.Policy
	Logg      *slog.Logger
	// UtenKlokkevakt turns off the comparison with the store's clock, which a fake clock cannot pass.
	UtenKlokkevakt bool
	// Rundt wraps ports before anything uses them: how the fault sweep puts itself between.
	Rundt func(*Lager, *ports.Transport, *ports.Printer)
}

// Lager is a store with everything a System asks of it.
type Lager interface {
	ports.Store
	ports.Dispatch
	ports.Vault
	ports.Work
	ports.Ledger
	ports.Certificates
	ports.Directory
	ports.Registry
	ports.Access
	ports.Overview
	Vedlikehold(ctx context.Context) error
	LedigPlass(ctx context.Context) (int64, error)
	Close() error
}

// ErrConfig says that the portal must not start like this; the text says what to do.
var ErrConfig = errors.New("kan ikke starte")

// HemmeligNokkel is the server key.
func (c Config) HemmeligNokkel() ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(c.Hemmelighet))
	if err != nil || len(b) < 32 {
		return nil, fmt.Errorf("%w: PORTAL_HEMMELIGHET må være minst 32 byte som base64 (lag en med: openssl rand -base64 32)", ErrConfig)
	}
	return b, nil
}

func (c Config) retur() (kommune.Postadresse, error) {
	d := strings.Split(c.Retur, ";")
	if len(d) != 4 {
		return kommune.Postadresse{}, fmt.Errorf("%w: PORTAL_RETUR skal være navn;linje1;postnummer;poststed", ErrConfig)
	}
	p := kommune.Postadresse{Navn: d[0], Linje1: d[1], Postnummer: d[2], Poststed: d[3]}
	if !p.Hel() {
		return p, fmt.Errorf("%w: PORTAL_RETUR mangler noe", ErrConfig)
	}
	return p, nil
}

// Lytt opens the listener as design §8 says: TLS, or loopback or a Unix socket behind a proxy; plain HTTP elsewhere never.
func (c Config) Lytt(ctx context.Context) (net.Listener, bool, error) {
	var lytter net.ListenConfig
	if fil, ok := strings.CutPrefix(c.Adresse, "unix:"); ok {
		l, err := lytter.Listen(ctx, "unix", fil)
		return l, false, err
	}
	tls := c.TLSSert != "" || c.TLSNokkel != ""
	if tls && (c.TLSSert == "" || c.TLSNokkel == "") {
		return nil, false, fmt.Errorf("%w: TLS trenger både --tls-sertifikat og --tls-nokkel", ErrConfig)
	}
	vert, _, err := net.SplitHostPort(c.Adresse)
	if err != nil {
		return nil, false, fmt.Errorf("%w: adressen skal være vert:port", ErrConfig)
	}
	if ip := net.ParseIP(vert); !tls && vert != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, false, fmt.Errorf("%w: uten TLS lytter portalen bare på loopback eller en Unix-socket bak en proxy. Oppgi --tls-sertifikat og --tls-nokkel, eller en annen --adresse", ErrConfig)
	}
	l, err := lytter.Listen(ctx, "tcp", c.Adresse)
	return l, tls, err
}
