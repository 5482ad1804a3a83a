package contracts

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// refuses fails unless the store refuses e with ventet, as certainly not done, and leaves the report as it was.
func refuses(t *testing.T, l Lager, id melding.ID, e ports.Endring, ventet func(error) bool) {
	t.Helper()
	tidligere := Les(t, l, id)
	e.Referanser = append(e.Referanser, "avvist-"+string(id))
	if _, err := l.Store.Update(t.Context(), id, func(ports.Utgave) (ports.Endring, error) { return e, nil }); !ventet(err) || !errors.Is(err, ports.ErrRefused) {
		t.Fatalf("ventet avvisning, fikk %v", err)
	}
	LikUtgave(t, Les(t, l, id), tidligere)
	if _, err := l.Store.FindRef(t.Context(), "avvist-"+string(id)); !errors.Is(err, ports.ErrNotFound) {
		t.Fatalf("referansen ble skrevet: %v", err)
	}
}

func som(ventet error) func(error) bool {
	return func(err error) bool { return errors.Is(err, ventet) }
}

// Brev orders a letter because the frist has passed, and begins to hand it over: an open attempt with unknown outcome.
func Brev(t testing.TB, l Lager, id melding.ID) ports.Utgave {
	t.Helper()
	u := Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
		return levering.FristUtlopt(u, eget(u, levering.KoFrist), Policy, u.Melding.Fakta.Frist)
	})
	return Endre(t, l, id, func(v ports.Utgave) (ports.Endring, error) {
		return levering.BegynnBrev(v, eget(v, levering.KoBrev), Policy, u.Melding.Fakta.Frist)
	})
}

func testRefuse(t *testing.T, open func(t *testing.T) Lager) {
	sletting := func(nar time.Time) ports.Endring {
		return ports.Endring{Slett: true, Hendelser: []melding.Hendelse{{Tidspunkt: nar, Art: melding.Merknad, Kode: melding.InnholdSlettet, Aktor: melding.AktorPortal}}}
	}
	senere := Start.Add(60 * 24 * time.Hour)

	t.Run("S8 an illegal transition is refused", func(t *testing.T) {
		is, l := is.New(t), open(t)
		id := Lagre(t, l, NyMelding(t))
		refuses(t, l, id, ports.Endring{Hendelser: []melding.Hendelse{notat("først", Start),
			{Tidspunkt: Start, Art: melding.Overgang, Tilstand: melding.LEVERT, Kode: melding.BekreftetMottatt}}},
			func(err error) bool {
				var o *melding.OvergangError
				return errors.As(err, &o) && o.Fra == melding.AKSEPTERT && o.Til == melding.LEVERT && o.Melding == id
			})
		refuses(t, l, id, ports.Endring{Hendelser: []melding.Hendelse{{Tidspunkt: Start, Art: melding.Merknad, Kode: "FINNES_IKKE"}}}, som(melding.ErrHistorikk))
		Lever(t, l, id, Start)
		refuses(t, l, id, ports.Endring{Hendelser: []melding.Hendelse{{Tidspunkt: Start, Art: melding.Overgang, Tilstand: melding.SENDT_PRINT, Kode: melding.SendtPrint}}},
			func(err error) bool { var o *melding.OvergangError; return errors.As(err, &o) })
		is.Equal(Les(t, l, id).Melding.Tilstand(), melding.LEVERT)
	})

	t.Run("S8 a report with nothing owed is refused", func(t *testing.T) {
		l := open(t)
		id := Lagre(t, l, NyMelding(t))
		u := Les(t, l, id)
		alt := []levering.OppdragID{u.Owed[0].ID, u.Owed[1].ID}
		refuses(t, l, id, ports.Endring{Ferdig: alt}, som(levering.ErrIkkeSkyldig))
		refuses(t, l, id, ports.Endring{Ferdig: []levering.OppdragID{eget(u, levering.KoFrist).ID}}, som(levering.ErrIkkeSkyldig))
		// An open case never replaces a pending frist.
		refuses(t, l, id, ports.Endring{Ferdig: alt, Saker: []levering.Sak{apenSak(id, "a", Start)}}, som(levering.ErrIkkeSkyldig))
	})

	t.Run("S8 an attempt left without work is refused", func(t *testing.T) {
		l := open(t)
		id := Lagre(t, l, NyMelding(t))
		Brev(t, l, id)
		u := Lever(t, l, id, Start.Add(50*time.Hour)) // the letter may be on its way: a cancel is owed
		var ferdig []levering.OppdragID
		for _, o := range u.Owed {
			if o.Ko != levering.KoSlett {
				ferdig = append(ferdig, o.ID)
			}
		}
		refuses(t, l, id, ports.Endring{Ferdig: ferdig}, som(levering.ErrIkkeSkyldig))
	})

	t.Run("S8 work of another report cannot be settled", func(t *testing.T) {
		is, l := is.New(t), open(t)
		min, din := Lagre(t, l, NyMelding(t)), Lagre(t, l, NyMelding(t))
		tidligere := Les(t, l, din)
		// Refused or without effect: the other report's "always owed" was not judged here.
		_, _ = l.Store.Update(t.Context(), min, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Ferdig: []levering.OppdragID{tidligere.Owed[0].ID, tidligere.Owed[1].ID}}, nil
		})
		LikUtgave(t, Les(t, l, din), tidligere)
		is.Equal(len(tidligere.Owed), 2)
	})

	t.Run("S8 Slett of what is not delivered is refused", func(t *testing.T) {
		l := open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		refuses(t, l, id, sletting(senere), som(levering.ErrSletting))
		erHel(t, l, n)
		Lever(t, l, id, Start)
		refuses(t, l, id, ports.Endring{Slett: true}, som(levering.ErrSletting)) // without its event
		harBytes(t, l, id, melding.DelPDF, bytesAv(t, n.Deler[melding.DelPDF]))
	})

	t.Run("S8 Slett with an open case is refused", func(t *testing.T) {
		l := open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		Lever(t, l, id, Start)
		Endre(t, l, id, func(ports.Utgave) (ports.Endring, error) {
			return ports.Endring{Saker: []levering.Sak{apenSak(id, "a", Start)}}, nil
		})
		refuses(t, l, id, sletting(senere), som(levering.ErrSletting))
		harBytes(t, l, id, melding.DelPDF, bytesAv(t, n.Deler[melding.DelPDF]))
	})

	t.Run("S8 what is erased takes no more content", func(t *testing.T) {
		l := open(t)
		id := Lagre(t, l, NyMelding(t))
		Lever(t, l, id, Start)
		Slett(t, l, id)
		refuses(t, l, id, ports.Endring{Hendelser: []melding.Hendelse{notat("a", senere)},
			Deler: map[melding.Del]melding.Forseglet{melding.DelSvar(9): Forseglet([]byte("for sent"))}}, som(ports.ErrRefused))
	})

	t.Run("S8 Slett under a hold is refused", func(t *testing.T) {
		l := open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		Lever(t, l, id, Start)
		Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			return levering.Avgjor(u, levering.Avgjorelse{Valg: levering.ValgHold, Hvem: "x", Grunn: "klage"}, Policy, Start)
		})
		refuses(t, l, id, sletting(senere), som(levering.ErrSletting))
		harBytes(t, l, id, melding.DelPDF, bytesAv(t, n.Deler[melding.DelPDF]))
		Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			return levering.Avgjor(u, levering.Avgjorelse{Valg: levering.ValgLoftHold, Hvem: "x", Grunn: "avsluttet"}, Policy, Start)
		})
		Slett(t, l, id)
	})

	t.Run("S8 Slett with an attempt open is refused", func(t *testing.T) {
		l := open(t)
		n := NyMelding(t)
		id := Lagre(t, l, n)
		Lever(t, l, id, Start)
		konto := kommune.Mottakerkonto{Kanal: n.Fakta.Kanal, KontoID: n.Fakta.KontoID, KontoAktiv: true}
		Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			return levering.Avgjor(u, levering.Avgjorelse{Valg: levering.ValgSend, Hvem: "x", Grunn: "kom ikke fram"}, Policy, Start)
		})
		u := Endre(t, l, id, func(u ports.Utgave) (ports.Endring, error) {
			return levering.BegynnSending(u, eget(u, levering.KoSend), konto, levering.NokkelGyldig, Policy, Start)
		})
		if len(u.Melding.ApneForsok(melding.Sendeforsok)) != 1 {
			t.Fatal("forsøket er ikke åpent")
		}
		refuses(t, l, id, sletting(senere), som(levering.ErrSletting))
		harBytes(t, l, id, melding.DelAsice, bytesAv(t, n.Deler[melding.DelAsice]))
	})
}
