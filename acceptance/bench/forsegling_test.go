package bench

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"hash/crc32"
	"io"
	"runtime"
	"testing"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim"
	"portal.example/bekymringsmelding/adapters/asice"
	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/skjema"
)

// Sealing as a sender does it: the PDF for the printer, and JSON and PDF in a signed ASiC-E for the receiver. Keys of 3072 bits, as
// the demo's; 2048 beside it, where our own part of the time is larger.
func BenchmarkForsegl(b *testing.B) {
	for _, x := range []struct {
		navn            string
		bits, n, runder int
	}{{"50KB", 3072, 50_000, 100}, {"50KB-rsa2048", 2048, 50_000, 100}, {"5MB", 3072, 5_000_000, 15}, {"5MB-rsa2048", 2048, 5_000_000, 15}} {
		b.Run(x.navn, func(b *testing.B) {
			f := nyForsegling(b, x.bits, x.n)
			f.mal(b, 2) // warm
			f.vart, f.golv = nil, nil
			for b.Loop() {
				f.mal(b, x.runder)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ms(median(f.vart)), "ms")
			b.ReportMetric(ms(median(f.golv)), "golv-ms")
			b.ReportMetric(float64(median(f.vart))/float64(median(f.golv)), "x-golv")
			b.ReportMetric(float64(f.strom(b))/1e6, "strøm-MB-allokert")
			b.ReportMetric(float64(allokert(func() { f.pakk(b) }))/float64(f.inn()), "pakk-x-inn")
			b.ReportMetric(float64(allokert(func() { f.segl(b, f.filer[1].Innhold, f.print) }))/float64(x.n), "segl-x-inn")
		})
	}
}

type forsegling struct {
	avsender, print, mottaker *sim.Sertifikat
	pakker                    *asice.Packer
	filer                     []melding.Fil // JSON, PDF
	pakke                     melding.Klartekst
	buf                       []byte
	vart, golv                []time.Duration
}

func nyForsegling(t testing.TB, bits, n int) *forsegling {
	t.Helper()
	ca, err := sim.NyCA("Benk (test)", bits, time.Now)
	ma(t, err)
	ss, err := ca.UtstedAlle(
		sim.Bestilling{Navn: "Avsender (test)", Orgnr: sim.Orgnr(1), Formal: sim.Virksomhet, Bits: bits},
		sim.Bestilling{Navn: "Trykk (test)", Orgnr: sim.Orgnr(2), Formal: sim.Printer, Bits: bits},
		sim.Bestilling{Navn: "Mottaker (test)", Orgnr: sim.Orgnr(3), Formal: sim.Portal, Bits: bits})
	ma(t, err)
	f := &forsegling{avsender: ss[0], print: ss[1], mottaker: ss[2]}
	f.pakker, err = asice.NewPacker(f.avsender.Nokkel, time.Now, f.avsender.Cert)
	ma(t, err)
	pdf := make([]byte, n)
	_, _ = rand.Read(pdf) // a PDF does not compress
	j, err := skjema.EksempelOffentlig(melding.V2).JSON()
	ma(t, err)
	f.filer = []melding.Fil{{Navn: protokoll.FilJSON, Innhold: j}, {Navn: protokoll.FilPDF, Innhold: melding.NyKlartekst(pdf)}}
	f.pakke = f.pakk(t)
	f.buf = make([]byte, f.pakke.Storrelse()+2*aes.BlockSize)
	return f
}

func (f *forsegling) inn() (n int) {
	for _, x := range f.filer {
		n += x.Innhold.Storrelse()
	}
	return n
}

func (f *forsegling) pakk(t testing.TB) melding.Klartekst {
	k, err := f.pakker.Pack(context.Background(), f.filer)
	ma(t, err)
	return k
}

func (f *forsegling) segl(t testing.TB, k melding.Klartekst, til *sim.Sertifikat) {
	_, err := cms.Sealer{}.Seal(k, melding.Mottakernokkel{Forsegling: melding.X509, Nokkel: til.Cert.Raw})
	ma(t, err)
}

// mal takes the two in turn, so that what else the machine does falls on both.
func (f *forsegling) mal(t testing.TB, runder int) {
	for range runder {
		f.vart = append(f.vart, ta(func() {
			f.segl(t, f.pakk(t), f.mottaker)
			f.segl(t, f.filer[1].Innhold, f.print)
		}))
		f.golv = append(f.golv, ta(func() { f.bunn(t) }))
	}
}

// bunn is the floor: SHA-256 and CRC-32 of both files, one signature, and for each of the two seals one RSA-OAEP and one pass of
// AES-256-CBC over as many bytes. It parses nothing, writes no structure, compresses nothing and allocates no result.
func (f *forsegling) bunn(t testing.TB) {
	var sum [32]byte
	for _, x := range f.filer {
		sum = sha256.Sum256(x.Innhold.Bytes())
		crc32.ChecksumIEEE(x.Innhold.Bytes())
	}
	_, err := f.avsender.Nokkel.Sign(rand.Reader, sum[:], crypto.SHA256)
	ma(t, err)
	for _, x := range []struct {
		til *sim.Sertifikat
		n   int
	}{{f.mottaker, f.pakke.Storrelse()}, {f.print, f.filer[1].Innhold.Storrelse()}} {
		var key [32]byte
		var iv [aes.BlockSize]byte
		_, _ = rand.Read(key[:])
		_, _ = rand.Read(iv[:])
		_, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, x.til.Cert.PublicKey.(*rsa.PublicKey), key[:], nil)
		ma(t, err)
		block, err := aes.NewCipher(key[:])
		ma(t, err)
		b := f.buf[:x.n/aes.BlockSize*aes.BlockSize+aes.BlockSize]
		cipher.NewCBCEncrypter(block, iv[:]).CryptBlocks(b, b)
	}
}

// strom is what the streaming functions allocate for all three, one container and two seals.
func (f *forsegling) strom(t testing.TB) uint64 {
	pakke, pdf := f.pakke.Bytes(), f.filer[1].Innhold.Bytes()
	return allokert(func() {
		ma(t, f.pakker.Write(io.Discard, f.filer))
		ma(t, cms.Encrypt(io.Discard, bytes.NewReader(pakke), int64(len(pakke)), f.mottaker.Cert))
		ma(t, cms.Encrypt(io.Discard, bytes.NewReader(pdf), int64(len(pdf)), f.print.Cert))
	})
}

func allokert(fn func()) uint64 {
	var for_, etter runtime.MemStats
	runtime.ReadMemStats(&for_)
	fn()
	runtime.ReadMemStats(&etter)
	return etter.TotalAlloc - for_.TotalAlloc
}
