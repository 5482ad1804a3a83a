package compose

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portal.example/bekymringsmelding/app/overview"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// malinger are the metrics of the portal. No label holds anything but fixed words.
type malinger struct {
	reg        *prometheus.Registry
	hendelser  *prometheus.CounterVec
	svar       prometheus.Counter // delivered again
	sendinger  prometheus.Counter // done again
	leveringer prometheus.Counter // that the broker says it has made before
	bareTalt   prometheus.Counter // answers without a row or a case
}

func nyeMalinger(o *overview.Service, clock ports.Clock) *malinger {
	m := &malinger{reg: prometheus.NewRegistry(), hendelser: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "portal_hendelser_total", Help: "Hendelser skrevet av denne prosessen, etter art. AKSEPTERT er mottatte meldinger."}, []string{"kode"}),
		svar: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "portal_svar_gjentatt_total", Help: "Svar som ble levert en gang til og ikke brukt på nytt."}),
		sendinger: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "portal_sending_gjentatt_total", Help: "Sendinger gjort på nytt fordi utfallet var ukjent: mottakeren kan ha fått meldingen flere ganger."}),
		leveringer: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "portal_svar_levert_igjen_total", Help: "Leveringer som Fiks IO sa at den hadde gjort før, etter brudd eller omstart."}),
		bareTalt: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "portal_svar_bare_talt_total", Help: "Svar som ikke er brukt og bare er talt, fordi avsenderen har sendt så mange. Id-ene står i loggen."})}
	for _, k := range melding.Koder() {
		m.hendelser.WithLabelValues(string(k)) // every kind is there from the start, at 0
	}
	m.reg.MustRegister(m.hendelser, m.svar, m.sendinger, m.leveringer, m.bareTalt, &tilstandsmaler{o: o, clock: clock})
	return m
}

func (m *malinger) tell(k melding.Kode) { m.hendelser.WithLabelValues(string(k)).Inc() }

func (m *malinger) gjentatt(ko levering.Ko) {
	if ko == levering.KoSvar {
		m.svar.Inc()
	} else {
		m.sendinger.Inc()
	}
}

// lytter adds whether answers can come in to this process now. A process that does not work has no such line.
func (m *malinger) lytter(tilkoblet func() bool) {
	m.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "portal_fiks_lytter", Help: "1 når denne prosessen tar imot svar fra Fiks IO nå."}, func() float64 {
		if tilkoblet() {
			return 1
		}
		return 0
	}))
}

// tilstandsmaler reads the store at each scrape, so that every replica tells the same.
type tilstandsmaler struct {
	o     *overview.Service
	clock ports.Clock
}

var (
	descMeldinger = prometheus.NewDesc("portal_meldinger", "Meldinger etter tilstand og kanal.", []string{"tilstand", "kanal"}, nil)
	descSaker     = prometheus.NewDesc("sak_apen", "Åpne saker etter art.", []string{"art"}, nil)
	descEldste    = prometheus.NewDesc("portal_eldste_ubesvarte_sekunder", "Alderen på den eldste meldingen som ikke er LEVERT; 0 = ingen.", nil, nil)
	descBrudd     = prometheus.NewDesc("portal_uten_arbeid", "Meldinger som bryter «alltid skyldig». Skal være 0.", nil, nil)
	descOppe      = prometheus.NewDesc("portal_lager_oppe", "1 når lageret svarte på denne målingen.", nil, nil)
)

func (t *tilstandsmaler) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descMeldinger, descSaker, descEldste, descBrudd, descOppe} {
		c <- d
	}
}

func (t *tilstandsmaler) Collect(c chan<- prometheus.Metric) {
	ctx, avbryt := context.WithTimeout(context.Background(), 5*time.Second)
	defer avbryt()
	tall, err := t.o.Tall(ctx)
	if err != nil {
		c <- prometheus.MustNewConstMetric(descOppe, prometheus.GaugeValue, 0)
		return
	}
	c <- prometheus.MustNewConstMetric(descOppe, prometheus.GaugeValue, 1)
	for _, g := range tall.Grupper {
		c <- prometheus.MustNewConstMetric(descMeldinger, prometheus.GaugeValue, float64(g.Antall), string(g.Tilstand), string(g.Kanal))
	}
	for art, n := range tall.Saker {
		c <- prometheus.MustNewConstMetric(descSaker, prometheus.GaugeValue, float64(n), string(art))
	}
	alder := 0.0
	if !tall.Eldste.IsZero() {
		alder = t.clock.Now().Sub(tall.Eldste).Seconds()
	}
	c <- prometheus.MustNewConstMetric(descEldste, prometheus.GaugeValue, alder)
	c <- prometheus.MustNewConstMetric(descBrudd, prometheus.GaugeValue, float64(tall.Brudd))
}
