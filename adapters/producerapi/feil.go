package producerapi

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Feilmelding is the error body of every Fiks API (reference §1.1). KS's Java client looks at members and never at the status:
// it throws because it does not know timestamp, and would take an error with a member uuid for success, so there is none (D8).
type Feilmelding struct {
	Timestamp int64             `json:"timestamp" doc:"Tidspunkt i millisekunder siden 1.1.1970 UTC" example:"1795325955266"`
	Status    int               `json:"status" doc:"HTTP-status" example:"400"`
	Error     string            `json:"error" doc:"Navnet på HTTP-statusen" example:"Bad Request"`
	ErrorID   string            `json:"errorId" format:"uuid" doc:"Feilens egen id. Oppgi den ved henvendelser" example:"0f5b7c0e-8f3b-4a53-9d0a-0b8c8a1f7d11"`
	Path      string            `json:"path" doc:"Adressen som ble kalt" example:"/bekymringsmelding/api/v2/kommuner/4601"`
	Message   string            `json:"message" doc:"Forklaring på bokmål" example:"En parameter har ikke riktig form."`
	ErrorCode string            `json:"errorCode,omitempty" doc:"Stabil feilkode. Listen står i dokumentasjonen" example:"UGYLDIG_PARAMETER"`
	ErrorJSON map[string]string `json:"errorJson,omitempty" doc:"Opplysninger som hører til feilkoden"`
}

// maksTapp is how much of a refused body is read on. The largest body KS's client was seen to send and still read its 413 was
// 12 MB (java-klienter.md §5).
const maksTapp = 16 << 20

// avvis writes the refusal and flushes it, and only then reads the body on: a connection closed with unread bytes is reset and
// the client never sees the answer. Reading first would answer Expect: 100-continue with an invitation.
func (a *API) avvis(k *kall, err error) {
	f := tilFeil(err)
	k.feil = nil
	kropp := Feilmelding{
		Timestamp: a.cfg.Clock.Now().UnixMilli(), Status: f.kode.Status, Error: http.StatusText(f.kode.Status), ErrorID: nyUUID(),
		Path: k.sti(), Message: f.melding, ErrorCode: f.kode.Kode, ErrorJSON: f.detaljer,
	}
	if kropp.Message == "" {
		kropp.Message = f.kode.Melding
	}
	a.loggAvvist(k, f, kropp.ErrorID)
	b, _ := json.Marshal(kropp) // strings and integers only
	h := k.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b))) // known, so that the answer is whole for the client while we still read
	if f.vent > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.vent+time.Second-1)/time.Second)))
	}
	if f.kode == FeilIkkeAutentisert {
		utfordring(h)
	}
	ulest := !k.kropp.slutt && k.inn.ContentLength != 0
	if ulest {
		h.Set("Connection", "close")
	}
	k.w.WriteHeader(f.kode.Status)
	_, _ = k.w.Write(b)
	if !ulest {
		return
	}
	c := http.NewResponseController(k.w)
	_ = c.Flush()
	_ = c.SetReadDeadline(time.Now().Add(a.cfg.Tapp))
	_, _ = io.CopyN(io.Discard, k.kropp, maksTapp)
}

func (a *API) loggAvvist(k *kall, f *feil, id string) {
	// Anybody can be refused, also without a login: the log must not be theirs to fill the disk with. What is left out is counted.
	if f.kode.Status < http.StatusInternalServerError && !a.loggtakt.AllowN(a.cfg.Clock.Now(), 1) {
		a.utelatt.Add(1)
		return
	}
	nivaa, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("feil", id), slog.String("kode", f.kode.Kode), slog.Int("status", f.kode.Status), slog.String("rute", k.rute),
		slog.String("integrasjon", string(k.integrasjon.ID)),
	}
	if n := a.utelatt.Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("utelatt", n))
	}
	if f.kode.Status >= http.StatusInternalServerError {
		nivaa = slog.LevelError
		if f.arsak != nil {
			attrs = append(attrs, slog.String("arsak", f.arsak.Error())) // ports' errors hold ids only
		}
	}
	a.cfg.Logg.LogAttrs(k.inn.Context(), nivaa, "kall avvist", attrs...)
}

// sti is the path as the error body shows it: as called, but a segment that is not a number or a UUID shows its parameter's
// name, and an unknown path shows nothing of itself. So the body echoes no input that could be anything.
func (k *kall) sti() string {
	if k.rute == "" {
		return Prefiks
	}
	navn, verdi := strings.Split(k.rute, "/"), strings.Split(k.inn.URL.Path, "/")
	for i := range navn {
		if strings.HasPrefix(navn[i], "{") && i < len(verdi) && ufarlig(verdi[i]) {
			navn[i] = verdi[i]
		}
	}
	return strings.Join(navn, "/")
}

// ufarlig holds for short numbers and for UUIDs; eleven digits would be a fødselsnummer.
func ufarlig(s string) bool {
	if len(s) != 36 && len(s) > 4 {
		return false
	}
	return strings.Trim(s, "0123456789abcdefABCDEF-") == ""
}

// nyUUID is a random UUID (RFC 9562 §5.4).
func nyUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
