package producerapi

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portal.example/bekymringsmelding/domain/virketid"
)

// Lokaltid is an instant as KS's Java client reads it: a LocalDateTime in Norwegian time. An offset makes it throw, and a
// trailing Z is dropped in silence, so UTC would be an hour or two wrong (D9). The field has no name of a method of time.Time:
// embedding it would let its MarshalJSON win.
type Lokaltid struct{ t time.Time }

const lokalformat = "2006-01-02T15:04:05.999999"

// MarshalText writes the time without offset.
func (l Lokaltid) MarshalText() ([]byte, error) {
	return l.t.In(virketid.Oslo()).AppendFormat(nil, lokalformat), nil
}

// Schema says string without format: date-time would promise an offset (RFC 3339).
func (Lokaltid) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Pattern: `^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?$`,
		Description: "Norsk lokal tid uten tidssone", Examples: []any{"2026-11-22T09:24:45.123456"},
	}
}
