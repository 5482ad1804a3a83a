// Package keystore is ports.KeyStore over a folder: one file for each private key, sealed with a secret from the configuration.
//
// Open gives the Store, New makes a key with its certificate, Private finds the key of a certificate again. Whoever copies the folder
// has nothing without the secret, and whoever loses either of them has lost the keys: back up both, apart from each other.
//
// A file is named by its certificate's serial number and a hash of its issuer, the pair CMS names a recipient by (RFC 5652 §10.2.4). In it
// lie the certificate and the key (PKCS#8) as PEM, sealed with AES-256-GCM under a key of its own, derived by HKDF-SHA-256 (RFC 5869)
// from the secret and a salt in the file. The name is authenticated with it: a file put in another's place does not open.
//
// Keys are never deleted here: sealed content may need an old one for as long as it is kept [K2], and only whoever knows that no content
// does can take a file away. They are read anew at each use and not kept in memory between.
package keystore

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/ports"
)

// Config is what a Store needs beside the secret; everything in it must be set.
type Config struct {
	// Mappe is the folder. It is not made here: a misspelled path would look like a store without keys, and every key would be
	// somebody else's.
	Mappe     string
	Gyldighet time.Duration // how long a new certificate is valid
	Klokke    ports.Clock
}

var (
	// ErrHemmelighet says that the secret opens no key in the folder: it is not the one they were sealed with.
	ErrHemmelighet = errors.New("hemmeligheten passer ikke til nøklene i mappen")
	// ErrMappe says that others than the owner can reach the folder.
	ErrMappe = errors.New("andre har tilgang til mappen (kjør chmod 700)")
)

// Store is a folder of keys. Several processes may use one folder with the same secret.
type Store struct {
	mappe     *os.Root
	segl      segl
	gyldighet time.Duration
	klokke    ports.Clock
}

var _ ports.KeyStore = (*Store)(nil)

// minsteHemmelighet is in bytes, and they must be random: the secret is not stretched as a password would have to be.
const minsteHemmelighet = 32

// Open opens the folder, and refuses one that others can reach or that the secret does not fit. Close lets it go. The secret stands
// outside the Config, so that a Config can be printed.
func Open(c Config, hemmelighet []byte) (*Store, error) {
	if c.Mappe == "" || c.Klokke == nil || c.Gyldighet <= 0 {
		return nil, errors.New("keystore: Mappe, Klokke og Gyldighet må være satt")
	}
	if len(hemmelighet) < minsteHemmelighet {
		return nil, fmt.Errorf("keystore: hemmeligheten må være minst %d byte", minsteHemmelighet)
	}
	// A handle on the folder: what is looked at here is what is used, whatever is done to the path afterwards.
	mappe, err := os.OpenRoot(c.Mappe)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	s := &Store{mappe: mappe, segl: nyttSegl(hemmelighet), gyldighet: c.Gyldighet, klokke: c.Klokke}
	if err := s.godta(); err != nil {
		return nil, fmt.Errorf("keystore: %w", errors.Join(err, mappe.Close()))
	}
	return s, nil
}

// godta looks at the folder, and for one key that the secret opens. A damaged file among sound ones does not stop the portal, which has
// others to serve: Private says it to whoever needs that key, and Verify to whoever asks.
func (s *Store) godta() error {
	info, err := s.mappe.Stat(".")
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("rettigheter %#o: %w", info.Mode().Perm(), ErrMappe)
	}
	navn, err := s.filene()
	if err != nil {
		return err
	}
	for _, n := range navn {
		switch _, err := s.les(n); {
		case err == nil:
			return nil
		case !errors.Is(err, ports.ErrCorrupt):
			return err
		}
	}
	if len(navn) > 0 {
		return ErrHemmelighet
	}
	return nil
}

// Close lets go of the folder. Handles already given out still work.
func (s *Store) Close() error { return s.mappe.Close() }

// RSA keys outside these sizes are refused: smaller ones are weak (NIST SP 800-131A), larger ones take minutes to make.
const minsteBits, storsteBits = 2048, 8192

// tilbakedatering lets a sender whose clock is a little behind ours use a new certificate at once.
const tilbakedatering = time.Hour

// New makes an RSA key and a self-signed certificate, and returns when both are on the disk. The certificate is ours alone until then, so
// whatever goes wrong nobody has sealed for a key that is not there.
func (s *Store) New(ctx context.Context, eier kommune.Eier, bits int) (ports.Handle, error) {
	if bits < minsteBits || bits > storsteBits {
		return nil, fmt.Errorf("nøkkel for %s: %d bit: %w", eier, bits, ports.ErrRefused)
	}
	nokkel, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("nøkkel for %s: %w", eier, err)
	}
	mal := s.mal(eier)
	der, err := x509.CreateCertificate(rand.Reader, mal, mal, nokkel.Public(), nokkel)
	if err != nil {
		return nil, fmt.Errorf("sertifikat for %s: %w", eier, err)
	}
	sert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("sertifikat for %s: %w", eier, err)
	}
	if err := ctx.Err(); err != nil { // a large key takes seconds, and the caller may be gone
		return nil, fmt.Errorf("nøkkel for %s: %w", eier, err)
	}
	h := &handle{nokkel: nokkel, sert: sert}
	if err := s.lagre(filnavn(sert), h); err != nil {
		return nil, fmt.Errorf("nøkkel for %s: %w", eier, err)
	}
	return h, nil
}

// mal is the certificate before it is signed. The serial number is left to x509: 20 random bytes (RFC 5280 §4.1.2.2).
func (s *Store) mal(eier kommune.Eier) *x509.Certificate {
	na := s.klokke.Now()
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: eier.String()},
		NotBefore:             na.Add(-tilbakedatering),
		NotAfter:              na.Add(s.gyldighet),
		KeyUsage:              x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true, // a CA it is not
	}
}

// Private finds the key of a certificate of ours. A certificate is ours when all of it is: one made by somebody else with our issuer and
// serial number in it is not [K1].
func (s *Store) Private(ctx context.Context, c *x509.Certificate) (ports.Handle, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// Beyond 20 bytes no serial number is ours, and it could be longer than a file name may be.
	if c.SerialNumber.BitLen() > 160 {
		return nil, fmt.Errorf("nøkkel: %w", ports.ErrNotFound)
	}
	navn := filnavn(c)
	h, err := s.les(navn)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !h.sert.Equal(c) {
		err = ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("nøkkel %s: %w", navn, err)
	}
	return h, nil
}

// Verify opens every key and says which do not open.
func (s *Store) Verify(ctx context.Context) error {
	navn, err := s.filene()
	if err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	var feil []error
	for _, n := range navn {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := s.les(n); err != nil {
			feil = append(feil, fmt.Errorf("nøkkel %s: %w", n, err))
		}
	}
	return errors.Join(feil...)
}

// filene lists the keys. What a crash left half made has another ending.
func (s *Store) filene() ([]string, error) {
	poster, err := fs.ReadDir(s.mappe.FS(), ".")
	if err != nil {
		return nil, err
	}
	var ut []string
	for _, p := range poster {
		if strings.HasSuffix(p.Name(), endelse) {
			ut = append(ut, p.Name())
		}
	}
	return ut, nil
}
