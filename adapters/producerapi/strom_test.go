package producerapi_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

const mib = 1 << 20

// strom is a multipart body of two parts without holding it: zeros, pdf bytes in one part and asice in the other.
func strom(pdf, asice int64) (io.Reader, int64, string) {
	hode := "--S\r\nContent-Disposition: form-data; filename=\"x\"; name=\"bekymringsmelding\"\r\n\r\n"
	midt, hale := "\r\n--S\r\nContent-Disposition: form-data; name=\"asice\"\r\n\r\n", "\r\n--S--\r\n"
	r := io.MultiReader(strings.NewReader(hode), io.LimitReader(nuller{}, pdf), strings.NewReader(midt), io.LimitReader(nuller{}, asice), strings.NewReader(hale))
	return r, int64(len(hode)+len(midt)+len(hale)) + pdf + asice, "multipart/form-data; boundary=S"
}

type nuller struct{}

func (nuller) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestStorrelse(t *testing.T) {
	for _, c := range []struct {
		navn       string
		pdf, asice int64
		status     int
	}{
		{"akkurat 5 MiB", 2 * mib, 3 * mib, 201},
		{"akkurat, den ene i minnet", 100, 5*mib - 100, 201},
		{"en byte for mye", 2 * mib, 3*mib + 1, 413},
		{"en byte for mye i den første", 5*mib + 1, 10, 413},
		{"12 MiB", 6 * mib, 6 * mib, 413},
	} {
		for _, lengde := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, Content-Length %v", c.navn, lengde), func(t *testing.T) {
				r := oppsett(t)
				kropp, n, ct := strom(c.pdf, c.asice)
				q := r.bestill(http.MethodPost, sti1, kropp)
				q.Header.Set("Content-Type", ct)
				q.ContentLength = -1
				if lengde {
					q.ContentLength = n
				}
				svar, b := r.gjor(q)
				if c.status == 413 {
					r.sjekkFeil(svar, b, 413, "FOR_STOR")
					r.ingenLagret()
					return
				}
				r.Equal(svar.StatusCode, 201)
				i, innhold := r.f.mottatt[0], r.f.innhold[0]
				r.Equal(int64(len(innhold[melding.DelPDF])), c.pdf)
				r.Equal(i.Asice.Storrelse(), c.asice)
				r.Equal(i.SHA[melding.DelAsice], sha256.Sum256(innhold[melding.DelAsice]))
				_, err := i.Asice.Bytes()
				r.True(err != nil) // the file is closed when Motta has returned
			})
		}
	}
}

// A spooled part has no name while it is there, and the folder is empty afterwards.
func TestMellomlagerUtenNavn(t *testing.T) {
	mappe := t.TempDir()
	r := oppsett(t, func(c *producerapi.Config) {
		c.Mappe = mappe
		c.Inntak = inntak{Inntak: c.Inntak, motta: func(i intake.Innsending) (melding.ID, error) {
			filer, err := os.ReadDir(mappe)
			if len(filer) != 0 || err != nil || i.Asice.Storrelse() != 3*mib {
				return "", ports.ErrUnavailable
			}
			return meldingID, nil
		}}
	})
	kropp, _, ct := strom(2*mib, 3*mib)
	q := r.bestill(http.MethodPost, sti1, kropp)
	q.Header.Set("Content-Type", ct)
	svar, _ := r.gjor(q)
	r.Equal(svar.StatusCode, 201)
}

func TestMellomlagerBorte(t *testing.T) {
	r := oppsett(t, func(c *producerapi.Config) { c.Mappe += "/finnes-ikke" })
	kropp, _, ct := strom(2*mib, 3*mib)
	q := r.bestill(http.MethodPost, sti1, kropp)
	q.Header.Set("Content-Type", ct)
	svar, b := r.gjor(q)
	r.sjekkFeil(svar, b, 503, "UTILGJENGELIG")
	r.ingenLagret()
}

type inntak struct {
	producerapi.Inntak
	motta func(intake.Innsending) (melding.ID, error)
}

func (i inntak) Motta(_ context.Context, x intake.Innsending) (melding.ID, error) { return i.motta(x) }

// A client that writes its whole body before it looks for an answer must find one, whatever it was refused for: KS's client
// otherwise sends the report again and then reports «Error writing to server» (java-klienter.md §3).
func TestAvslagLesesEtterHeleInnsendingen(t *testing.T) {
	for navn, c := range map[string]struct {
		endre  func(*rigg)
		header string
		status int
	}{
		"for stor":     {nil, "", 413},
		"uten token":   {nil, "Authorization: Bearer feil\r\n", 401},
		"uten tilgang": {func(r *rigg) { r.f.forErr = intake.ErrManglerTilgang }, "", 403},
		"ukjent":       {func(r *rigg) { r.f.forErr = intake.ErrIkkeDin }, "", 404},
		"fullt":        {func(r *rigg) { r.f.forErr = intake.ErrFull }, "", 503},
		"issuer nede":  {func(r *rigg) { r.f.tokenErr = ports.ErrUnavailable }, "", 503},
		"ikke form":    {nil, "Content-Type: text/plain\r\n", 415},
	} {
		for _, stor := range []int64{6 * mib, 12 * mib} {
			for _, delt := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d delt=%v", navn, stor/mib, delt), func(t *testing.T) {
					t.Parallel()
					r := oppsett(t)
					if c.endre != nil {
						c.endre(r)
					}
					r.sjekkAvslag(c.header, stor, delt, c.status)
					r.ingenLagret()
				})
			}
		}
	}
}

func (r *rigg) sjekkAvslag(header string, stor int64, delt bool, status int) {
	r.Helper()
	kropp, n, ct := strom(stor/2, stor/2)
	forbindelse := r.ring()
	defer forbindelse.Close()
	h := "POST " + sti1 + " HTTP/1.1\r\nHost: x\r\n" + header
	for navn, verdi := range map[string]string{"Authorization": "Bearer " + token, "IntegrasjonId": integrasjon, "IntegrasjonPassord": passord, "Content-Type": ct} {
		if !strings.HasPrefix(header, navn) {
			h += navn + ": " + verdi + "\r\n"
		}
	}
	w := bufio.NewWriter(forbindelse)
	if delt {
		_, _ = io.WriteString(w, h+"Transfer-Encoding: chunked\r\n\r\n")
		biter(w, kropp)
	} else {
		_, _ = fmt.Fprintf(w, "%sContent-Length: %d\r\n\r\n", h, n)
		_, err := io.Copy(w, kropp)
		r.NoErr(err) // the whole body could be written
	}
	r.NoErr(w.Flush())
	svar, b := r.lesSvar(forbindelse)
	r.Equal(svar.StatusCode, status)
	r.True(svar.Close)
	r.True(inneholder(b, `"errorCode"`))
}

func biter(w io.Writer, kropp io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(kropp, buf)
		if n > 0 {
			_, _ = fmt.Fprintf(w, "%x\r\n%s\r\n", n, buf[:n])
		}
		if err != nil {
			_, _ = io.WriteString(w, "0\r\n\r\n")
			return
		}
	}
}

func (r *rigg) ring() net.Conn {
	r.Helper()
	c, err := net.Dial("tcp", r.srv.Listener.Addr().String())
	r.NoErr(err)
	r.NoErr(c.SetDeadline(time.Now().Add(10 * time.Minute)))
	return c
}

func (r *rigg) lesSvar(c net.Conn) (*http.Response, []byte) {
	r.Helper()
	svar, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodPost})
	r.NoErr(err)
	b, err := io.ReadAll(svar.Body)
	r.NoErr(err)
	return svar, b
}

// hode is a POST's header with the three headers and what else is given.
func hode(ekstra string) string {
	return "POST " + sti1 + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nIntegrasjonId: " + integrasjon +
		"\r\nIntegrasjonPassord: " + passord + "\r\nContent-Type: multipart/form-data; boundary=S\r\n" + ekstra + "\r\n"
}

// Who asks first is not invited to send what will be refused; who is welcome is.
func TestExpect(t *testing.T) {
	r := oppsett(t)
	c := r.ring()
	defer c.Close()
	_, err := io.WriteString(c, hode("Expect: 100-continue\r\nContent-Length: 6000000\r\n"))
	r.NoErr(err)
	svar, _ := r.lesSvar(c) // the first thing that comes, and whole although no body was sent
	r.Equal(svar.StatusCode, 413)
	r.NoErr(c.Close())

	kropp, n, _ := strom(10, 10)
	c = r.ring()
	defer c.Close()
	_, err = io.WriteString(c, hode(fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n", n)))
	r.NoErr(err)
	br := bufio.NewReader(c)
	linje, err := br.ReadString('\n')
	r.NoErr(err)
	r.Equal(linje, "HTTP/1.1 100 Continue\r\n")
	_, _ = br.ReadString('\n')
	_, err = io.Copy(c, kropp)
	r.NoErr(err)
	svar, err = http.ReadResponse(br, nil)
	r.NoErr(err)
	r.Equal(svar.StatusCode, 201)
}

func TestForSakte(t *testing.T) {
	r := oppsett(t, func(c *producerapi.Config) {
		c.Fart = producerapi.Fart{BytesPerSekund: 1 << 20, Vindu: 50 * time.Millisecond}
	})
	for _, ekstra := range []string{"Content-Length: 5000\r\n", "Transfer-Encoding: chunked\r\n"} {
		c := r.ring()
		defer c.Close()
		_, err := io.WriteString(c, hode(ekstra))
		r.NoErr(err)
		svar, b := r.lesSvar(c) // and then nothing is sent
		r.sjekkFeil(svar, b, 408, "FOR_SAKTE")
	}
	r.ingenLagret()
}

// The connection is cut at 60 % of the upload: nothing is stored.
func TestKuttet(t *testing.T) {
	r := oppsett(t)
	r.f.begynt = make(chan struct{}, 1)
	kropp, n, _ := strom(mib, mib)
	c := r.ring()
	_, err := io.WriteString(c, hode(fmt.Sprintf("Content-Length: %d\r\n", n)))
	r.NoErr(err)
	_, err = io.CopyN(c, kropp, n*6/10)
	r.NoErr(err)
	<-r.f.begynt
	r.NoErr(c.Close())
	r.srv.Close() // waits for the call
	r.ingenLagret()
	r.True(strings.Contains(r.logg.String(), "kode=UGYLDIG_MULTIPART"))
}

// A refused call without a body, and an accepted upload, leave the connection open.
func TestForbindelsenBrukesIgjen(t *testing.T) {
	r := oppsett(t)
	c := r.ring()
	defer c.Close()
	br := bufio.NewReader(c)
	for range 2 {
		kropp, n, _ := strom(10, 10)
		_, err := io.WriteString(c, hode(fmt.Sprintf("Content-Length: %d\r\n", n)))
		r.NoErr(err)
		_, err = io.Copy(c, kropp)
		r.NoErr(err)
		svar, err := http.ReadResponse(br, nil)
		r.NoErr(err)
		_, _ = io.Copy(io.Discard, svar.Body)
		r.Equal(svar.StatusCode, 201)
		_, err = io.WriteString(c, "GET /bekymringsmelding/api/v1/kommuner HTTP/1.1\r\nHost: x\r\n\r\n")
		r.NoErr(err)
		svar, err = http.ReadResponse(br, nil)
		r.NoErr(err)
		_, _ = io.Copy(io.Discard, svar.Body)
		r.Equal(svar.StatusCode, 401)
	}
}

// Every way a part can lie while it comes in gives its bytes back: in one piece, grown, and in a file; and each limit between them.
func TestDelerAvAlleStorrelser(t *testing.T) {
	r := oppsett(t)
	for i, n := range []int{1, 32<<10 - 1, 32 << 10, 32<<10 + 1, 100_000, 256 << 10, 256<<10 + 1, 256<<10 + 2, 1 << 20} {
		pdf, asice := strings.Repeat("p", n), strings.Repeat("a", n-n/7)+strings.Repeat("b", n/7)
		svar, _ := r.gjor(r.post(del{"bekymringsmelding", pdf}, del{"asice", asice}))
		r.Equal(svar.StatusCode, 201)
		fikk := r.f.innhold[i]
		r.True(string(fikk[melding.DelPDF]) == pdf && string(fikk[melding.DelAsice]) == asice)
		r.Equal(r.f.mottatt[i].SHA[melding.DelAsice], sha256.Sum256([]byte(asice)))
		r.Equal(r.f.mottatt[i].SHA[melding.DelPDF], sha256.Sum256([]byte(pdf)))
		r.Equal(r.f.mottatt[i].PDF.Storrelse(), int64(n))
	}
}
