package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
)

// standardBits is what everything real in this field uses or is moving to.
const standardBits = 3072

// Formal says what a certificate is for; it decides the key usage.
type Formal int

const (
	Mottaker   Formal = iota // a bydel's key: reports are sealed for it
	Printer                  // the print vendor's key: letters are sealed for it
	Virksomhet               // a sender's virksomhetssertifikat: signs containers and token requests
	Portal                   // the portal's own key: answers are sealed for it, forwarded packages signed with it
	TLS                      // a server on 127.0.0.1 and localhost
)

// Bestilling orders one certificate.
type Bestilling struct {
	Navn   string
	Orgnr  kommune.Orgnr // "" = the subject carries none
	Formal Formal
	Bits   int           // 0 = 3072
	Fra    time.Time     // zero = an hour before the CA's now
	Varer  time.Duration // 0 = three years
}

// Sertifikat is a certificate with its private key.
type Sertifikat struct {
	Cert   *x509.Certificate
	Nokkel *rsa.PrivateKey
}

// CA issues certificates nobody outside this world trusts.
type CA struct {
	Sertifikat
	klokke func() time.Time
}

// NyCA makes a root with a key of bits (0 = 3072).
func NyCA(navn string, bits int, klokke func() time.Time) (*CA, error) {
	nokkel, err := rsa.GenerateKey(rand.Reader, bitsEller(bits))
	if err != nil {
		return nil, err
	}
	ca := &CA{Sertifikat: Sertifikat{Nokkel: nokkel}, klokke: klokke}
	mal := ca.mal(pkix.Name{CommonName: navn, Country: []string{"NO"}}, Bestilling{Varer: 20 * 365 * 24 * time.Hour})
	mal.IsCA, mal.BasicConstraintsValid = true, true
	mal.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	ca.Cert, err = signer(mal, mal, nokkel.Public(), nokkel)
	return ca, err
}

// CAFra takes up a root that LesSertifikat has read back.
func CAFra(s *Sertifikat, klokke func() time.Time) *CA { return &CA{Sertifikat: *s, klokke: klokke} }

// Utsted makes one key and its certificate.
func (ca *CA) Utsted(b Bestilling) (*Sertifikat, error) {
	nokkel, err := rsa.GenerateKey(rand.Reader, bitsEller(b.Bits))
	if err != nil {
		return nil, err
	}
	return ca.Sertifiser(b, nokkel)
}

// UtstedAlle is Utsted for each, two keys at a time: an RSA-3072 key takes a second or so, and a first start waits for all of them.
func (ca *CA) UtstedAlle(bestilt ...Bestilling) ([]*Sertifikat, error) {
	ut, feil := make([]*Sertifikat, len(bestilt)), make([]error, len(bestilt))
	plass := make(chan struct{}, 2)
	var wg sync.WaitGroup
	for i, b := range bestilt {
		plass <- struct{}{}
		wg.Go(func() {
			defer func() { <-plass }()
			ut[i], feil[i] = ca.Utsted(b)
		})
	}
	wg.Wait()
	return ut, errors.Join(feil...)
}

// Sertifiser makes a certificate for a key that exists: a renewal, or a key the tests share.
func (ca *CA) Sertifiser(b Bestilling, nokkel *rsa.PrivateKey) (*Sertifikat, error) {
	navn := pkix.Name{CommonName: b.Navn, Country: []string{"NO"}}
	if b.Orgnr != "" {
		// A virksomhetssertifikat names its organisation twice: the older serialNumber and ETSI's organizationIdentifier.
		navn.Organization, navn.SerialNumber = []string{b.Navn}, string(b.Orgnr)
		navn.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "NTRNO-" + string(b.Orgnr)}}
	}
	mal := ca.mal(navn, b)
	switch b.Formal {
	case Mottaker, Printer:
		mal.KeyUsage = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment
	case Virksomhet:
		mal.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	case Portal:
		mal.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	case TLS:
		mal.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
		mal.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		mal.DNSNames, mal.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	}
	cert, err := signer(mal, ca.Cert, nokkel.Public(), ca.Nokkel)
	if err != nil {
		return nil, err
	}
	return &Sertifikat{Cert: cert, Nokkel: nokkel}, nil
}

func (ca *CA) mal(navn pkix.Name, b Bestilling) *x509.Certificate {
	// 127 random bits: positive, and never the same twice.
	serie, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if b.Fra.IsZero() {
		b.Fra = ca.klokke().Add(-time.Hour)
	}
	if b.Varer == 0 {
		b.Varer = 3 * 365 * 24 * time.Hour
	}
	return &x509.Certificate{SerialNumber: serie.Add(serie, big.NewInt(1)), Subject: navn, NotBefore: b.Fra, NotAfter: b.Fra.Add(b.Varer)}
}

func signer(mal, over *x509.Certificate, pub crypto.PublicKey, med crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, mal, over, pub, med)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func bitsEller(bits int) int {
	if bits == 0 {
		return standardBits
	}
	return bits
}

// PEM is the certificate.
func (s *Sertifikat) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Cert.Raw})
}

// NokkelPEM is the private key as PKCS#8, which openssl, Java and .NET all read.
func (s *Sertifikat) NokkelPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.Nokkel)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// PrivatMappe makes a folder for private keys and passwords, and refuses one that others can read.
func PrivatMappe(mappe string) error {
	if err := os.MkdirAll(mappe, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(mappe)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("mappen %s kan leses av andre; sett rettighetene til 0700", mappe)
	}
	return err
}

// Skriv writes both halves. The key goes first: a crash between them leaves a key without a certificate, which LesSertifikat refuses,
// and never a certificate somebody seals for whose key is lost.
func (s *Sertifikat) Skriv(sertFil, nokkelFil string) error {
	nokkel, err := s.NokkelPEM()
	if err != nil {
		return err
	}
	if err := os.WriteFile(nokkelFil, nokkel, 0o600); err != nil {
		return err
	}
	return os.WriteFile(sertFil, s.PEM(), 0o644) // a certificate is public
}

// LesSertifikat reads what Skriv wrote, so that a second start has the same keys.
func LesSertifikat(sertFil, nokkelFil string) (*Sertifikat, error) {
	sert, err := lesPEM(sertFil, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(sert)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sertFil, err)
	}
	der, err := lesPEM(nokkelFil, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nokkelFil, err)
	}
	nokkel, ok := k.(*rsa.PrivateKey)
	if !ok || !nokkel.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("%s hører ikke til %s", nokkelFil, sertFil)
	}
	return &Sertifikat{Cert: cert, Nokkel: nokkel}, nil
}

func lesPEM(fil, slag string) ([]byte, error) {
	b, err := os.ReadFile(fil)
	if err != nil {
		return nil, err
	}
	blokk, _ := pem.Decode(b)
	if blokk == nil || blokk.Type != slag {
		return nil, fmt.Errorf("%s inneholder ikke %s", fil, slag)
	}
	return blokk.Bytes, nil
}
