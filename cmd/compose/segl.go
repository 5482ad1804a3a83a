package compose

import (
	"errors"
	"fmt"

	"portal.example/bekymringsmelding/adapters/cms"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// inspektor is ports.Inspector over adapters/cms, which vendors import and which therefore knows nothing of ports.
type inspektor struct{}

func (inspektor) Inspect(f melding.Forseglet) (ports.Segl, error) {
	info, err := cms.Inspect(f.Les())
	if errors.Is(err, cms.ErrFormat) {
		return ports.Segl{}, fmt.Errorf("%w: %w", ports.ErrRefused, err)
	} else if err != nil {
		return ports.Segl{}, err
	}
	s := ports.Segl{Algoritme: string(info.Cipher), Autentisert: info.ContentType == cms.AuthEnvelopedData}
	for _, r := range info.Recipients {
		m := ports.Seglmottaker{Utsteder: r.Issuer, RSA: ports.RSAAnnet}
		if r.Serial != nil {
			m.Serie = r.Serial.String()
		}
		switch r.KeyTransport {
		case cms.OAEP:
			m.RSA = ports.RSAOAEP
		case cms.PKCS1v5:
			m.RSA = ports.RSAPKCS1
		}
		s.Mottakere = append(s.Mottakere, m)
	}
	return s, nil
}
