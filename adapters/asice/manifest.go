package asice

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"path"
	"strings"
)

// The namespace with a leading 0 is the standard's; .NET writes the other one, and names SHA-256 under xmldsig.
const (
	etsi       = "http://uri.etsi.org/02918/v1.2.1#"
	etsiDotNet = "http://uri.etsi.org/2918/v1.2.1#"

	sha256URI       = "http://www.w3.org/2001/04/xmlenc#sha256"
	sha256URIDotNet = "http://www.w3.org/2000/09/xmldsig#sha256"
)

// entry is one payload file as a manifest names it.
type entry struct {
	name   string
	digest [sha256.Size]byte
}

// manifestXML is ASiCManifest.xml as KS's Java writes it; the first file is the root. Names need no escaping: see
// goodName.
func manifestXML(signature string, entries []entry) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n")
	b.WriteString(`<ASiCManifest xmlns="` + etsi + `" xmlns:ns2="http://www.w3.org/2000/09/xmldsig#">` + "\n")
	fmt.Fprintf(&b, `    <SigReference URI="%s" MimeType="application/x-pkcs7-signature"/>`+"\n", signature)
	for i, e := range entries {
		root := ""
		if i == 0 {
			root = ` Rootfile="true"`
		}
		fmt.Fprintf(&b, `    <DataObjectReference URI="%s" MimeType="%s"%s>`+"\n", e.name, mediaType(e.name), root)
		b.WriteString(`        <ns2:DigestMethod Algorithm="` + sha256URI + `"/>` + "\n")
		fmt.Fprintf(&b, `        <ns2:DigestValue>%s</ns2:DigestValue>`+"\n", base64.StdEncoding.EncodeToString(e.digest[:]))
		b.WriteString("    </DataObjectReference>\n")
	}
	b.WriteString("</ASiCManifest>\n")
	return b.Bytes()
}

// openDocumentXML is META-INF/manifest.xml.
func openDocumentXML(entries []entry) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n")
	b.WriteString(`<ns1:manifest xmlns:ns1="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">` + "\n")
	const line = `    <ns1:file-entry ns1:full-path="%s" ns1:media-type="%s"/>` + "\n"
	fmt.Fprintf(&b, line, "/", mimeType)
	for _, e := range entries {
		fmt.Fprintf(&b, line, e.name, mediaType(e.name))
	}
	b.WriteString("</ns1:manifest>\n")
	return b.Bytes()
}

func mediaType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return "application/json"
	case ".pdf":
		return "application/pdf"
	case ".xml":
		return "application/xml"
	case ".txt":
		return "text/plain"
	}
	return "application/octet-stream"
}

// parseManifest gives the signature's name and the payload in the manifest's own order.
func parseManifest(b []byte) (signature string, entries []entry, d Dialect, ok bool) {
	var m struct {
		XMLName xml.Name
		Sig     []struct {
			URI string `xml:"URI,attr"`
		} `xml:"SigReference"`
		Data []struct {
			URI    string `xml:"URI,attr"`
			Method struct {
				Algorithm string `xml:"Algorithm,attr"`
			} `xml:"DigestMethod"`
			Value string `xml:"DigestValue"`
		} `xml:"DataObjectReference"`
	}
	if xml.Unmarshal(b, &m) != nil || m.XMLName.Local != "ASiCManifest" || len(m.Sig) != 1 {
		return "", nil, "", false
	}
	switch m.XMLName.Space {
	case etsi:
		d = Standard
	case etsiDotNet:
		d = DotNet
	default:
		return "", nil, "", false
	}
	for _, ref := range m.Data {
		sum, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(ref.Value), ""))
		known := ref.Method.Algorithm == sha256URI || ref.Method.Algorithm == sha256URIDotNet
		if err != nil || !known || len(sum) != sha256.Size {
			return "", nil, "", false
		}
		entries = append(entries, entry{name: ref.URI, digest: [sha256.Size]byte(sum)})
	}
	return m.Sig[0].URI, entries, d, true
}
