package asice_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"portal.example/bekymringsmelding/adapters/asice"
)

// rad is one entry written byte for byte, so that the two places that tell of it can tell different things.
type rad struct {
	post
	data           []byte // as it lies in the file
	flagg          uint16
	deskriptor     []byte // after the data
	lokal, sentral func(h []byte)
	lokaltNavn     string
	ekstraLokal    []byte
	ekstraSentral  []byte
	skjult         bool // not in the central directory
	foran          []byte
}

func rader(t testing.TB) []rad {
	t.Helper()
	var ut []rad
	for _, p := range poster(t, pakk(t, rapport())) {
		r := rad{post: p, data: []byte(p.innhold), lokaltNavn: p.navn}
		if p.metode == zip.Deflate {
			r.data = deflatert(t, p.innhold)
		}
		ut = append(ut, r)
	}
	return ut
}

// tall is CRC, compressed and uncompressed size.
func (r rad) tall() []byte {
	b := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(r.innhold)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.data)))
	return binary.LittleEndian.AppendUint32(b, uint32(len(r.innhold)))
}

func le(verdier ...uint16) (b []byte) {
	for _, v := range verdier {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

// skrevet is the file. rekkefolge is the central directory's order; nil = the same.
func skrevet(rr []rad, rekkefolge []int, mellom, kommentar []byte) []byte {
	var b, katalog bytes.Buffer
	hoder := make([][]byte, len(rr))
	for i, r := range rr {
		b.Write(r.foran)
		start := b.Len()
		tall := r.tall()
		if r.flagg&8 != 0 {
			tall = make([]byte, 12)
		}
		h := append([]byte("PK\x03\x04"), le(20, r.flagg, r.metode, 0, 0)...)
		h = append(append(h, tall...), le(uint16(len(r.lokaltNavn)), uint16(len(r.ekstraLokal)))...)
		if r.lokal != nil {
			r.lokal(h)
		}
		b.Write(h)
		b.WriteString(r.lokaltNavn)
		b.Write(r.ekstraLokal)
		b.Write(r.data)
		b.Write(r.deskriptor)

		s := append([]byte("PK\x01\x02"), le(20, 20, r.flagg, r.metode, 0, 0)...)
		s = append(append(s, r.tall()...), le(uint16(len(r.navn)), uint16(len(r.ekstraSentral)), 0, 0, 0, 0, 0)...)
		s = binary.LittleEndian.AppendUint32(s, uint32(start))
		if r.sentral != nil {
			r.sentral(s)
		}
		hoder[i] = append(append(s, r.navn...), r.ekstraSentral...)
	}
	n := uint16(0)
	if rekkefolge == nil {
		for i := range rr {
			rekkefolge = append(rekkefolge, i)
		}
	}
	for _, i := range rekkefolge {
		if !rr[i].skjult {
			katalog.Write(hoder[i])
			n++
		}
	}
	start := b.Len()
	b.Write(katalog.Bytes())
	b.Write(mellom)
	b.WriteString("PK\x05\x06")
	b.Write(le(0, 0, n, n))
	b.Write(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(katalog.Len())), uint32(start)))
	b.Write(le(uint16(len(kommentar))))
	b.Write(kommentar)
	return b.Bytes()
}

// goLeser says whether archive/zip alone reads every entry and finds nothing wrong.
func goLeser(b []byte) bool {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return false
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return false
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return false
		}
	}
	return true
}

func TestSammeFilForfraOgBakfra(t *testing.T) {
	const json, pdf = 1, 2
	medDeskriptor := func(signatur string) func([]rad) []rad {
		return func(rr []rad) []rad {
			for i := range rr {
				if rr[i].metode == zip.Deflate {
					rr[i].flagg, rr[i].deskriptor = 8, append([]byte(signatur), rr[i].tall()...)
				}
			}
			return rr
		}
	}
	for navn, endre := range map[string]func([]rad) []rad{
		"uendret":                 func(rr []rad) []rad { return rr },
		"deskriptor":              medDeskriptor("PK\x07\x08"),
		"deskriptor uten merke":   medDeskriptor(""),
		"tidsstempel som tillegg": func(rr []rad) []rad { rr[json].ekstraLokal = append(le(0x5455, 5), 1, 2, 3, 4, 5); return rr },
	} {
		if _, err := les(skrevet(endre(rader(t)), nil, nil, []byte("mimetype=application/vnd.etsi.asic-e+zip"))); err != nil {
			t.Errorf("%s: %v", navn, err)
		}
	}

	falsk := rad{post: post{navn: "bekymringsmelding.json", innhold: "falsk"}, data: []byte("falsk"), lokaltNavn: "bekymringsmelding.json"}
	bytt := func(i int, f func(*rad)) func([]rad) []rad {
		return func(rr []rad) []rad { f(&rr[i]); return rr }
	}
	for navn, tc := range map[string]struct {
		endre      func([]rad) []rad
		rekkefolge []int
		mellom     []byte
		goNekter   bool // archive/zip sees it too
	}{
		"noe foran det hele":         {endre: bytt(0, func(r *rad) { r.foran = []byte("PK") })},
		"noe mellom to filer":        {endre: bytt(pdf, func(r *rad) { r.foran = []byte("x") })},
		"en fil bare forfra":         {endre: func(rr []rad) []rad { falsk.skjult = true; return append([]rad{falsk}, rr...) }},
		"en fil bare forfra, sist":   {endre: func(rr []rad) []rad { falsk.skjult = true; return append(rr, falsk) }},
		"annet navn forfra":          {endre: bytt(json, func(r *rad) { r.lokaltNavn = "bekymringsmelding.jsom" })},
		"annen rekkefølge":           {rekkefolge: []int{0, 2, 1, 3, 4, 5}},
		"annen metode forfra":        {endre: bytt(json, func(r *rad) { r.lokal = func(h []byte) { h[8] ^= 8 } })},
		"annen størrelse forfra":     {endre: bytt(json, func(r *rad) { r.lokal = func(h []byte) { h[18]-- } })},
		"annen full størrelse":       {endre: bytt(json, func(r *rad) { r.lokal = func(h []byte) { h[22]-- } })},
		"annen CRC forfra":           {endre: bytt(json, func(r *rad) { r.lokal = func(h []byte) { h[14]++ } })},
		"andre flagg forfra":         {endre: bytt(json, func(r *rad) { r.lokal = func(h []byte) { h[7] ^= 8 } })},
		"deskriptor bare forfra":     {endre: bytt(json, func(r *rad) { r.lokal = func(h []byte) { h[6] |= 8 }; r.deskriptor = r.tall() })},
		"deskriptor som lyver":       {endre: bytt(json, func(r *rad) { r.flagg, r.deskriptor = 8, append([]byte("PK\x07\x08"), make([]byte, 12)...) }), goNekter: true},
		"deskriptor som mangler":     {endre: bytt(json, func(r *rad) { r.flagg = 8 }), goNekter: true},
		"størrelser i tillegg":       {endre: bytt(json, func(r *rad) { r.ekstraLokal = append(le(1, 16), make([]byte, 16)...) })},
		"navn i tillegg":             {endre: bytt(json, func(r *rad) { r.ekstraSentral = append(le(0x7075, 6), 1, 0, 0, 0, 0, 'x') })},
		"noe bak slutten av dataene": {endre: bytt(json, func(r *rad) { r.data = append(r.data, "PK\x03\x04"...) })},
		"det samme i manifest.xml":   {endre: bytt(5, func(r *rad) { r.data = append(r.data, "PK\x03\x04"...) })},
		"noe bak katalogen":          {mellom: []byte("PK\x06\x07")},
		"et annet sted i katalogen":  {endre: bytt(json, func(r *rad) { r.sentral = func(h []byte) { h[42]++ } }), goNekter: true},
	} {
		t.Run(navn, func(t *testing.T) {
			rr := rader(t)
			if tc.endre != nil {
				rr = tc.endre(rr)
			}
			b := skrevet(rr, tc.rekkefolge, tc.mellom, nil)
			if goLeser(b) == tc.goNekter {
				t.Errorf("archive/zip leser den: %v", !tc.goNekter)
			}
			if _, err := les(b); !errors.Is(err, asice.ErrUnsafe) && (!tc.goNekter || !errors.Is(err, asice.ErrNotZip)) {
				t.Errorf("fikk %v", err)
			}
		})
	}
}

// A whole second container in the comment: from the back a reader finds that one, from the front the first.
func TestEnBeholderIKommentaren(t *testing.T) {
	indre := skrevet(rader(t), nil, nil, nil)
	b := skrevet(rader(t), nil, nil, indre)
	if !goLeser(b) {
		t.Fatal("archive/zip leser den ikke")
	}
	if _, err := les(b); !errors.Is(err, asice.ErrUnsafe) {
		t.Errorf("fikk %v", err)
	}
}
