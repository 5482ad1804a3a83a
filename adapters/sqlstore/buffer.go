package sqlstore

import "sync"

// maksBuffer bounds the answers kept. There is one for each integration, sender and receiver in use, or for each receiver.
const maksBuffer = 4096

// buffer keeps answers together with the number the directory had when they were read. Every question reads the number
// again, in the same statement as what can never be kept, and an answer of another number is not used: so a kept answer is as good
// as a new one, on every replica, and costs no parsing of JSON and certificates.
type buffer[K comparable, V any] struct {
	mu sync.Mutex
	nr int64
	av map[K]V
}

// hent gives the zero value for what is not kept. The answer may be of any number: it knows its own.
func (b *buffer[K, V]) hent(n K) V {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.av[n]
}

func (b *buffer[K, V]) behold(nr int64, n K, v V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.av == nil || nr != b.nr || len(b.av) >= maksBuffer {
		b.nr, b.av = nr, map[K]V{}
	}
	b.av[n] = v
}
