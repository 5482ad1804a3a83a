package sim

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// ErrUtenfor says that an address is not this machine's own.
var ErrUtenfor = errors.New("adressen må være på denne maskinen, som 127.0.0.1:0")

// Loopback gives the address to bind: host:port with an IP address of this machine alone. A name other than localhost is not looked up,
// for it could mean anything; a real one of KS's is refused by name, so that nobody believes to have moved it here.
func Loopback(adresse string) (string, error) {
	vert, port, err := net.SplitHostPort(adresse)
	if err != nil {
		return "", fmt.Errorf("%q: %w", adresse, err)
	}
	if ErKS(vert) {
		return "", fmt.Errorf("%q er et av KS sine egne navn: %w", adresse, ErrUtenfor)
	}
	if vert == "localhost" {
		vert = "127.0.0.1"
	}
	if ip := net.ParseIP(vert); ip == nil || !ip.IsLoopback() {
		return "", fmt.Errorf("%q: %w", adresse, ErrUtenfor)
	}
	return net.JoinHostPort(vert, port), nil
}

// ErKS says whether a host name is ks.no or under it.
func ErKS(vert string) bool {
	vert = strings.ToLower(strings.TrimSuffix(vert, "."))
	return vert == "ks.no" || strings.HasSuffix(vert, ".ks.no")
}
