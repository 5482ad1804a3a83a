package producerapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"portal.example/bekymringsmelding/adapters/producerapi"
)

// The page loads nothing and runs nothing, and the policy it is sent with lets through exactly its own style.
func TestDokumentasjon(t *testing.T) {
	r := oppsett(t)
	svar, err := http.Get(r.srv.URL + "/docs") // without login
	r.NoErr(err)
	r.Equal(svar.StatusCode, 200)
	_, b := r.hent("/docs")
	side := string(b)
	for _, farlig := range []string{"<script", "<img", "<link", "<iframe", "@import", "url(", "http://", "https://", "ZgotmplZ"} {
		r.True(!strings.Contains(side, farlig))
	}
	r.True(!regexp.MustCompile(`\s(style|on\w+)=`).MatchString(side))
	stil := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(side)
	sum := sha256.Sum256([]byte(stil[1]))
	csp := svar.Header.Get("Content-Security-Policy")
	r.True(strings.HasPrefix(csp, "default-src 'none'"))
	r.True(strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'"))

	for _, k := range producerapi.Feilkoder() {
		r.True(strings.Contains(side, "<code>"+k.Kode+"</code>"))
	}
	id := regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(side, -1)
	sett := map[string]bool{}
	for _, x := range id {
		r.True(!sett[x[1]]) // ids are unique
		sett[x[1]] = true
	}
	for _, x := range regexp.MustCompile(`(?:href="#|aria-labelledby=")([^"]+)"`).FindAllStringSubmatch(side, -1) {
		r.True(sett[x[1]]) // and every reference has its goal
	}
	r.Equal(strings.Count(side, "<article"), 18)

	q, _ := http.NewRequest(http.MethodPost, r.srv.URL+"/docs", nil)
	svar, _ = r.gjor(q)
	r.Equal(svar.StatusCode, 405)
}
