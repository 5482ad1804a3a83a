package sqlstore

import (
	"strings"

	"github.com/uptrace/bun/schema"
)

// UtenNul is d for text from the wire. No database holds a zero byte in text, and bun makes a broken statement of it; an answer with
// one in a header would then be refused for ever. It is replaced like every other byte that is not text.
func UtenNul(d schema.Dialect) schema.Dialect { return utenNul{d} }

type utenNul struct{ schema.Dialect }

func (d utenNul) AppendString(b []byte, s string) []byte {
	return d.Dialect.AppendString(b, strings.ReplaceAll(s, "\x00", "\ufffd"))
}
