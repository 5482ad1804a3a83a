// Package fagsystem receives reports as a case system should: [New], then [Klient.Motta]. It takes a message off the account's queue,
// opens and verifies it, has a [Lager] store it, only then answers mottatt, and only then acks. Whoever answers first loses reports.
//
// What is wrong for good is answered feilet, and the sender prints a letter at once: an unknown type, a seal that does not open, a
// package that does not verify, content that is not a report. So is what does not come from the portal, whatever is in it. What is wrong here and now (a full disk, an answer that cannot be sent,
// Dokumentlager out of reach) is answered with nothing: the message is held, not acked, and tried again with growing pauses. Holding
// spends none of its three deliveries; handing it back would spend them all in a second. When the connection breaks or the program
// dies it comes again, and is known by the report's id. The sender's deadline runs meanwhile: the way out when nothing helps.
package fagsystem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Melding is one report, opened and verified. Content prints as [skjult]: keep it out of logs and temporary files.
type Melding struct {
	ID      melding.ID // the report's own: the same however often it is sent
	Slag    melding.Slag
	Versjon melding.Versjon
	Filer   []melding.Fil     // bekymringsmelding.json and bekymringsmelding.pdf
	Signert *x509.Certificate // who signed the package; whether you take reports from them is yours to judge
}

// Lager is the case system's own storage. It is called for one message at a time.
type Lager interface {
	// Har says whether a report is stored and would survive a power cut. It is answered for again then, and not stored again.
	Har(ctx context.Context, id melding.ID) (bool, error)
	// Lagre returns nil when all of m would survive a power cut. An error means: not now, try again.
	Lagre(ctx context.Context, m Melding) error
}

// Mappe is a Lager in a folder that exists: each report opened, in a folder of its own named by its id, for its owner's eyes only. One
// process a folder. A case system has a database instead, and must promise the same.
type Mappe string

// Har syncs the name it finds: the crash that brings a report again may have come right after Lagre renamed.
func (m Mappe) Har(_ context.Context, id melding.ID) (bool, error) {
	_, err := os.Stat(filepath.Join(string(m), string(id)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = synk(string(m), os.O_RDONLY, nil)
	}
	return err == nil, err
}

// Lagre writes beside and renames when every byte is on the disk: all of a report is there, or nothing.
func (m Mappe) Lagre(_ context.Context, r Melding) error {
	ny := filepath.Join(string(m), "."+string(r.ID)+".ny")
	err := errors.Join(os.RemoveAll(ny), os.Mkdir(ny, 0o700)) // what a crash left goes first
	for _, f := range r.Filer {
		err = errors.Join(err, synk(filepath.Join(ny, f.Navn), os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Innhold.Bytes()))
	}
	err = errors.Join(err, synk(ny, os.O_RDONLY, nil))
	if err == nil {
		err = os.Rename(ny, filepath.Join(string(m), string(r.ID)))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(ny))
	}
	return synk(string(m), os.O_RDONLY, nil)
}

// synk makes a file with its content, or the names in a folder, survive a power cut.
func synk(sti string, flagg int, b []byte) error {
	f, err := os.OpenFile(sti, flagg, 0o600)
	if err != nil {
		return err
	}
	if b != nil {
		_, err = f.Write(b)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// Art is what came of a message or of the connection.
type Art string

// What came of a message: Gjentatt was stored before, and is answered mottatt again; Avvist was answered feilet; Fremmed came from
// another account than the portal's, and was answered feilet if that could be done at once; Utsatt is tried again.
const Lagret, Gjentatt, Avvist, Fremmed, Utsatt Art = "lagret", "gjentatt", "avvist", "fremmed", "utsatt"

// Receipts, answered with nothing. The first two say that an answer of ours did not reach the sender. Frakoblet is the end of a
// connection, or of an attempt at one: also when ctx ended it.
const Tidsavbrudd, Serverfeil, Kvittering, Frakoblet Art = "tidsavbrudd", "serverfeil", "kvittering", "frakoblet"

// Hendelse is for a log and a counter. It holds ids and nothing of the content.
type Hendelse struct {
	Art       Art
	ID        melding.ID // the report, when there is one
	MeldingID string     // the platform's id of the message
	Feil      error      // of Avvist, Fremmed, Utsatt and Frakoblet
}

// Config is what New needs; TLS and Forhand may be zero. It prints as [skjult].
type Config struct {
	Konto, Portalkonto                kommune.KontoID                       // the first is its own; reports are taken from the second, and from nobody else
	IntegrasjonID, Passord, AMQP, API string                                // AMQP is host:port, always TLS; API is https://host:port
	Token                             func(context.Context) (string, error) // from Maskinporten, asked at every connection and every call
	TLS                               *tls.Config                           // nil = what the machine trusts
	Nokler                            []cms.Key                             // newest first; keep an old one while reports sealed for it may come
	Pakker                            *asice.Packer                         // signs the body of feilet
	Versjon                           melding.Versjon                       // the newest that can be read; a newer report is answered feilet
	Forhand                           int                                   // messages fetched ahead; each spends a delivery when the connection breaks. 0 = 10
	Lager                             Lager
	Meld                              func(Hendelse) // one call at a time, before the ack: after a crash a Hendelse comes twice rather than never
}

func (Config) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte("[skjult]")) }
func (Config) MarshalText() ([]byte, error) { return []byte("[skjult]"), nil }

// Klient receives for one account.
type Klient struct {
	c     Config
	http  http.Client
	pause time.Duration // before the second try, then doubled
	en    sync.Mutex    // held while a message is worked on
}

func (*Klient) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[skjult]")) }

// New connects to nothing yet.
func New(c Config) (*Klient, error) {
	portal, err := melding.ParseID(string(c.Portalkonto))
	if err != nil || c.Konto == "" || c.IntegrasjonID == "" || c.Passord == "" || c.Token == nil || c.AMQP == "" || c.API == "" || len(c.Nokler) == 0 ||
		c.Pakker == nil || c.Versjon == 0 || c.Lager == nil || c.Meld == nil {
		return nil, errors.New("fagsystem: oppsettet er ikke komplett")
	}
	c.Portalkonto = kommune.KontoID(portal) // as it is written in headers
	return &Klient{c: c, pause: time.Second, http: http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: c.TLS, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil // a redirect would carry the password along
}
