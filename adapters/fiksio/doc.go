// Package fiksio is ports.Transport and ports.Catalogue over Fiks IO: reports leave by its HTTP send API, answers come over AMQP 0-9-1
// with TLS. New takes the settings, Send sends one attempt, Receive takes answers until its context ends.
//
// It judges nothing: what an answer means is decided in domain/levering, from work that was stored before the broker was told «taken».
// Nothing is ever answered here, so two systems can never answer each other's receipts for ever.
//
// Source of the wire: reference fiks-io.md, gathered from KS's public clients and documentation. No client declares a queue or publishes
// over AMQP, and neither do we. A message is never handed back to the broker: three deliveries without an ack and the platform gives an
// answer up (§1.6), so a store that is down makes us hold the message and try again, for as long as the connection lives.
package fiksio
