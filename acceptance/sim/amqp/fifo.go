package amqp

import "slices"

// fifo is a queue in memory: last in and first out cost the same however long it is, and what is taken is not held on to.
type fifo[T any] struct {
	a []T
	h int // a[h:] is what it holds
}

func (f *fifo[T]) antall() int { return len(f.a) - f.h }

func (f *fifo[T]) legg(v T) { f.a = append(f.a, v) }

func (f *fifo[T]) forste() (v T, ok bool) {
	if f.antall() == 0 {
		return v, false
	}
	return f.a[f.h], true
}

func (f *fifo[T]) ta() (v T, ok bool) {
	v, ok = f.forste()
	if !ok {
		return v, false
	}
	var tom T
	f.a[f.h] = tom
	f.h++
	if f.h == len(f.a) || f.h >= 64 && f.h*2 >= len(f.a) { // each copied element has paid for it by one taken
		f.a = slices.Delete(f.a, 0, f.h)
		f.h = 0
	}
	return v, true
}
