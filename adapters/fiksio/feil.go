package fiksio

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"

	"portal.example/bekymringsmelding/ports"
)

// utilgjengelig is ErrUnavailable with a word on why. The text of err is not in it: a malformed answer is quoted there.
func utilgjengelig(err error) error {
	for _, slutt := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, slutt) {
			return fmt.Errorf("%w: %w", ports.ErrUnavailable, slutt)
		}
	}
	return fmt.Errorf("%s: %w", grunn(err), ports.ErrUnavailable)
}

// grunn says in words of our own why a connection was not made or did not last.
func grunn(err error) string {
	var (
		amqpfeil *amqp.Error
		ukjent   x509.UnknownAuthorityError
		navn     x509.HostnameError
		ugyldig  x509.CertificateInvalidError
		sert     *tls.CertificateVerificationError
		dns      *net.DNSError
		nett     net.Error
	)
	switch {
	case errors.As(err, &amqpfeil) && amqpfeil.Server:
		if amqpfeil.Code == amqp.AccessRefused {
			return "innlogging eller lesing nektet"
		}
		return fmt.Sprintf("megleren lukket med kode %d", amqpfeil.Code)
	case errors.Is(err, amqp.ErrCredentials):
		return "innlogging nektet"
	case errors.As(err, &ukjent):
		return "tjenerens sertifikat er utstedt av noen vi ikke stoler på"
	case errors.As(err, &navn):
		return "tjenerens sertifikat gjelder et annet navn"
	case errors.As(err, &ugyldig), errors.As(err, &sert):
		return "tjenerens sertifikat er ikke gyldig"
	case errors.As(err, &dns):
		return "vertsnavnet kan ikke slås opp"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "ingen lytter på adressen"
	case errors.As(err, &nett) && nett.Timeout():
		return "tidsavbrudd"
	}
	for _, egen := range []error{errToken, errTokenNektet, errAvsluttet} {
		if errors.Is(err, egen) {
			return egen.Error()
		}
	}
	return "forbindelsen ble brutt"
}
