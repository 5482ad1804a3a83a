package contracts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/domain/protokoll"
	"portal.example/bekymringsmelding/domain/virketid"
	"portal.example/bekymringsmelding/ports"
)

// Start is the first instant of every suite: a Monday morning in March.
var Start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// Policy is the real service's, with weekends as its only holidays.
var Policy = levering.Standard(virketid.Kalender{})

// Oppskrift is what a test may choose about a report. Everything else follows.
type Oppskrift struct {
	ID         melding.ID // UUIDv7 of Innsendt when not set
	Slag       melding.Slag
	Versjon    melding.Versjon
	Kilde      melding.Kilde
	Fra        kommune.FiksOrgID
	Til        kommune.RessursID
	Kanal      kommune.Kanal
	Innsendt   time.Time
	Frist      time.Time // two days after Innsendt when not set
	Asice, PDF []byte    // random when not set
	Nokkel     string
}

// NyMelding is a report ready for Store.Create: valid facts with the SHA-256 of its opaque parts, first event and owed work. Sender,
// receiver and content are its own unless the recipe says otherwise.
func NyMelding(t testing.TB, valg ...func(*Oppskrift)) ports.Ny {
	t.Helper()
	o := Oppskrift{
		Slag: melding.Offentlig, Versjon: melding.V2, Kilde: melding.Fagsystem, Kanal: kommune.FiksIO,
		Fra: kommune.FiksOrgID(UUID()), Til: kommune.RessursID(UUID()), Innsendt: Start,
	}
	for _, v := range valg {
		v(&o)
	}
	if o.ID == "" {
		o.ID = MeldingID(o.Innsendt)
	}
	if o.Frist.IsZero() {
		o.Frist = o.Innsendt.Add(48 * time.Hour)
	}
	if o.Asice == nil {
		o.Asice = Tilfeldig(700)
	}
	if o.PDF == nil {
		o.PDF = Tilfeldig(900)
	}
	f := melding.Fakta{
		ID: o.ID, Slag: o.Slag, Versjon: o.Versjon, Kilde: o.Kilde,
		FraFiksOrgID: o.Fra, FraOrgnr: "987654321", IntegrasjonID: "0b9a1d1c-0000-4000-8000-000000000001",
		TilFiksOrgID: "0b9a1d1c-0000-4000-8000-000000000002", Kommune: "0301", Bydel: "01", RessursID: o.Til,
		Kanal: o.Kanal, KontoID: kommune.KontoID("k" + string(o.Til)), Innsendt: o.Innsendt, Frist: o.Frist,
		Deler:    map[melding.Del]melding.Delfakta{melding.DelAsice: delfakta(o.Asice), melding.DelPDF: delfakta(o.PDF)},
		Oppbevar: Policy.Oppbevar,
	}
	n := ports.Ny{Fakta: f, Nokkel: o.Nokkel, Deler: map[melding.Del]melding.Forseglet{
		melding.DelAsice: Forseglet(o.Asice), melding.DelPDF: Forseglet(o.PDF)}}
	n.Hendelser, n.Oppdrag, n.Saker = levering.Aksepter(f, o.Innsendt)
	return n
}

func delfakta(b []byte) melding.Delfakta {
	return melding.Delfakta{Storrelse: int64(len(b)), SHA256: sha256.Sum256(b), Forsegling: melding.X509, Nokkelserie: []string{"1f"}}
}

// Forseglet passes opaque bytes off as sealed: this package may, because nobody opens them.
func Forseglet(b []byte) melding.Forseglet { return melding.ForsegletBytes(melding.X509, b) }

// Tilfeldig is n random bytes.
func Tilfeldig(n int) []byte {
	b := make([]byte, n)
	_, _ = crand.Read(b) // never fails
	return b
}

// UUID is a random one.
func UUID() string { return uuid([16]byte(Tilfeldig(16)), 4) }

// MeldingID is a UUIDv7 of an instant.
func MeldingID(t time.Time) melding.ID {
	var b [16]byte
	copy(b[:], Tilfeldig(16))
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(t.UnixMilli()))
	copy(b[:6], ms[2:])
	return melding.ID(uuid(b, 7))
}

func uuid(b [16]byte, versjon byte) string {
	b[6], b[8] = b[6]&0x0f|versjon<<4, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// Lagre accepts a report and gives its id.
func Lagre(t testing.TB, l Lager, n ports.Ny) melding.ID {
	t.Helper()
	id, err := l.Store.Create(t.Context(), n)
	if err != nil || id != n.Fakta.ID {
		t.Fatalf("Create: %s, %v", id, err)
	}
	return id
}

// Endre is Update that must succeed.
func Endre(t testing.TB, l Lager, id melding.ID, fn func(ports.Utgave) (ports.Endring, error)) ports.Utgave {
	t.Helper()
	u, err := l.Store.Update(t.Context(), id, fn)
	if err != nil {
		t.Fatalf("Update %s: %v", id, err)
	}
	return u
}

// Les is Get that must succeed.
func Les(t testing.TB, l Lager, id melding.ID) ports.Utgave {
	t.Helper()
	u, err := l.Store.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get %s: %v", id, err)
	}
	return u
}

// Lever lets the receiver confirm, by the domain's own rule.
func Lever(t testing.TB, l Lager, id melding.ID, na time.Time) ports.Utgave {
	t.Helper()
	s := melding.Svar{ID: UUID(), Meldingstype: protokoll.Mottatt, Korrelasjon: string(id), Mottatt: na}
	return Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
		s := s
		s.AvsenderKonto = u.Melding.Fakta.KontoID
		return levering.BehandleSvar(u, levering.SvarOppdrag(s), Policy, na)
	})
}

// Slett erases the content when retention is over, by the domain's own rule. The report must be LEVERT.
func Slett(t testing.TB, l Lager, id melding.ID) ports.Utgave {
	t.Helper()
	u := Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
		return levering.Slett(u, eget(u, levering.KoSlett), Policy, u.Melding.Levert().Add(Policy.Oppbevar))
	})
	if !u.Slettet {
		t.Fatalf("melding %s ble ikke slettet", id)
	}
	return u
}

// eget is the report's item in a queue; the zero Oppdrag when it has none.
func eget(u ports.Utgave, ko levering.Ko) levering.Oppdrag {
	for _, o := range u.Owed {
		if o.Ko == ko {
			return o
		}
	}
	return levering.Oppdrag{}
}

// notat is a harmless event.
func notat(grunn string, nar time.Time) melding.Hendelse {
	return melding.Hendelse{Tidspunkt: nar, Art: melding.Merknad, Kode: melding.Notat, Aktor: melding.AktorOperator("test"), Grunn: grunn}
}

func apenSak(id melding.ID, merke string, nar time.Time) levering.Sak {
	return levering.Sak{ID: levering.SakID(string(id) + "/" + merke), Melding: id, Art: levering.SakUkjentSvar, Apnet: nar, Frist: nar.Add(24 * time.Hour)}
}

// NyttSertifikat is a self-signed one of its own. Small and quick, and not RSA: nobody can seal for it.
func NyttSertifikat(t testing.TB) *x509.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sertifikatFor(t, k)
}

// sertifikatFor is a new certificate of a key.
func sertifikatFor(t testing.TB, k *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	mal := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(Tilfeldig(16)), Subject: pkix.Name{CommonName: "kontrakt"},
		NotBefore: Start.Add(-time.Hour), NotAfter: Start.AddDate(2, 0, 0)}
	der, err := x509.CreateCertificate(crand.Reader, mal, mal, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
