package sqlstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

const hemmelig = "HEMMELIG"

// No error repeats what was to be stored, whatever goes wrong.
func TestFeilGjentarIkkeVerdier(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		n := contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Nokkel = hemmelig })
		id := contracts.Lagre(t, r.lager(), n)
		notat := func(ctx context.Context, grunn string) error {
			_, err := r.Update(ctx, id, func(ports.Utgave) (ports.Endring, error) {
				return ports.Endring{Hendelser: []melding.Hendelse{{Tidspunkt: contracts.Start, Art: melding.Merknad, Kode: melding.Notat, Grunn: grunn}}}, nil
			})
			return err
		}
		_, err := r.Create(t.Context(), contracts.NyMelding(t, func(o *contracts.Oppskrift) { o.Fra, o.Nokkel = n.Fakta.FraFiksOrgID, hemmelig }))
		is.True(errors.Is(err, ports.ErrConflict))
		is.True(!strings.Contains(err.Error(), hemmelig))

		ctx, avbryt := context.WithCancel(t.Context())
		avbryt()
		err = notat(ctx, hemmelig)
		is.True(errors.Is(err, ports.ErrUnavailable))
		is.True(errors.Is(err, context.Canceled))
		is.True(!strings.Contains(err.Error(), hemmelig))

		r.exec(t, "DROP TABLE apent_forsok")
		r.exec(t, "ALTER TABLE hendelse RENAME COLUMN grunn TO borte")
		err = notat(t.Context(), hemmelig)
		is.True(errors.Is(err, ports.ErrUnavailable))
		t.Log(err)
		is.True(!strings.Contains(err.Error(), hemmelig))
	})
}

// An answer's header may hold bytes that are not text. They never keep the answer out: they are replaced, in both databases alike.
func TestDetSomIkkeErTekstKommerInnLikevel(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		kropp := contracts.Tilfeldig(100)
		o := levering.SvarOppdrag(melding.Svar{ID: "a\xff\xfe\x00b", Meldingstype: "t\xffs", Mottatt: contracts.Start, Innhold: contracts.Forseglet(kropp)})
		for _, ventet := range []int{1, 0} { // twice is still one
			nye, err := r.Add(t.Context(), o)
			is.NoErr(err)
			is.Equal(nye, ventet)
		}
		leier, err := r.Claim(t.Context(), levering.KoSvar, 5, contracts.Start, time.Minute)
		is.NoErr(err)
		is.Equal(len(leier), 1)
		is.Equal(leier[0].Oppdrag.Svar.Meldingstype, "t\ufffds")
		b, err := leier[0].Oppdrag.Svar.Innhold.Bytes()
		is.NoErr(err)
		is.Equal(b, kropp)
		is.NoErr(r.Done(t.Context(), leier[0]))
		rest, err := r.Next(t.Context(), levering.KoSvar)
		is.NoErr(err)
		is.True(rest.IsZero())
	})
}

// Hostile text is data: it comes back as it was, and does nothing else.
func TestTekstErData(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		id := contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
		for _, tekst := range []string{`'; DROP TABLE hendelse; --`, `\'; DROP TABLE del; --`, `?`, `?1 $1 ?TableName`, "æøå ŋ 😀\n\t\\", `{"a":'b'}`, `\x00`} {
			u := contracts.Endre(t, r.lager(), id, func(ports.Utgave) (ports.Endring, error) {
				return ports.Endring{Hendelser: []melding.Hendelse{{Tidspunkt: contracts.Start, Art: melding.Merknad, Kode: melding.Notat, Grunn: tekst}},
					Referanser: []string{tekst}}, nil
			})
			contracts.LikUtgave(t, contracts.Les(t, r.lager(), id), u)
			funnet, err := r.FindRef(t.Context(), tekst)
			is.NoErr(err)
			is.Equal(funnet, id)
			is.NoErr(r.SetMark(t.Context(), tekst, tekst))
			v, err := r.Mark(t.Context(), tekst)
			is.NoErr(err)
			is.Equal(v, tekst)
		}
	})
}

func TestDelerSomIkkeErSomFaktaSierAvvises(t *testing.T) {
	hver(t, func(t *testing.T, ny func(t testing.TB) *rigg) {
		is, r := is.New(t), ny(t)
		for _, skade := range []func(*ports.Ny){
			func(n *ports.Ny) { n.Deler[melding.DelPDF] = contracts.Forseglet([]byte("andre")) },
			func(n *ports.Ny) { delete(n.Deler, melding.DelPDF) },
			func(n *ports.Ny) { n.Deler["annen"] = n.Deler[melding.DelPDF]; delete(n.Deler, melding.DelPDF) },
			func(n *ports.Ny) { n.Oppdrag[0].Melding = contracts.MeldingID(contracts.Start) },
			func(n *ports.Ny) { n.Oppdrag = nil },
		} {
			n := contracts.NyMelding(t)
			skade(&n)
			_, err := r.Create(t.Context(), n)
			is.True(errors.Is(err, ports.ErrRefused))
			_, err = r.Get(t.Context(), n.Fakta.ID)
			is.True(errors.Is(err, ports.ErrNotFound))
		}
	})
}
