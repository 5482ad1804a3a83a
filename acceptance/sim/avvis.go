package sim

import (
	"archive/zip"
	"bytes"
	"encoding/json"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/protokoll"

	"portal.example/bekymringsmelding/domain/melding"
)

// avvis is a feilet answer. The caller holds mu.
func (f *Fagsystem) avvis(m Mottatt, grunn string) []Svar {
	kropp := f.feilkropp
	if f.oppforsel == AvviserUleselig {
		kropp = f.uleseligKropp
	}
	b, err := kropp(grunn)
	if err != nil {
		b = nil // a feilet without a body is a feilet all the same
	}
	return []Svar{{Meldingstype: protokoll.Feilet, SvarTil: m.MeldingID, Innhold: b}}
}

// feilkropp is feilmelding.json in an ASiC-E sealed for the sender, as the protocol says.
func (f *Fagsystem) feilkropp(grunn string) ([]byte, error) {
	var pakke, ut bytes.Buffer
	fil := melding.Fil{Navn: protokoll.FilFeilmelding, Innhold: melding.NyKlartekst(protokoll.Feilmelding{Melding: grunn}.JSON())}
	if err := f.pakker.Write(&pakke, []melding.Fil{fil}); err != nil {
		return nil, err
	}
	err := cms.Encrypt(&ut, &pakke, int64(pakke.Len()), f.c.Avsender())
	return ut.Bytes(), err
}

// uleseligKropp is what Trondheim's client sends: a plain zip with one file called data, sealed for the sender's own certificate. (The
// real one uses DES as well; nobody but it can read either.)
func (f *Fagsystem) uleseligKropp(grunn string) ([]byte, error) {
	var pakke, ut bytes.Buffer
	w := zip.NewWriter(&pakke)
	d, err := w.Create("data")
	if err == nil {
		err = json.NewEncoder(d).Encode(map[string]string{"meldingType": protokoll.Feilet, "melding": grunn})
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = cms.Encrypt(&ut, &pakke, int64(pakke.Len()), f.c.Nokkel.Cert)
	}
	return ut.Bytes(), err
}
