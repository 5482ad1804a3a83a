module portal.example/leverandor

go 1.26.0

// A vendor outside this repository writes a version here instead of the replace line.
replace portal.example/bekymringsmelding => ../..

require (
	github.com/matryer/is v1.4.1
	portal.example/bekymringsmelding v0.0.0-00010101000000-000000000000
)

require (
	github.com/rabbitmq/amqp091-go v1.16.0 // indirect
	github.com/smallstep/pkcs7 v0.2.3 // indirect
	golang.org/x/crypto v0.58.0 // indirect
)
