package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/virketid"
)

// skjerm writes for people: local times, aligned, colour only on a terminal, nothing when quiet.
type skjerm struct {
	mu    sync.Mutex
	stum  bool
	farge bool
}

func nySkjerm(stum bool) *skjerm {
	i, err := os.Stdout.Stat()
	return &skjerm{stum: stum, farge: err == nil && i.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == ""}
}

func (s *skjerm) linje(format string, a ...any) {
	if s.stum {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Printf(format+"\n", a...)
}

func (s *skjerm) med(kode, tekst string) string {
	if !s.farge {
		return tekst
	}
	return "\x1b[" + kode + "m" + tekst + "\x1b[0m"
}

func (s *skjerm) fet(t string) string   { return s.med("1", t) }
func (s *skjerm) svak(t string) string  { return s.med("2", t) }
func (s *skjerm) gronn(t string) string { return s.med("32", t) }

func klokkeslett(t time.Time) string { return t.In(virketid.Oslo()).Format("15:04:05") }

func dato(t time.Time) string {
	l := t.In(virketid.Oslo())
	return fmt.Sprintf("%s %s", ukedag[l.Weekday()], l.Format("2.1. kl. 15:04"))
}

var ukedag = [...]string{"søndag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag"}

func sekunder(d time.Duration) string { return fmt.Sprintf("%d sekunder", int(d.Seconds())) }
