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

// Segl is what intake may know about a sealed part without opening it (D21). It is whole to its last byte.
type Segl struct {
	Algoritme   string // content encryption: "AES-256-CBC", "AES-256-GCM", …, or an OID
	Autentisert bool   // AuthEnvelopedData
	Mottakere   []Seglmottaker
}

// Seglmottaker names one certificate that can open a part; without issuer and serial it names none.
type Seglmottaker struct {
	Utsteder []byte // issuer, DER
	Serie    string // decimal
	RSA      RSA
}

// RSA is how the content key is wrapped for one recipient.
type RSA string

const (
	RSAOAEP  RSA = "OAEP"
	RSAPKCS1 RSA = "PKCS#1 v1.5"
	RSAAnnet RSA = "annet"
)

// Inspector looks at the outside of a sealed part, in bounded memory. ErrRefused: it is not one whole CMS message. Any other error
// says nothing about the part.
type Inspector interface {
	Inspect(f melding.Forseglet) (Segl, error)
}
