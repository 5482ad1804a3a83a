package main

import (
	"portal.example/bekymringsmelding/adapters/producerapi"
	"portal.example/bekymringsmelding/cmd/meldingctl/tilstander"
)

type tilstanderKommando struct{}

// Run is called by kong.
func (tilstanderKommando) Run(p *program) error { return tilstander.Skriv(p.ut) }

type openapiKommando struct {
	Versjon string `enum:"3.1,3.0" default:"3.1" help:"OpenAPI-versjon: 3.1, eller 3.0 for eldre generatorer."`
}

// utenPortal stands where the API would have a portal behind it: nothing is called when only the description is wanted.
type utenPortal struct {
	producerapi.Inntak
	producerapi.Oversikt
	producerapi.Katalog
	producerapi.Integrasjoner
	producerapi.Tokens
}

// Run is called by kong.
func (k *openapiKommando) Run(p *program) error {
	var ingen utenPortal
	a, err := producerapi.New(producerapi.Config{Inntak: ingen, Oversikt: ingen, Katalog: ingen, Integrasjoner: ingen, Tokens: ingen,
		PassordMAC: func(string) []byte { return nil }, Clock: p.klokke})
	if err != nil {
		return err
	}
	sti := producerapi.OpenAPI31
	if k.Versjon == "3.0" {
		sti = producerapi.OpenAPI30
	}
	_, err = p.ut.Write(a.OpenAPI(sti))
	return err
}
