package rabbit

import (
	"context"
	"crypto/rand"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"portal.example/bekymringsmelding/acceptance/sim/broker"
)

// vhost is the only one: Java and Trondheim's client know no other.
const vhost = "/"

// vakt answers rabbitmq_auth_backend_http: POST forms in, "allow" or "deny" out. Its paths begin with a secret, so that nobody else on
// the machine can try passwords here.
type vakt struct {
	adresse string // http://127.0.0.1:port/secret
	tjener  *http.Server
	ferdig  chan struct{}
}

func startVakt(t broker.Tilgang) (*vakt, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	sti := "/" + rand.Text()
	v := &vakt{adresse: "http://" + l.Addr().String() + sti, ferdig: make(chan struct{}), tjener: &http.Server{
		Handler: http.StripPrefix(sti, sporsmal(t)), ReadTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}}
	go func() {
		defer close(v.ferdig)
		_ = v.tjener.Serve(l) // ends when closed
	}()
	return v, nil
}

func (v *vakt) Close() error {
	err := v.tjener.Close()
	<-v.ferdig
	return err
}

// sporsmal knows RabbitMQ's questions (reference fiks-io.md §10). A case system may read queues and do nothing else.
func sporsmal(t broker.Tilgang) http.Handler {
	m := http.NewServeMux()
	for sti, ja := range map[string]func(context.Context, func(string) string) bool{
		"user": func(ctx context.Context, f func(string) string) bool {
			return t.LoggInn(ctx, f("username"), f("password"))
		},
		"vhost": func(_ context.Context, f func(string) string) bool {
			return f("vhost") == vhost
		},
		"resource": func(ctx context.Context, f func(string) string) bool {
			return f("vhost") == vhost && f("resource") == "queue" && f("permission") == "read" && t.KanLese(ctx, f("username"), f("name"))
		},
		"topic": func(context.Context, func(string) string) bool { return false },
	} {
		m.HandleFunc("POST /"+sti, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
			svar := "deny"
			if r.ParseForm() == nil && ja(r.Context(), r.PostForm.Get) {
				svar = "allow"
			}
			_, _ = io.WriteString(w, svar)
		})
	}
	return m
}
