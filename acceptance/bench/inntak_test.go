package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/world"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/cmd/compose"
	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// BenchmarkInntak is durable accept over HTTP of two sealed parts that are 50 KB together: token, password, grants, both parts
// judged, one commit, 201. No worker runs. The floor is the rows that such an accept leaves, written by the raw driver in one
// transaction to an equal database, by as many writers. lager-x-golv is the same ratio for ports.Store.Create alone. The clients run in the same process, on the same cores.
func BenchmarkInntak(b *testing.B) {
	for _, navn := range []string{"sqlite", "postgres", "postgres-disk"} {
		for _, klienter := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/%d", navn, klienter), func(b *testing.B) {
				i := nyttInntak(b, baser[navn])
				i.mal(b, klienter, 2, 40) // warm
				i.vart, i.golv, i.lager = nil, nil, nil
				for b.Loop() {
					i.mal(b, klienter, 10, 40)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(40/median(i.vart).Seconds(), "mottatt/s")
				b.ReportMetric(40/median(i.golv).Seconds(), "golv/s")
				b.ReportMetric(float64(median(i.golv))/float64(median(i.vart)), "x-golv")
				b.ReportMetric(float64(median(i.golv))/float64(median(i.lager)), "lager-x-golv")
			})
		}
	}
}

type rad struct {
	tabell   string
	kolonner []string
	verdier  []any
}

type inntak struct {
	v          *world.Verden
	maler      []world.Sending // one a size, so that no two of a round look like each other (ports.Store.Similar)
	kilde, til base            // the portal's database, and the floor's
	rader      []rad
	setning    map[string]string
	nr         uint64
	vart, golv []time.Duration
	lager      []time.Duration // ports.Store.Create alone
}

const halv = 25_000

func nyttInntak(t testing.TB, apne func(testing.TB) base) *inntak {
	t.Helper()
	kilde, til := apne(t), apne(t)
	i := &inntak{kilde: kilde, til: til, setning: map[string]string{}}
	i.v = world.Ny(t, world.Valg{Lager: func(testing.TB) compose.Lager { return kilde.lager }})
	i.v.Avsender.HTTP = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	n, err := i.v.Avsender.HentNokler(context.Background(), "4601", "01")
	ma(t, err)
	segl := func(n int, c *x509.Certificate) []byte {
		var ut bytes.Buffer
		ma(t, cms.Encrypt(&ut, bytes.NewReader(make([]byte, n)), int64(n), c))
		return ut.Bytes()
	}
	for k := range 40 {
		i.maler = append(i.maler, world.Sending{Kommune: "4601", Bydel: "01", Slag: melding.Offentlig, Versjon: melding.V1,
			PDF: segl(halv, n.Print), Asice: segl(halv+16*(k-20), n.Mottaker)})
	}
	id, err := i.v.Avsender.Post(context.Background(), i.ny())
	ma(t, err)
	i.lesRader(t, kilde, id)
	return i
}

// ny is a submission with other bytes: some in the middle of each part's ciphertext are changed. Nobody at the intake can tell,
// and the structure around them is whole.
func (i *inntak) ny() world.Sending {
	i.nr++
	s := i.maler[int(i.nr)%len(i.maler)]
	s.PDF, s.Asice = bytes.Clone(s.PDF), bytes.Clone(s.Asice)
	for _, b := range [][]byte{s.PDF, s.Asice} {
		binary.BigEndian.PutUint64(b[len(b)/2:], i.nr)
	}
	return s
}

// lesRader reads everything that one accept wrote.
func (i *inntak) lesRader(t testing.TB, b base, id melding.ID) {
	t.Helper()
	for _, tabell := range []string{"melding", "hendelse", "del", "oppdrag", "sak", "apent_forsok"} {
		hvor := "melding"
		if tabell == "melding" {
			hvor = "id"
		}
		rr, err := b.raa.Query(b.q("SELECT * FROM "+tabell+" WHERE "+hvor+" = ?1"), string(id))
		ma(t, err)
		alle, err := rr.Columns()
		ma(t, err)
		for rr.Next() {
			verdier, pekere := make([]any, len(alle)), make([]any, len(alle))
			for k := range verdier {
				pekere[k] = &verdier[k]
			}
			ma(t, rr.Scan(pekere...))
			r := rad{tabell: tabell}
			for k, navn := range alle {
				if navn != "seq" {
					r.kolonner, r.verdier = append(r.kolonner, navn), append(r.verdier, verdier[k])
				}
			}
			i.rader = append(i.rader, r)
		}
		ma(t, rr.Err())
		ma(t, rr.Close())
	}
	for _, r := range i.rader {
		var p []string
		for k := range r.kolonner {
			p = append(p, fmt.Sprintf("?%d", k+1))
		}
		i.setning[r.tabell] = b.q("INSERT INTO " + r.tabell + " (" + strings.Join(r.kolonner, ", ") + ") VALUES (" + strings.Join(p, ", ") + ")")
	}
}

// kopi is the same rows as another report's, with bytes of its own.
func (i *inntak) kopi() []rad {
	id := contracts.UUID()
	ut := make([]rad, len(i.rader))
	for n, r := range i.rader {
		ut[n] = rad{tabell: r.tabell, verdier: append([]any(nil), r.verdier...)}
		for k, navn := range r.kolonner {
			switch {
			case navn == "melding", navn == "id" && r.tabell == "melding":
				ut[n].verdier[k] = id
			case navn == "id":
				ut[n].verdier[k] = fmt.Sprintf("%s-%d", id, n)
			case navn == "innhold", strings.HasPrefix(navn, "sha"):
				if b, ok := r.verdier[k].([]byte); ok {
					ny := make([]byte, len(b))
					_, _ = rand.Read(ny)
					ut[n].verdier[k] = ny
				}
			}
		}
	}
	return ut
}

func (i *inntak) raatt(rr []rad) error {
	tx, err := i.til.raa.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	for _, r := range rr {
		if _, err := tx.Exec(i.setning[r.tabell], r.verdier...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// mal takes turns: so many accepts by so many clients, then as many transactions by as many writers.
func (i *inntak) mal(t testing.TB, klienter, runder, antall int) {
	t.Helper()
	ctx := context.Background()
	for range runder {
		// Reports of one sender that look alike within ten minutes are looked up; a new round is a new time. The first call fetches the token.
		i.v.Klokke.Sett(i.v.Klokke.Now().Add(11 * time.Minute))
		_, err := i.v.Avsender.HentNokler(ctx, "4601", "01")
		ma(t, err)
		var foresporsler []*http.Request
		var kopier [][]rad
		var nye []ports.Ny
		for range antall {
			req, err := i.v.Avsender.Foresporsel(ctx, i.ny())
			ma(t, err)
			foresporsler, kopier = append(foresporsler, req), append(kopier, i.kopi())
			nye = append(nye, contracts.NyMelding(t, func(o *contracts.Oppskrift) {
				o.Asice, o.PDF = contracts.Tilfeldig(halv+500), contracts.Tilfeldig(halv+500)
			}))
		}
		i.vart = append(i.vart, ta(func() {
			fordel(t, klienter, foresporsler, func(r *http.Request) error {
				var svar struct{ UUID string }
				return i.v.Avsender.Kall(r, &svar)
			})
		}))
		i.golv = append(i.golv, ta(func() { fordel(t, klienter, kopier, i.raatt) }))
		i.lager = append(i.lager, ta(func() {
			fordel(t, klienter, nye, func(n ports.Ny) error {
				_, err := i.kilde.lager.Create(ctx, n)
				return err
			})
		}))
	}
}

// fordel does all of it by so many at once.
func fordel[T any](t testing.TB, antall int, alt []T, fn func(T) error) {
	ko := make(chan T, len(alt))
	for _, x := range alt {
		ko <- x
	}
	close(ko)
	var wg sync.WaitGroup
	for range antall {
		wg.Go(func() {
			for x := range ko {
				if err := fn(x); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
