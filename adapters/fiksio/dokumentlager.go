package fiksio

import (
	"context"
	"net/http"

	"portal.example/bekymringsmelding/domain/melding"
)

// dokument fetches one payload. ferdig = there is nothing more to try: it came, it is gone, or it is larger than is kept.
func (t *Transport) dokument(ctx context.Context, id string) (b []byte, ferdig bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.api+"/dokumentlager/nedlasting/"+id, nil)
	if err != nil {
		return nil, true
	}
	s, err := t.kall(req, melding.MaksSvar+1)
	if err != nil {
		return nil, false
	}
	switch s.status {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, true
	default:
		return nil, false
	}
	if len(s.kropp) > melding.MaksSvar {
		return nil, true
	}
	return s.kropp, true
}
