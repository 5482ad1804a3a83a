package ports

import (
	"context"

	"portal.example/bekymringsmelding/domain/melding"
)

// Packer builds a signed ASiC-E; the first file is the root.
type Packer interface {
	Pack(ctx context.Context, filer []melding.Fil) (melding.Klartekst, error)
}

// Sealer seals for one key.
type Sealer interface {
	Seal(k melding.Klartekst, til melding.Mottakernokkel) (melding.Forseglet, error)
}

// Opener opens what is sealed for us: one error for every failure, and nothing comes out before all of it is verified.
type Opener interface {
	Open(ctx context.Context, f melding.Forseglet) (melding.Klartekst, error)
}

// Segl is what intake may know about a sealed part without opening it (D21).
type Segl struct {
	Hel         bool // whole to the last byte
	Algoritme   string
	Autentisert bool
	// Mottakere holds, for each recipient, issuer and serial as one comparable key; Issuer is raw DER.
	Mottakere []Seglmottaker
}

// Seglmottaker names one certificate that can open a part.
type Seglmottaker struct {
	Utsteder []byte
	Serie    string // decimal
	RSA      string // "OAEP", "PKCS1v15" or an OID
}

// Inspector looks at the outside of a sealed part, in bounded memory; ErrRefused when it is not a CMS we can judge.
type Inspector interface {
	Inspect(f melding.Forseglet) (Segl, error)
}
