package fikssim

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/sim/loopback"
)

// hentCA takes up the root of the set-up, or of the data folder, or makes it there.
func (v *Verden) hentCA(o *Nokkelfiler) error {
	filer := Nokkelfiler{v.fil("ca.pem"), v.fil("ca.key.pem")}
	if o != nil {
		filer = *o
	}
	v.caFil = filer.Sertifikat
	s, err := sim.LesSertifikat(filer.Sertifikat, filer.PrivatNokkel)
	if err == nil {
		v.ca = sim.CAFra(s, v.c.Klokke.Now)
		return nil
	}
	if o != nil || !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("CA: %w", err)
	}
	if v.ca, err = sim.NyCA("fiks-sim (test)", v.c.Bits, v.c.Klokke.Now); err != nil {
		return err
	}
	return v.ca.Skriv(filer.Sertifikat, filer.PrivatNokkel)
}

// nokkel reads a certificate of the data folder, or issues it there.
func (v *Verden) nokkel(navn string, b sim.Bestilling) (*sim.Sertifikat, error) {
	sert, nokkel := v.fil(navn+".pem"), v.fil(navn+".key.pem")
	s, err := sim.LesSertifikat(sert, nokkel)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	b.Bits = v.c.Bits
	if s, err = v.ca.Utsted(b); err != nil {
		return nil, err
	}
	return s, s.Skriv(sert, nokkel)
}

// errServersertifikat: a server that shows a certificate somebody else issued could be taken for somebody else.
var errServersertifikat = errors.New("serversertifikatet må være utstedt av simulatorens egen CA, for denne maskinen")

func (v *Verden) serverTLS() (*tls.Config, error) {
	s, err := v.nokkel("server", sim.Bestilling{Navn: "fiks-sim", Formal: sim.TLS})
	if err != nil {
		return nil, fmt.Errorf("serversertifikat: %w", err)
	}
	_, err = s.Cert.Verify(x509.VerifyOptions{Roots: v.rot(), CurrentTime: v.c.Klokke.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil || slices.ContainsFunc(s.Cert.DNSNames, loopback.ErKS) || loopback.ErKS(s.Cert.Subject.CommonName) {
		return nil, fmt.Errorf("%s: %w", v.fil("server.pem"), errServersertifikat)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{s.Cert.Raw}, PrivateKey: s.Nokkel}}}, nil
}

func (v *Verden) rot() *x509.CertPool {
	rot := x509.NewCertPool()
	rot.AddCert(v.ca.Cert)
	return rot
}

func (v *Verden) fil(navn string) string { return filepath.Join(v.c.Data, navn) }
