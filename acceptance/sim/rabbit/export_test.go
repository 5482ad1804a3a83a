package rabbit

// Porter are all that the node listens on.
func (b *Broker) Porter() []int { return []int{b.o.port, b.o.epmd, b.o.dist} }
