package sqlstore

import (
	"encoding/json"
	"time"
)

// Instants are integer µs since 1970 in both databases: they sort, compare and come back exactly. The zero time has its own
// number (it is far before 1970), so it needs no NULL.

func mikro(t time.Time) int64 { return t.UnixMicro() }

func tid(us int64) time.Time { return time.UnixMicro(us).UTC() }

// mikroEller is NULL for the zero time, where an index asks for "not yet".
func mikroEller(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := mikro(t)
	return &us
}

func tidEller(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return tid(*us)
}

// tekst is v as JSON, for what no query looks into. The types it is used for cannot fail to marshal.
func tekst(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
