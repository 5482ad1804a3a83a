package fikssim

import (
	"net"
	"path/filepath"
	"strconv"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/protokoll"
)

// Ark is everything a client needs to take part. Paths are absolute.
type Ark struct {
	Fiks         string          `json:"fiks"` // base URL of the send API, the catalogue and Dokumentlager
	Admin        string          `json:"admin"`
	Maskinporten ArkMaskinporten `json:"maskinporten"`
	AMQP         ArkAMQP         `json:"amqp"`
	// PortalKontoID is the account that sends reports: a case system takes them from nobody else.
	PortalKontoID string  `json:"portalKontoId"`
	Kontoer       []Konto `json:"kontoer"`
}

// ArkMaskinporten is where tokens come from. The issuer, with its slash, is the aud of a request.
type ArkMaskinporten struct {
	Issuer        string `json:"issuer"`
	TokenEndpoint string `json:"tokenEndpoint"`
	JWKS          string `json:"jwks"`
}

// ArkAMQP is where queues are consumed. ca is the PEM file of the one root to trust.
type ArkAMQP struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	TLS  bool   `json:"tls"`
	CA   string `json:"ca"`
}

// Ark says where everything is.
func (v *Verden) Ark() (Ark, error) {
	vert, port, err := net.SplitHostPort(v.fiks.Broker.Adresse())
	if err != nil {
		return Ark{}, err
	}
	a := Ark{Fiks: v.fiks.API, Admin: v.fiks.API + "/", Maskinporten: ArkMaskinporten{v.mp.Utsteder(), v.mp.TokenURL(), v.mp.JWKURL()}, AMQP: ArkAMQP{Host: vert, TLS: true}}
	if a.AMQP.Port, err = strconv.Atoi(port); err != nil {
		return Ark{}, err
	}
	if a.AMQP.CA, err = filepath.Abs(v.caFil); err != nil {
		return Ark{}, err
	}
	for _, k := range v.o.Kontoer {
		k.Ko = protokoll.Konavn(kommune.KontoID(k.KontoID))
		if k.Sertifikat, err = filepath.Abs(k.Sertifikat); err != nil {
			return Ark{}, err
		}
		if k.PrivatNokkel, err = filepath.Abs(k.PrivatNokkel); err != nil {
			return Ark{}, err
		}
		if k.Portal {
			a.PortalKontoID = k.KontoID
		}
		a.Kontoer = append(a.Kontoer, k)
	}
	return a, nil
}

// SkrivArk writes it as fiks-sim.json in the data folder (mode 0600) and gives the path.
func (v *Verden) SkrivArk() (string, error) {
	a, err := v.Ark()
	if err != nil {
		return "", err
	}
	fil := v.fil("fiks-sim.json")
	return fil, skrivJSON(fil, a)
}
