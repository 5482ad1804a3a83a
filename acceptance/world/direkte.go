package world

import (
	"context"
	"crypto/sha256"

	"portal.example/bekymringsmelding/app/intake"
	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/melding"
)

// Forsegl seals the sample report for the receiver's and the printer's certificates, without asking the portal.
func (v *Verden) Forsegl(kommunenr, bydel string) Sending {
	v.T.Helper()
	a := &Avsender{Data: v.D.Avsender, Na: v.Klokke.Now}
	s, err := Eksempel(context.Background(), a, Nokler{Print: v.D.Print.Cert, Mottaker: v.D.Finn(kommunenr, bydel).Sert.Cert},
		Sending{Kommune: kommunenr, Bydel: bydel, Slag: melding.Offentlig, Versjon: melding.V1}, "Prøve", "Prøve")
	v.ma(err)
	return s
}

// Lever gives a sealed report to the use case as the API does once it has the login and the parts.
func (v *Verden) Lever(fra Avsenderdata, s Sending) (melding.ID, error) {
	v.T.Helper()
	pdf, asice := melding.ForsegletBytes(melding.X509, s.PDF), melding.ForsegletBytes(melding.X509, s.Asice)
	return v.System.Inntak.Motta(context.Background(), intake.Innsending{Fra: kommune.FiksOrgID(fra.FiksOrgID),
		Integrasjon: kommune.Integrasjon{ID: kommune.IntegrasjonID(fra.IntegrasjonID), Orgnr: kommune.Orgnr(fra.Orgnr)},
		Kommune:     kommune.Kommunenummer(s.Kommune), Bydel: kommune.Bydelsnummer(s.Bydel), Slag: s.Slag, Versjon: s.Versjon, Nokkel: s.Nokkel, PDF: pdf, Asice: asice,
		SHA: map[melding.Del][32]byte{melding.DelPDF: sha256.Sum256(s.PDF), melding.DelAsice: sha256.Sum256(s.Asice)}})
}
