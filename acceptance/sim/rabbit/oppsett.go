package rabbit

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"portal.example/bekymringsmelding/acceptance/sim/loopback"
)

//go:embed styring.erl
var styringErl []byte

// program is Debian's script as it is, without the wrapper on PATH that insists on Debian's own user and folders.
const program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// ErrMangler says that Debian's rabbitmq-server is not installed.
var ErrMangler = errors.New("rabbitmq-server finnes ikke (" + program + ")")

// oppsett is what stays the same through every run of a node: its folder, ports and users.
type oppsett struct {
	mappe              string
	vert               string
	port, epmd, dist   int
	passord            string // of plattformbruker
	vakt               string
	sertifikat, nokkel []byte // PEM
}

// plattformbruker is our own user, known to the node itself. Integrations are UUIDs.
const plattformbruker = "plattform"

// ledigPort finds a port below those the system gives away by itself: nothing takes it while the node is down.
func ledigPort() (int, error) {
	for range 100 {
		p := 15_000 + mrand.IntN(17_000)
		if provPort("127.0.0.1", p) == nil {
			return p, nil
		}
	}
	return 0, errors.New("rabbit: fant ingen ledig port")
}

// lesOppsett chooses ports and reads the certificate, which is also all that our own connection trusts.
func lesOppsett(c Config) (*oppsett, *tls.Config, error) {
	adresse, err := loopback.Adresse(c.Adresse)
	if err != nil {
		return nil, nil, fmt.Errorf("rabbit: %w", err)
	}
	vert, port, _ := net.SplitHostPort(adresse) // it was put together just now
	o := &oppsett{vert: vert, passord: rand.Text()}
	if o.port, err = strconv.Atoi(port); err != nil {
		return nil, nil, fmt.Errorf("rabbit: %w", err)
	}
	for _, p := range []*int{&o.port, &o.epmd, &o.dist} {
		if *p != 0 {
			continue
		}
		if *p, err = ledigPort(); err != nil {
			return nil, nil, err
		}
	}
	if o.sertifikat, err = os.ReadFile(c.SertifikatFil); err != nil {
		return nil, nil, err
	}
	if o.nokkel, err = os.ReadFile(c.NokkelFil); err != nil {
		return nil, nil, err
	}
	par, err := tls.X509KeyPair(o.sertifikat, o.nokkel)
	if err != nil {
		return nil, nil, fmt.Errorf("rabbit: %w", err)
	}
	return o, bareDenne(par.Certificate[0]), nil
}

// bareDenne trusts one certificate, whoever issued it and whatever name it carries.
func bareDenne(der []byte) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: func(kjede [][]byte, _ [][]*x509.Certificate) error {
		if len(kjede) == 0 || !bytes.Equal(kjede[0], der) {
			return errors.New("rabbit: en annen tjener svarer på adressen")
		}
		return nil
	}}
}

func provPort(vert string, port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort(vert, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// portfeil says which port somebody else has, if any.
func (o *oppsett) portfeil() error {
	return errors.Join(provPort(o.vert, o.port), provPort("127.0.0.1", o.epmd), provPort("127.0.0.1", o.dist))
}

// conf is rabbitmq.conf. A password of 6 kB fits in the first frame (reference fiks-io.md §1.7). The write-ahead log is kept in memory
// too: an eighth of RabbitMQ's own size does.
func (o *oppsett) conf() string {
	return fmt.Sprintf(`listeners.tcp = none
listeners.ssl.1 = %s
ssl_options.certfile = sertifikat.pem
ssl_options.keyfile = nokkel.pem
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
initial_frame_max = 65536
default_user = %s
default_pass = %s
auth_backends.1 = internal
auth_backends.2 = http
auth_http.http_method = post
auth_http.user_path = %[4]s/user
auth_http.vhost_path = %[4]s/vhost
auth_http.resource_path = %[4]s/resource
auth_http.topic_path = %[4]s/topic
raft.wal_max_size_bytes = 67108864
log.file = false
log.console = true
log.console.level = warning
`, o.adresse(), plattformbruker, o.passord, o.vakt)
}

func (o *oppsett) adresse() string { return net.JoinHostPort(o.vert, strconv.Itoa(o.port)) }

// miljo is all of the node's environment: a RABBITMQ_ setting of whoever starts us does not reach it.
func (o *oppsett) miljo() []string {
	i := func(navn string) string { return filepath.Join(o.mappe, navn) }
	return []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + o.mappe,
		"RABBITMQ_NODENAME=fiks@localhost", "RABBITMQ_DIST_PORT=" + strconv.Itoa(o.dist),
		"RABBITMQ_MNESIA_BASE=" + i("data"), "RABBITMQ_LOG_BASE=" + i("logg"), "RABBITMQ_PID_FILE=" + i("pid"),
		"RABBITMQ_CONFIG_FILE=" + i("rabbitmq.conf"), "RABBITMQ_ADVANCED_CONFIG_FILE=" + i("ingen.config"),
		"RABBITMQ_CONF_ENV_FILE=" + i("env.conf"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + i("plugins"),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
		"ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT=" + strconv.Itoa(o.epmd),
	}
}

func (o *oppsett) skriv() error {
	for navn, innhold := range map[string][]byte{
		"rabbitmq.conf": []byte(o.conf()), "plugins": []byte("[rabbitmq_auth_backend_http].\n"), "env.conf": nil,
		"sertifikat.pem": o.sertifikat, "nokkel.pem": o.nokkel, "styring.erl": styringErl,
		".erlang.cookie": []byte(rand.Text()),
	} {
		if err := os.WriteFile(filepath.Join(o.mappe, navn), innhold, 0o600); err != nil {
			return err
		}
	}
	return nil
}
