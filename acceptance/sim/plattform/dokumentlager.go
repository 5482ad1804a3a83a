package plattform

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// dokumentTillegg is how long after the message's TTL a document is kept (§2.5).
const dokumentTillegg = 24 * time.Hour

type dokument struct {
	konto   string // the receiving account
	navn    string
	kropp   []byte
	utloper time.Time
}

type dokumentlager struct {
	mu  sync.Mutex
	dok map[string]dokument
}

// legg keeps a document and throws away those that are out of time.
func (l *dokumentlager) legg(d dokument, na time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, g := range l.dok {
		if na.After(g.utloper) {
			delete(l.dok, id)
		}
	}
	id := uuid.NewString()
	l.dok[id] = d
	return id
}

func (l *dokumentlager) finn(id string, na time.Time) (dokument, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, ok := l.dok[id]
	return d, ok && !na.After(d.utloper)
}

// dokument gives a document to an integration of the receiving account. For everybody else it does not exist.
func (p *Plattform) dokument(r *http.Request) (string, dokument, error) {
	k, err := p.autentiser(r)
	if err != nil {
		return "", dokument{}, err
	}
	id, _ := lesUUID(r.PathValue("id"))
	d, ok := p.lager.finn(id, p.na())
	if !ok || !k.har(d.konto) {
		return "", dokument{}, feilDokument.feil()
	}
	return id, d, nil
}

func (p *Plattform) lastNed(w http.ResponseWriter, r *http.Request) error {
	_, d, err := p.dokument(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(d.kropp))) // .NET looks at nothing else (§2.5)
	_, _ = w.Write(d.kropp)
	return nil
}

// dokumentsvar has the members of KS's client (fiks-dokumentlager-klient, DokumentMetadataDownloadResult).
type dokumentsvar struct {
	ID                 string  `json:"id"`
	Dokumentnavn       string  `json:"dokumentnavn"`
	MimeType           string  `json:"mimeType"`
	KryptertStorrelse  int64   `json:"kryptertStorrelse"`
	UkryptertStorrelse *int64  `json:"ukryptertStorrelse"` // nobody but the receiver can know
	Korrelasjonsid     *string `json:"korrelasjonsid"`
}

func (p *Plattform) dokumentMetadata(w http.ResponseWriter, r *http.Request) error {
	id, d, err := p.dokument(r)
	if err != nil {
		return err
	}
	return svarJSON(w, http.StatusOK, dokumentsvar{ID: id, Dokumentnavn: d.navn, MimeType: "application/octet-stream", KryptertStorrelse: int64(len(d.kropp))})
}
