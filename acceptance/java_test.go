package acceptance_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/domain/melding"
)

// What KS's Java client sent, and the keys it sealed for (adapters/cms/testdata/README.md).
const (
	javapost      = "../adapters/producerapi/testdata/produsent-post-offentlig.http"
	javadata      = "../adapters/cms/testdata/"
	javaorg       = "2454acc9-e500-45c3-a570-ba9f8469279c"
	javaintegrasj = "64bfc8f7-cc77-4787-8dc8-7a5b311791c2"
)

// javaverden stands when its certificates were valid, and knows its sender and its keys.
var javaverden = world.Valg{Start: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Oppsett: func(d *world.Deltakere) {
	d.Avsender.FiksOrgID, d.Avsender.IntegrasjonID = javaorg, javaintegrasj
	m := d.Finn("4601", "02")
	m.Sert, m.Fagsystem = javasertifikat("mottaker02"), string(sim.Kvitterer)
	d.Print = javasertifikat("print")
}}

func javafil(navn string) []byte {
	b, err := os.ReadFile(javadata + navn)
	if err != nil {
		panic(err) // part of this repository
	}
	return b
}

func javasertifikat(navn string) *sim.Sertifikat {
	p, _ := pem.Decode(javafil(navn + ".pem"))
	c, err := x509.ParseCertificate(p.Bytes)
	k, kerr := x509.ParsePKCS8PrivateKey(javafil(navn + ".key.der"))
	if err = errors.Join(err, kerr); err != nil {
		panic(err)
	}
	return &sim.Sertifikat{Cert: c, Nokkel: k.(*rsa.PrivateKey)}
}

// javaklienten replays its request byte for byte, but for the password and the token, which were cut from the recording.
func javaklienten(l *liv) {
	s := world.Sending{Kommune: "4601", Bydel: "02", Slag: melding.Offentlig, Versjon: melding.V1, PDF: javafil("bekymringsmelding.pdf.cms"), Asice: javafil("asice.zip.cms")}
	var id melding.ID
	var err error
	if l.Server == nil {
		id, err = l.Post(s)
	} else {
		id, err = spillAv(l)
		l.husk(s, id, err)
	}
	l.Pump()
	l.venter(func(is *is.I) {
		is.NoErr(err)
		is.Equal(l.Tilstander(id), bekreftet)
		is.True(l.Fagsystem["4601/02"].Har(id))      // Go opens what Java sealed
		is.Equal(l.Fagsystem["4601/02"].Uleste(), 0) // and verifies its signature and digests
		var rader []map[string]string                // Java's List<BekymringsmeldingStatus>: four strings each
		is.NoErr(l.Avsender.Hent(context.Background(), "/api/v1/mottak/fagsystem/"+javaorg+"/bekymringsmelding/"+string(id)+"/status", &rader))
		is.Equal(len(rader), 3)
		for _, r := range rader {
			is.Equal(len(r), 4) // it throws on any other member
			is.Equal(r["bekymringsmeldingId"], string(id))
			is.True(r["tilstand"] != "" && r["beskrivelse"] != "")
			erLocalDateTime(is, r["tidspunkt"])
		}
	})
}

// erLocalDateTime reads a time as Java's LocalDateTime.parse does: no zone, seconds, perhaps a fraction.
func erLocalDateTime(is *is.I, s string) {
	is.Helper()
	_, err := time.Parse("2006-01-02T15:04:05", s) // Go reads a fraction where the layout has none
	is.NoErr(err)
}

var (
	passordlinje = regexp.MustCompile(`(?m)^IntegrasjonPassord: .*\r$`)
	tokenlinje   = regexp.MustCompile(`(?m)^Authorization: .*\r$`)
)

func spillAv(l *liv) (melding.ID, error) {
	b, err := os.ReadFile(javapost)
	if err != nil {
		return "", err
	}
	token, err := l.Avsender.Token(context.Background())
	if err != nil {
		return "", err
	}
	hode, kropp, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	hode = append(hode, '\r')
	hode = passordlinje.ReplaceAllLiteral(hode, []byte("IntegrasjonPassord: "+l.D.Avsender.Passord+"\r"))
	hode = tokenlinje.ReplaceAllLiteral(hode, []byte("Authorization: Bearer "+token+"\r"))
	c, err := net.Dial("tcp", l.Server.Listener.Addr().String())
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := io.Copy(c, io.MultiReader(bytes.NewReader(hode), bytes.NewReader([]byte("\n\r\n")), bytes.NewReader(kropp))); err != nil {
		return "", err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodPost})
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("svar %d", res.StatusCode)
	}
	var svar struct{ UUID string }
	d := json.NewDecoder(res.Body)
	d.DisallowUnknownFields() // {uuid} alone
	if err := d.Decode(&svar); err != nil {
		return "", err
	}
	return melding.ParseID(svar.UUID)
}
