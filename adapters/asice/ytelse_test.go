package asice_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"io"
	"runtime"
	"testing"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/melding"
)

func stor(n int) []melding.Fil {
	pdf := make([]byte, n)
	_, _ = rand.Read(pdf) // a PDF does not compress
	return []melding.Fil{
		{Navn: "bekymringsmelding.json", Innhold: melding.NyKlartekst(bytes.Repeat([]byte(`{"navn":"Kari"}`), 1000))},
		{Navn: "bekymringsmelding.pdf", Innhold: melding.NyKlartekst(pdf)},
	}
}

// Packing 5 MiB allocates at most 2.2 times as much, and onto a stream far less than the content.
func TestMinne(t *testing.T) {
	is := is.New(t)
	filer, p := stor(5<<20), pakker(t)
	is.NoErr(p.Write(io.Discard, filer)) // zip keeps its compressor for the next
	gjennom := allokert(func() {
		_, err := p.Pack(context.Background(), filer)
		is.NoErr(err)
	})
	is.True(gjennom < 5<<20*22/10)
	is.True(allokert(func() { is.NoErr(p.Write(io.Discard, filer)) }) < 2<<20) // a collection may have emptied zip's pool
}

// allokert is how many bytes f allocates in all.
func allokert(f func()) uint64 {
	var før, etter runtime.MemStats
	runtime.ReadMemStats(&før)
	f()
	runtime.ReadMemStats(&etter)
	return etter.TotalAlloc - før.TotalAlloc
}

// BenchmarkFloor5M is what packing cannot do without: SHA-256 and CRC of the content, one signature, one copy.
func BenchmarkFloor5M(b *testing.B) {
	pdf := stor(5 << 20)[1].Innhold.Bytes()
	b.SetBytes(5 << 20)
	b.ReportAllocs()
	for b.Loop() {
		sum := sha256.Sum256(pdf)
		crc32.ChecksumIEEE(pdf)
		if _, err := vaar().key.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
		_ = bytes.Clone(pdf)
	}
}

func pakkN(b *testing.B, n int) {
	filer, p := stor(n), pakker(b)
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Pack(context.Background(), filer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPack50K(b *testing.B) { pakkN(b, 50_000) }
func BenchmarkPack5M(b *testing.B)  { pakkN(b, 5<<20) }

func BenchmarkRead5M(b *testing.B) {
	pakket := pakk(b, stor(5<<20))
	b.SetBytes(5 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := les(pakket); err != nil {
			b.Fatal(err)
		}
	}
}
