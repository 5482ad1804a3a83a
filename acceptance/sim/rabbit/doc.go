// Package rabbit is the broker of the simulated Fiks IO platform on stock RabbitMQ (Debian's rabbitmq-server), set up as KS's platform
// seems to be (reference fiks-io.md §10). Start runs a private node; the platform works it through broker.Broker, and case systems
// connect to Adresse. Tests take a shared node from rabbittest instead, and use Stopp, Igjen and Drep to take it away and bring it
// back with its messages. Close leaves nothing: no process, no file.
//
// The node is nobody else's: it has its own folder, cookie, epmd and user, runs as whoever started it (root too), and binds to
// loopback only. Who may log in and read is asked of broker.Tilgang every time, through rabbitmq_auth_backend_http and a small server
// here. Queues are quorum queues with x-delivery-limit 2 and the dead-letter exchange fiksio.dlx.
//
// How it is built. node.go runs the processes (node.sh, and vokter.sh which cleans up after a killed test), oppsett.go writes what they
// read, tilgang.go answers RabbitMQ's questions, samband.go keeps our own connection and linje.go publishes on it, dode.go takes the
// dead. styring.erl runs inside the node and answers what AMQP cannot: counts as they are this moment, and closing connections.
package rabbit
