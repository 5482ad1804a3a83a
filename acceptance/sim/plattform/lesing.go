package plattform

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"portal.example/bekymringsmelding/adapters/cms"
)

const (
	maksMetadata = 64 << 10
	maksUtenom   = 1 << 20 // boundaries, part headers, parts nobody asked for
	maksDeler    = 16
)

// innsendt is a request that has been read to its end.
type innsendt struct {
	metadata metadata
	data     []byte // nil = no payload
}

// les reads the body of a send. Parts are found by name, in any order; neither part needs a Content-Type (§2.1). The closing boundary
// must be there: half an upload is never queued.
func (p *Plattform) les(w http.ResponseWriter, r *http.Request) (innsendt, error) {
	slag, param, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || slag != "multipart/form-data" || param["boundary"] == "" {
		return innsendt{}, feilInnhold.feil()
	}
	kropp := http.MaxBytesReader(w, r.Body, p.c.Maks+maksMetadata+maksUtenom)
	return p.lesDeler(multipart.NewReader(kropp, param["boundary"]))
}

func (p *Plattform) lesDeler(mr *multipart.Reader) (innsendt, error) {
	deler := map[string][]byte{}
	for antall := 0; ; antall++ {
		del, err := mr.NextPart()
		switch {
		case err == io.EOF: // as it is: wrapped, it means that the body ended before its last boundary
			return p.lesInnsendt(deler)
		case err != nil:
			return innsendt{}, lesefeil(err)
		case antall >= maksDeler:
			return innsendt{}, feilMultipart.feil()
		}
		navn := del.FormName()
		if navn != "metadata" && navn != "data" {
			if !p.c.Lempelig.UkjenteDeler {
				return innsendt{}, feilDel.feil()
			}
			if _, err := io.Copy(io.Discard, del); err != nil {
				return innsendt{}, lesefeil(err)
			}
			continue
		}
		if _, dobbel := deler[navn]; dobbel {
			return innsendt{}, feilDobbeltDel.feil()
		}
		maks, forStor := int64(maksMetadata), feilMetadata
		if navn == "data" {
			maks, forStor = p.c.Maks, feilStorData
		}
		b, err := io.ReadAll(io.LimitReader(del, maks+1))
		if err != nil {
			return innsendt{}, lesefeil(err)
		}
		if int64(len(b)) > maks {
			return innsendt{}, forStor.feil()
		}
		deler[navn] = b
	}
}

func lesefeil(err error) error {
	if stor := new(http.MaxBytesError); errors.As(err, &stor) {
		return feilStorData.feil()
	}
	return feilMultipart.fordi(err)
}

func (p *Plattform) lesInnsendt(deler map[string][]byte) (innsendt, error) {
	b, ok := deler["metadata"]
	if !ok {
		return innsendt{}, feilUtenMeta.feil()
	}
	m, err := lesMetadata(b, p.c.Lempelig)
	if err != nil {
		return innsendt{}, err
	}
	data, ok := deler["data"]
	switch {
	case !ok:
		return innsendt{metadata: m}, nil
	case len(data) == 0 && p.c.Lempelig.TomData:
		return innsendt{metadata: m}, nil
	case len(data) == 0:
		return innsendt{}, feilTomData.feil()
	}
	if !p.c.Lempelig.UkryptertData {
		// Plaintext on this wire is the one mistake nobody can take back.
		if _, err := cms.Inspect(bytes.NewReader(data)); err != nil {
			return innsendt{}, feilUkryptert.feil()
		}
	}
	return innsendt{metadata: m, data: data}, nil
}
