package cms

import (
	"crypto"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// message is what stands before the encrypted content.
type message struct {
	contentType ContentType
	recipients  []Recipient
	cipher      Cipher
	keySize     int // 0: a cipher we do not know
	iv          []byte
	tagSize     int
}

// readMessage leaves p at the encrypted content, inside ContentInfo, [0], the data and EncryptedContentInfo.
func readMessage(p *ber) message {
	var m message
	p.enter(tagSequence)
	switch typ := readOID(p); {
	case typ.Equal(oidEnvelopedData):
		m.contentType = EnvelopedData
	case typ.Equal(oidAuthEnvelopedData):
		m.contentType = AuthEnvelopedData
	default:
		p.fail(errMalformed)
	}
	p.enter(0xa0)
	p.enter(tagSequence)
	p.der(tagInteger)
	if p.peek() == 0xa0 {
		p.element() // originatorInfo: certificates we have no use for
	}
	p.enter(tagSet)
	for p.more() {
		tag, body := p.element()
		m.recipients = append(m.recipients, parseRecipient(tag, body))
	}
	p.leave()
	if len(m.recipients) == 0 {
		p.fail(errMalformed)
	}
	p.enter(tagSequence)
	readOID(p)
	m.setCipher(p, cryptobyte.String(p.der(tagSequence)))
	return m
}

// readTail goes from the content's end to the message's. For AuthEnvelopedData it gives the MAC and what is
// authenticated beside the content: the attributes under their universal tag (RFC 5083 section 2.2).
func readTail(p *ber, t ContentType) (mac, aad []byte) {
	p.leave()
	if t == AuthEnvelopedData {
		if p.peek() == 0xa1 {
			_, attrs := p.element()
			aad = append(appendHeader(nil, tagSet, int64(len(attrs))), attrs...)
		}
		var tag byte
		if tag, mac = p.element(); tag != tagOctetString {
			p.fail(errMalformed)
		}
		if p.peek() == 0xa2 {
			p.element()
		}
	} else if p.peek() == 0xa1 {
		p.element()
	}
	p.leave()
	p.leave()
	p.leave()
	p.end()
	return mac, aad
}

func readOID(p *ber) asn1.ObjectIdentifier {
	s := cryptobyte.String(p.der(tagOID))
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1ObjectIdentifier(&oid) {
		p.fail(errMalformed)
	}
	return oid
}

func (m *message) setCipher(p *ber, alg cryptobyte.String) {
	var seq cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !alg.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&oid) {
		p.fail(errMalformed)
		return
	}
	m.cipher = Cipher(oid.String())
	for _, c := range ciphers {
		if !c.oid.Equal(oid) {
			continue
		}
		m.cipher, m.keySize = c.name, c.keySize
		var ok bool
		if c.gcm {
			ok = m.contentType == AuthEnvelopedData && m.readGCM(seq)
		} else {
			ok = m.contentType == EnvelopedData && seq.ReadASN1Bytes(&m.iv, cbasn1.OCTET_STRING) && seq.Empty() && len(m.iv) == 16
		}
		if !ok {
			p.fail(errMalformed)
		}
	}
}

// readGCM: RFC 5084 section 3.2. Another nonce than 12 bytes is never written and has weaker bounds.
func (m *message) readGCM(seq cryptobyte.String) bool {
	var params cryptobyte.String
	m.tagSize = 12
	return seq.ReadASN1(&params, cbasn1.SEQUENCE) && seq.Empty() &&
		params.ReadASN1Bytes(&m.iv, cbasn1.OCTET_STRING) && len(m.iv) == 12 &&
		(params.Empty() || params.ReadASN1Integer(&m.tagSize)) && params.Empty() &&
		m.tagSize >= 12 && m.tagSize <= 16
}

// parseRecipient never fails: one we cannot read is one we have no key for, and another may be ours. Inspect shows it
// without an identity, so it matches nobody.
func parseRecipient(tag byte, body []byte) Recipient {
	var r Recipient
	s := cryptobyte.String(body)
	var version int
	if tag != tagSequence || !s.ReadASN1Integer(&version) || !r.readIdentity(&s) {
		return Recipient{}
	}
	var alg cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&oid) ||
		!s.ReadASN1Bytes(&r.encryptedKey, cbasn1.OCTET_STRING) || !s.Empty() {
		return Recipient{}
	}
	switch {
	case oid.Equal(oidOAEP):
		if r.KeyTransport = OAEP; !r.readOAEP(alg) {
			return Recipient{}
		}
	case oid.Equal(oidRSA):
		r.KeyTransport = PKCS1v5
	default:
		r.KeyTransport = KeyTransport(oid.String())
	}
	return r
}

func (r *Recipient) readIdentity(s *cryptobyte.String) bool {
	var ias, issuer cryptobyte.String
	if s.PeekASN1Tag(cbasn1.SEQUENCE) {
		r.Serial = new(big.Int)
		ok := s.ReadASN1(&ias, cbasn1.SEQUENCE) && ias.ReadASN1Element(&issuer, cbasn1.SEQUENCE) &&
			ias.ReadASN1Integer(r.Serial) && ias.Empty()
		r.Issuer = issuer
		return ok
	}
	return s.ReadASN1Bytes(&r.SubjectKeyID, cbasn1.Tag(0).ContextSpecific()) && len(r.SubjectKeyID) > 0
}

// readOAEP: RFC 4055 section 4.1. Each absent field means SHA-1 or an empty label; absent parameters as a whole are
// outside the standard and mean SHA-256 with Trondheim's client, so the reader tries.
func (r *Recipient) readOAEP(params cryptobyte.String) bool {
	if params.Empty() || string(params) == "\x05\x00" {
		return true
	}
	r.Hash, r.mgfHash = crypto.SHA1, crypto.SHA1
	var seq, field, mgf cryptobyte.String
	var has bool
	if !params.ReadASN1(&seq, cbasn1.SEQUENCE) || !params.Empty() {
		return false
	}
	if !seq.ReadOptionalASN1(&field, &has, explicit(0)) || has && !readHash(&field, &r.Hash) {
		return false
	}
	if !seq.ReadOptionalASN1(&field, &has, explicit(1)) {
		return false
	}
	if has && (!readAlgorithm(&field, oidMGF1, &mgf) || !readHash(&mgf, &r.mgfHash)) {
		return false
	}
	if !seq.ReadOptionalASN1(&field, &has, explicit(2)) {
		return false
	}
	if has && (!readAlgorithm(&field, oidPSpecified, &mgf) || !mgf.ReadASN1Bytes(&r.label, cbasn1.OCTET_STRING)) {
		return false
	}
	return seq.Empty()
}

func explicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

func readAlgorithm(s *cryptobyte.String, want asn1.ObjectIdentifier, params *cryptobyte.String) bool {
	var oid asn1.ObjectIdentifier
	return s.ReadASN1(params, cbasn1.SEQUENCE) && params.ReadASN1ObjectIdentifier(&oid) && oid.Equal(want)
}

func readHash(s *cryptobyte.String, h *crypto.Hash) bool {
	var alg cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&oid) {
		return false
	}
	known, ok := hashOf(oid)
	*h = known
	return ok
}
