package rabbit

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// en lets one in, and to one queue.
type en struct{}

func (en) LoggInn(_ context.Context, bruker, passord string) bool {
	return bruker == "a" && passord == "hemmelig token"
}
func (en) KanLese(_ context.Context, bruker, ko string) bool {
	return bruker == "a" && ko == "fiksio.konto.a"
}

func TestRabbitMQIsToldThatACaseSystemMayReadItsQueueAndNothingElse(t *testing.T) {
	is := is.New(t)
	v, err := startVakt(en{})
	is.NoErr(err)
	defer func() { is.NoErr(v.Close()) }()
	const ressurs = "username=a&vhost=%2F&tags=&"
	for _, p := range []struct{ sti, skjema, vil string }{
		{"user", "username=a&password=hemmelig+token", "allow"},
		{"user", "username=a&password=hemmelig", "deny"},
		{"user", "username=b&password=hemmelig+token", "deny"},
		{"user", "username=a", "deny"},
		{"vhost", "username=a&vhost=%2F&ip=127.0.0.1&tags=", "allow"},
		{"vhost", "username=a&vhost=annet&ip=127.0.0.1&tags=", "deny"},
		{"resource", ressurs + "resource=queue&name=fiksio.konto.a&permission=read", "allow"},
		{"resource", ressurs + "resource=queue&name=fiksio.konto.b&permission=read", "deny"},
		{"resource", "username=b&vhost=%2F&tags=&resource=queue&name=fiksio.konto.a&permission=read", "deny"},
		{"resource", "username=a&vhost=annet&tags=&resource=queue&name=fiksio.konto.a&permission=read", "deny"},
		{"resource", ressurs + "resource=queue&name=fiksio.konto.a&permission=write", "deny"},
		{"resource", ressurs + "resource=queue&name=fiksio.konto.a&permission=configure", "deny"},
		{"resource", ressurs + "resource=exchange&name=fiksio.konto.a&permission=read", "deny"},
		{"topic", ressurs + "resource=topic&name=fiksio.konto.a&permission=read&routing_key=x", "deny"},
		{"user", "%", "deny"}, // not a form
	} {
		is.Equal(spor(t, v.adresse+"/"+p.sti, p.skjema), p.vil)
	}
	u, err := url.Parse(v.adresse)
	is.NoErr(err)
	for _, sti := range []string{"/user", "/gjettet/user"} {
		is.True(spor(t, "http://"+u.Host+sti, "username=a&password=hemmelig+token") != "allow") // without the secret nobody is answered
	}
	w := httptest.NewRecorder()
	sporsmal(en{}).ServeHTTP(w, httptest.NewRequest("GET", "/user?username=a&password=hemmelig+token", nil))
	is.Equal(w.Code, http.StatusMethodNotAllowed)
}

func spor(t *testing.T, adresse, skjema string) string {
	t.Helper()
	r, err := (&http.Client{Timeout: 10 * time.Second}).Post(adresse, "application/x-www-form-urlencoded", strings.NewReader(skjema))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestATimeToLiveIsNeverRoundedDownToNothing(t *testing.T) {
	is := is.New(t)
	for ttl, vil := range map[time.Duration]string{0: "", time.Nanosecond: "1", time.Millisecond: "1", 1500 * time.Microsecond: "2", time.Hour: "3600000"} {
		p, err := tilAMQP("ko", broker.Melding{TTL: ttl})
		is.NoErr(err)
		is.Equal(p.Expiration, vil)
	}
}

// RabbitMQ answers these by closing the channel or the connection, and everybody's messages under way would be of unknown fate.
func TestWhatRabbitMQWouldCloseTheConnectionForIsRefusedBefore(t *testing.T) {
	is := is.New(t)
	for hva, p := range map[string]struct {
		ko string
		m  broker.Melding
	}{
		"a queue without a name":           {"", broker.Melding{}},
		"a queue with a long name":         {strings.Repeat("k", 256), broker.Melding{}},
		"a queue with a blank in its name": {"a b", broker.Melding{}},
		"a header without a name":          {"ko", broker.Melding{Headere: map[string]string{"": "x"}}},
		"a header with a long name":        {"ko", broker.Melding{Headere: map[string]string{strings.Repeat("h", 256): "x"}}},
		"headers larger than a frame":      {"ko", broker.Melding{Headere: map[string]string{"a": strings.Repeat("x", 121<<10)}}},
		"a time to live of fifty days":     {"ko", broker.Melding{TTL: 50 * 24 * time.Hour}},
	} {
		t.Run(hva, func(t *testing.T) {
			_, err := tilAMQP(p.ko, p.m)
			is.True(err != nil)
		})
	}
}
