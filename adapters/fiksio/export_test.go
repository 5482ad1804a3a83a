package fiksio

// SvarAv is how a delivery becomes an answer, by itself: values of any kind can be tried that no broker in a test would carry.
var SvarAv = svarAv

// Pauser is the first n pauses of a connection that never comes.
func Pauser(n int) (ut []int64) {
	p := pause{forst: forsteKoblepause}
	for range n {
		ut = append(ut, p.neste().Milliseconds())
	}
	return ut
}
