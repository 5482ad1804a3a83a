// Package amqp is a small AMQP 0-9-1 server: the broker of the simulated Fiks IO platform where no RabbitMQ is installed. Start one
// with Start; the platform then works it through broker.Broker, and case systems connect to Adresse with any AMQP client.
//
// It holds what Fiks IO's clients use (reference fiks-io.md §1 and §10.1) and behaves there as a RabbitMQ quorum queue with a
// delivery limit does; ../broker/brokertest holds both to it. Clients consume, get, ack, nack and reject. They cannot publish or
// declare: that is refused on their channel, and the connection lives on. Meldinger, Fjern and UtlopNa are for an admin page.
//
// Nothing is written to disk: a stopped process has lost its queues. It binds to loopback only. Never let anything real depend on it.
//
// How it is built. A connection is a reader goroutine that decodes methods and a writer goroutine that owns the socket's other
// direction. The writer takes a message off a queue only when it can write it, so a client that reads slowly holds back nothing but
// itself, and nothing is buffered for it. A queue hands turns to waiting consumers one at a time. Locks are taken in the order
// connection, queue, list of ready consumers or of dead messages.
package amqp
