package levering_test

import (
	"crypto/x509"
	"testing"

	"portal.example/bekymringsmelding/contracts"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

func TestAReportThatIsSentAtOnceIsBegunAsAnyOther(t *testing.T) {
	c := contracts.NyttSertifikat(t)
	v := ny(t)
	v.u.Melding.Fakta.Deler = map[melding.Del]melding.Delfakta{melding.DelAsice: {Nokkelserie: []string{c.SerialNumber.Text(16)}}}
	o, begynt, ok := levering.SendesStraks(v.u, v.konto, []*x509.Certificate{c}, policy, c.NotBefore)
	v.is.True(ok)
	v.is.Equal(o, v.oppdrag(levering.KoSend))
	v.is.Equal(begynt.Kode, melding.SendingBegynt)
	v.is.Equal(begynt.Forsok, levering.Sendeforsok(v.u, o))
	v.na = c.NotBefore
	v.gjor(levering.Endring{Hendelser: []melding.Hendelse{begynt}}, nil)
	v.is.Equal(v.u.Melding.Tilstand(), melding.AKSEPTERT)
	e, err := levering.FortsettSending(v.u, o, v.konto, levering.NokkelGyldig, policy, v.na)
	v.is.NoErr(err)
	v.is.True(e.Tom()) // the first to have it sends it, and there is nothing to say of that
	v.begynn()         // a crash, and the retry says that it may be the second time
	v.is.True(v.u.Melding.Har(melding.SendingGjentatt))
}

// Whatever else there is to do is done in the ordinary order: the letter, the case, the channel that needs no sending.
func TestOnlyWhatIsSimplySentIsSentAtOnce(t *testing.T) {
	c := contracts.NyttSertifikat(t)
	for navn, endre := range map[string]func(*verden) []*x509.Certificate{
		"kontoen er stengt": func(v *verden) []*x509.Certificate { v.konto.KontoAktiv = false; return []*x509.Certificate{c} },
		"en annen kanal": func(v *verden) []*x509.Certificate {
			v.konto.Kanal = kommune.Manuell
			return []*x509.Certificate{c}
		},
		"nøkkelen godtas ikke":     func(*verden) []*x509.Certificate { return nil },
		"fristen er ute":           func(v *verden) []*x509.Certificate { v.na = v.u.Melding.Fakta.Frist; return []*x509.Certificate{c} },
		"ingen skylder en sending": func(v *verden) []*x509.Certificate { v.sendt(); return []*x509.Certificate{c} },
		"svaret er kommet allerede": func(v *verden) []*x509.Certificate {
			v.svar("no.ks.fiks.bekymringsmelding.mottatt.v1")
			return []*x509.Certificate{c}
		},
	} {
		t.Run(navn, func(t *testing.T) {
			v := ny(t)
			v.na = c.NotBefore
			v.u.Melding.Fakta.Deler = map[melding.Del]melding.Delfakta{melding.DelAsice: {Nokkelserie: []string{c.SerialNumber.Text(16)}}}
			godtatt := endre(v)
			_, _, ok := levering.SendesStraks(v.u, v.konto, godtatt, policy, v.na)
			v.is.True(!ok)
		})
	}
}
