package plattform

import (
	"strconv"
	"testing"

	"github.com/matryer/is"
)

func TestTheLogKeepsTheNewestMessagesAndTheNewestPayloads(t *testing.T) {
	is := is.New(t)
	b := nyLoggbok()
	b.maksLinjer, b.maksKropp = 5, 25
	for i := range 8 {
		b.skriv(Sendt{MeldingID: strconv.Itoa(i)}, make([]byte, 10))
	}
	is.Equal(len(b.linje), 5)
	is.Equal(b.sum, int64(20))
	_, kjent := b.finn("2")
	is.True(!kjent)
	is.Equal(b.kropp("5"), nil)
	is.Equal(len(b.kropp("6")), 10)
	b.skriv(Sendt{MeldingID: "stor"}, make([]byte, 30)) // alone over the limit
	is.Equal(b.sum, int64(0))
	b.skriv(Sendt{MeldingID: "liten"}, make([]byte, 10))
	is.Equal(len(b.kropp("liten")), 10)
	is.Equal(len(b.rekke), 5)
}
