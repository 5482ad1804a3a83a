package sqlstore

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/domain/melding"
)

// Kept reports are forgotten in time, and never take more room than their bounds, whatever comes: sealed content does not stay in memory
// after it is erased in the database (D18).
func TestDetSomHuskesTarLitenPlassOgGlemmes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		var n nylige
		innhold := melding.ForsegletBytes(melding.X509, make([]byte, 256<<10))
		for i := range 3 * maksNylige {
			id := melding.ID(strconv.Itoa(i))
			n.behold(&nylig{lest: lest{id: id}, asice: innhold})
			n.behold(&nylig{lest: lest{id: id}, asice: innhold}) // once more takes no more room
			is.True(n.innhold <= maksNyligInnhold)
			is.True(len(n.av) <= maksNylige)
		}
		med := 0
		for id := range n.av {
			if x := n.ta(id); !x.asice.Tom() {
				med++
			}
			is.True(n.ta(id) == nil)
		}
		is.True(med > 0)
		is.Equal(n.innhold, int64(0))

		n.behold(&nylig{lest: lest{id: "a"}, asice: innhold})
		<-time.NewTimer(nyligLevetid / 2).C
		n.behold(&nylig{lest: lest{id: "b"}, asice: innhold})
		<-time.NewTimer(nyligLevetid/2 + 1).C
		synctest.Wait()
		is.Equal(len(n.av), 1)
		is.True(n.ta("b") != nil)
		<-time.NewTimer(nyligLevetid).C
		is.Equal(n.innhold, int64(0))
	})
}
