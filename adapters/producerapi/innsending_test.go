package producerapi_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"net"
	"net/http"
	"os"
	"testing"

	"portal.example/bekymringsmelding/domain/melding"
)

// The bytes KS's Java client sent (vectors-java): filename before name, no blank after the semicolon, filename and type first.
func TestKSJavaBytes(t *testing.T) {
	r := oppsett(t)
	b, err := os.ReadFile("testdata/produsent-post-offentlig.http")
	r.NoErr(err)
	c, err := net.Dial("tcp", r.srv.Listener.Addr().String())
	r.NoErr(err)
	defer c.Close()
	_, err = c.Write(b)
	r.NoErr(err)
	svar, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodPost})
	r.NoErr(err)
	r.Equal(svar.StatusCode, http.StatusCreated)
	var k struct{ UUID string }
	strengt(r, svar.Body, &k)
	r.Equal(k.UUID, meldingID)
	r.Equal(len(r.f.mottatt), 1)
	i := r.f.mottatt[0]
	r.Equal(string(i.Fra), fraOrg)
	r.Equal(i.Versjon, melding.V1)
	r.Equal(i.Slag, melding.Offentlig)
	for navn, innhold := range r.f.innhold[0] {
		r.Equal(i.SHA[navn], sha256.Sum256(innhold))
		r.True(bytes.HasPrefix(innhold, []byte{0x30})) // a SEQUENCE: the CMS
	}
}
