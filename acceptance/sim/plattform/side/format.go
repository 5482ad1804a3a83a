package side

import (
	"fmt"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/virketid"
)

// kort is the end of a message type: what tells them apart.
func kort(meldingstype string) string {
	for _, prefiks := range []string{"no.ks.fiks.bekymringsmelding.", "no.ks.fiks."} {
		if s, ok := strings.CutPrefix(meldingstype, prefiks); ok {
			return s
		}
	}
	return meldingstype
}

func tid(t time.Time) string { return t.In(virketid.Oslo()).Format("02.01. 15:04:05") }

func storrelse(n int64) string {
	switch {
	case n == 0:
		return "–"
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%d kB", (n+1<<9)>>10)
	}
	return strings.Replace(fmt.Sprintf("%.1f MB", float64(n)/(1<<20)), ".", ",", 1)
}

func sekunder(d time.Duration) int { return int(d / time.Second) }

// varighet is how long a message lives, in the largest unit that is whole.
func varighet(d time.Duration) string {
	for _, e := range []struct {
		enhet time.Duration
		navn  string
	}{{24 * time.Hour, "døgn"}, {time.Hour, "timer"}, {time.Minute, "minutter"}, {time.Second, "sekunder"}} {
		if d%e.enhet == 0 {
			return fmt.Sprintf("%d %s", d/e.enhet, e.navn)
		}
	}
	return fmt.Sprintf("%d millisekunder", d.Milliseconds())
}
