// Package broker is the seam between the simulated Fiks IO platform and the AMQP broker that carries its queues. Two brokers fit it,
// and one contract suite (brokertest) holds both to the same behaviour as a client sees it:
//
//   - ../amqp, a small server built in, so that a demo and a vendor's laptop need no installation;
//   - ../rabbit, stock RabbitMQ from Debian, set up as KS's platform seems to be (reference fiks-io.md §10).
//
// Clients only consume, ack and nack. Everything else (queues, publishing, what happens to dead messages) is the platform's, and
// goes through Broker.
package broker

import (
	"context"
	"time"
)

// Melding is one message on an account's queue.
type Melding struct {
	Headere map[string]string // every value an AMQP long string: .NET and Go clients fail on anything else
	TTL     time.Duration     // expires when this has passed and it is at the head of the queue; 0 = never
	Kropp   []byte            // CMS, or empty
}

// Arsak is why a message left its queue without having been acked. The words are RabbitMQ's (x-death reason).
type Arsak string

const (
	Utlopt  Arsak = "expired"        // TTL ran out at the head of the queue
	Oppgitt Arsak = "delivery_limit" // three deliveries, none acked
	Avvist  Arsak = "rejected"       // nack or reject without requeue
)

// Forsok is how many deliveries a message gets before it is given up.
const Forsok = 3

// Dod is one message that left its queue without having been acked: headers and body as they were.
type Dod struct {
	Ko      string
	Arsak   Arsak
	Melding Melding
}

// Status of one queue.
type Status struct {
	Klare       int // ready to be delivered
	Ubekreftede int // delivered to a consumer and not yet acked
	Konsumenter int
}

// Tilgang is the platform's word on who may log in and read what. A broker asks LoggInn at every connection and KanLese at every
// consume, and keeps no answer: a revoked integration is out at its next connection.
type Tilgang interface {
	// LoggInn is given the whole SASL PLAIN password: the integration's password, one blank, and an access token.
	LoggInn(ctx context.Context, bruker, passord string) bool
	KanLese(ctx context.Context, bruker, ko string) bool
}

// Broker holds the queues. All methods are safe for concurrent use.
type Broker interface {
	// Opprett makes a queue; one that exists is kept as it is.
	Opprett(ctx context.Context, ko string) error
	// Legg puts a message last on a queue. nil = the queue has it. An unknown queue is an error.
	Legg(ctx context.Context, ko string, m Melding) error
	// Dode calls ta for each dead message until ctx ends, one at a time; it is kept until ta returned nil.
	Dode(ctx context.Context, ta func(context.Context, Dod) error) error
	Status(ctx context.Context, ko string) (Status, error)
	// Adresse is where clients connect, as host:port, with TLS.
	Adresse() string
	// Brudd closes every client connection, as a restart does; queues and messages are kept. Clients may connect again at once.
	Brudd(ctx context.Context) error
	Close() error
}

// Omstart is a broker that can be taken down and up again in place, as an operator does. Both here can.
type Omstart interface {
	// Stopp ends in good order: clients are broken off as by Brudd, and nobody can connect. Queues and messages are kept.
	Stopp(ctx context.Context) error
	// Igjen takes clients again, on the same address. One that runs is left alone.
	Igjen(ctx context.Context) error
}

// Klokke is the time a broker that can be given one goes by (ports.Clock fits).
type Klokke interface {
	Now() time.Time
	At(t time.Time) (fired <-chan time.Time, stop func())
}
