// Package loopback keeps the simulated world on this machine: what it may bind, and which Host headers it answers.
package loopback

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// ErrUtenfor says that an address is not this machine's own.
var ErrUtenfor = errors.New("adressen må være på denne maskinen, som 127.0.0.1:0")

// Adresse gives the address to bind: host:port with an IP address of this machine alone. A name other than localhost is not looked up,
// for it could mean anything; a real one of KS's is refused by name, so that nobody believes to have moved it here.
func Adresse(adresse string) (string, error) {
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

// Vert says whether a Host header names this machine and nothing else. A page that anybody's name can be made to lead to must not obey
// whoever made it (DNS rebinding).
func Vert(vert string) bool {
	if v, _, err := net.SplitHostPort(vert); err == nil {
		vert = v
	}
	ip := net.ParseIP(strings.Trim(vert, "[]"))
	return vert == "localhost" || ip != nil && ip.IsLoopback()
}
