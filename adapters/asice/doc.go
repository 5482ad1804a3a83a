// Package asice packs files into a signed container and takes them out again: ASiC-E with a CAdES signature (ETSI EN
// 319 162-1, EN 319 122-1), in the form KS's clients write and read.
//
// A vendor with an opened report calls [Read]: it gives the files and who signed them, after every digest and the
// signature are verified, or one of the errors below and nothing else. It does not judge the signer: compare
// [Container].Signer with whom you expect. To pack an answer, make a [Packer] once and call Pack.
//
// No error holds content or a file name out of the container.
package asice

import "errors"

var (
	ErrNotZip    = errors.New("asice: ikke en lesbar zip")
	ErrUnsafe    = errors.New("asice: utrygg beholder")                      // a name, size or entry no honest writer makes
	ErrManifest  = errors.New("asice: manifest mangler eller er ugyldig")    // none, several, or not understood
	ErrDigest    = errors.New("asice: filene er ikke dem manifestet nevner") // changed, unlisted, or listed and missing
	ErrSignature = errors.New("asice: signatur mangler eller er ugyldig")

	// ErrSigner: the signer's key is not RSA, is not the certificate's, or cannot sign.
	ErrSigner = errors.New("asice: ubrukelig signeringsnøkkel")
	// ErrFiles: nothing to pack, or a file name that not every reader takes.
	ErrFiles = errors.New("asice: ubrukelige filer")
)

const (
	mimeType      = "application/vnd.etsi.asic-e+zip"
	mimeTypeEntry = "mimetype"
	metaInf       = "META-INF/"
)
