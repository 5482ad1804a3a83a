package sim_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
)

func TestCertificatesAreWhatTheyAreFor(t *testing.T) {
	is := is.New(t)
	v := verden(t)
	rot := x509.NewCertPool()
	rot.AddCert(v.ca.Cert)
	for _, s := range []*sim.Sertifikat{v.avsender, v.mottaker, v.portal, v.printe} {
		_, err := s.Cert.Verify(x509.VerifyOptions{Roots: rot, CurrentTime: start, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		is.NoErr(err)
		is.True(s.Cert.SerialNumber.Sign() > 0)
	}
	is.Equal(v.avsender.Cert.Subject.SerialNumber, string(sim.Orgnr(0)))
	is.True(v.avsender.Cert.KeyUsage&x509.KeyUsageDigitalSignature != 0)
	is.True(v.mottaker.Cert.KeyUsage&x509.KeyUsageKeyEncipherment != 0)
	is.True(v.mottaker.Cert.KeyUsage&x509.KeyUsageDigitalSignature == 0)

	tls, err := v.ca.Sertifiser(sim.Bestilling{Navn: "server", Formal: sim.TLS}, v.portal.Nokkel)
	is.NoErr(err)
	is.NoErr(tls.Cert.VerifyHostname("127.0.0.1"))
	is.NoErr(tls.Cert.VerifyHostname("localhost"))
}

func TestCertificateSurvivesRestart(t *testing.T) {
	is := is.New(t)
	v, mappe := verden(t), t.TempDir()
	sert, nokkel := filepath.Join(mappe, "a.pem"), filepath.Join(mappe, "a.key")
	is.NoErr(v.avsender.Skriv(sert, nokkel))
	info, err := os.Stat(nokkel)
	is.NoErr(err)
	is.Equal(info.Mode().Perm(), os.FileMode(0o600))
	lest, err := sim.LesSertifikat(sert, nokkel)
	is.NoErr(err)
	is.True(lest.Cert.Equal(v.avsender.Cert))
	is.True(lest.Nokkel.Equal(v.avsender.Nokkel))

	ca := sim.CAFra(&v.ca.Sertifikat, (&klokke{na: start}).Now)
	_, err = ca.Sertifiser(sim.Bestilling{Navn: "ny"}, v.portal.Nokkel)
	is.NoErr(err)

	is.NoErr(v.mottaker.Skriv(sert, filepath.Join(mappe, "b.key")))
	_, err = sim.LesSertifikat(sert, nokkel) // another's key
	is.True(err != nil)
	_, err = sim.LesSertifikat(nokkel, sert)
	is.True(err != nil)
	_, err = sim.LesSertifikat(filepath.Join(mappe, "borte"), nokkel)
	is.True(err != nil)
}

func TestNumbersAreValidAndNobodys(t *testing.T) {
	is := is.New(t)
	sett := map[string]bool{}
	for n := range 200 {
		o := sim.Orgnr(n)
		is.Equal(o[0], byte('3'))
		is.True(sim.GyldigOrgnr(o))
		is.True(!sett[string(o)])
		sett[string(o)] = true
	}
	is.True(!sim.GyldigOrgnr("310000001"))
	is.True(!sim.GyldigOrgnr("3"))
	is.True(sim.GyldigOrgnr("971032081")) // Statens vegvesen, as published: the weights are the real ones
	for _, p := range sim.Personer(30) {
		is.Equal(len(p.PID), 11)
		is.True(p.PID[2] == '8' || p.PID[2] == '9') // month + 80: no such month, so no such person
		is.True(!sett[p.PID] && p.Navn != "")
		sett[p.PID] = true
	}
}
