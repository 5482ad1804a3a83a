package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// MerkeBrevstopp holds the instant until which letters are held back.
const MerkeBrevstopp = "brevstopp-til"

// MaksBrevstopp is the longest an operator may hold letters back at a time (D20).
const MaksBrevstopp = 4 * time.Hour

// Brevpause is how long after a hold was lifted the last letter may still wait.
const Brevpause = 5 * time.Minute

const (
	brevGrense    = 20               // letters in one sweep that are never unusual
	brevVindu     = 10 * time.Minute // a sweep: what goes now, and what went within this
	klokkeslingre = time.Minute      // far above what two ready replicas differ by
)

// brevstopp is until when letters are held back; zero = they are not. A mark nobody can read, or one further ahead than an operator may
// ask for, must not stop letters.
func (s *Service) brevstopp(ctx context.Context) (time.Time, error) {
	v, err := s.Ledger.Mark(ctx, MerkeBrevstopp)
	if err != nil || v == "" {
		return time.Time{}, err
	}
	til, err := time.Parse(time.RFC3339, v)
	if err != nil || til.Sub(s.Clock.Now()) > MaksBrevstopp+klokkeslingre {
		return time.Time{}, nil //nolint:nilerr // see above
	}
	return til, nil
}

func tidligst(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// ErrBrevstopp says that letters cannot be held so long, or are not held now.
var ErrBrevstopp = errors.New("brevstopp")

func brevstoppsak(til time.Time) levering.SakID {
	return levering.SakID("ledger/" + string(levering.SakBrevstopp) + "/" + til.UTC().Format(time.RFC3339))
}

// HoldBrev holds back letters that the frist would order, for at most MaksBrevstopp from now; then they go by themselves. Letters that
// are ordered already go. A case keeps who and why.
func (s *Service) HoldBrev(ctx context.Context, hvem, grunn string, varighet time.Duration) (til time.Time, err error) {
	if err := levering.KontrollerOperator(hvem, grunn); err != nil {
		return time.Time{}, err
	}
	if varighet <= 0 || varighet > MaksBrevstopp {
		return time.Time{}, fmt.Errorf("%w: brev kan holdes tilbake i 1 til %d timer om gangen", ErrBrevstopp, int(MaksBrevstopp.Hours()))
	}
	na := s.Clock.Now()
	gammel, err := s.brevstopp(ctx)
	if err != nil {
		return time.Time{}, err
	}
	til = na.Add(varighet).UTC().Truncate(time.Second)
	// A crash before the mark is set leaves a case and no hold: letters go, and the operator was not told otherwise.
	if err := s.Ledger.OpenCase(ctx, levering.Sak{ID: brevstoppsak(til), Art: levering.SakBrevstopp, Apnet: na, Frist: til,
		Grunn: "brevstopp av " + hvem + ": " + grunn}); err != nil {
		return time.Time{}, err
	}
	if err := s.Ledger.SetMark(ctx, MerkeBrevstopp, til.Format(time.RFC3339)); err != nil {
		return time.Time{}, err
	}
	if na.Before(gammel) && !gammel.Equal(til) {
		err = s.lukkHvisApen(ctx, brevstoppsak(gammel), melding.AktorOperator(hvem), "avløst av et nytt", na)
	}
	return til, err
}

// SlippBrev lifts a hold before its time. ErrBrevstopp when letters are not held.
func (s *Service) SlippBrev(ctx context.Context, hvem, grunn string) error {
	if err := levering.KontrollerOperator(hvem, grunn); err != nil {
		return err
	}
	na := s.Clock.Now()
	til, err := s.brevstopp(ctx)
	if err != nil {
		return err
	}
	if !na.Before(til) {
		return fmt.Errorf("%w: brev holdes ikke tilbake nå", ErrBrevstopp)
	}
	// A crash before the mark is gone leaves the hold, with its case closed: the operator lifts it again, or it runs out.
	if err := s.lukkHvisApen(ctx, brevstoppsak(til), melding.AktorOperator(hvem), "opphevet: "+grunn, na); err != nil {
		return err
	}
	return s.Ledger.SetMark(ctx, MerkeBrevstopp, "")
}

// brevvarsler is what a process remembers between letters, so that a sweep of thousands does not cost thousands of counts.
type brevvarsler struct {
	mu      sync.Mutex
	maned   int // letters in the last 30 days
	regnet  time.Time
	varslet levering.SakID // the last one logged
}

// varsleMangeBrev alarms before the first letter of a sweep in which the frist releases more than max(20, 5 × the daily mean): a whole case
// system may be silent, or our own clock wrong. Letters after a rejection or a refused send come one by one, and count with the rest as
// they go: a case system, or the platform, may be refusing everything. It counts in the store, so any number of replicas see one sweep;
// ekstra are letters it cannot see there yet. They go all the same, unless an operator holds those of the frist: also when the alarm
// itself fails.
func (s *Service) varsleMangeBrev(ctx context.Context, na time.Time, ekstra int) {
	if err := s.seEtterMangeBrev(ctx, na, ekstra); err != nil {
		s.Logg.ErrorContext(ctx, "kunne ikke telle brevene som slippes nå", "feil", err.Error())
	}
}

func (s *Service) seEtterMangeBrev(ctx context.Context, na time.Time, ekstra int) error {
	n, err := s.brevSomSlippes(ctx, na)
	if n += ekstra; err != nil || n <= brevGrense {
		return err
	}
	maned, err := s.brevSisteManed(ctx, na)
	if err != nil || n <= 5*maned/30 {
		return err
	}
	id := levering.SakID("ledger/" + string(levering.SakMangeBrev) + "/" + na.Format("2006-01-02"))
	if err := s.Ledger.OpenCase(ctx, levering.Sak{ID: id, Art: levering.SakMangeBrev, Kritisk: true, Apnet: na, Frist: na.Add(time.Hour),
		Grunn: "uvanlig mange brev går ut nå"}); err != nil {
		return err
	}
	s.brev.mu.Lock()
	kjent := s.brev.varslet == id
	s.brev.varslet = id
	s.brev.mu.Unlock()
	if !kjent {
		s.Logg.ErrorContext(ctx, "sak åpnet", "sak", id, "art", levering.SakMangeBrev, "antall", n)
	}
	return nil
}

// brevSomSlippes counts the reports whose frist is over, or that were rejected, and whose letter the vendor does not have, and those whose
// letter it got within the window. Each count reads only the few rows of a state that reports pass through.
func (s *Service) brevSomSlippes(ctx context.Context, na time.Time) (n int, err error) {
	til := na.Add(time.Microsecond) // FristTil is exclusive
	for _, f := range []ports.Filter{
		{Tilstand: melding.AKSEPTERT, FristTil: til},
		{Tilstand: melding.SENDT_FAGSYSTEM, FristTil: til},
		{Tilstand: melding.AVVIST_FAGSYSTEM},
		{Tilstand: melding.SENDT_PRINT, EndretFra: na.Add(-brevVindu)},
	} {
		k, err := s.Overview.Count(ctx, f)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}

// varsleOmBrev is varsleMangeBrev for one letter that is about to go.
func (s *Service) varsleOmBrev(ctx context.Context, m melding.Melding, na time.Time) {
	ekstra := 0
	if t := m.Tilstand(); (t == melding.AKSEPTERT || t == melding.SENDT_FAGSYSTEM) && na.Before(m.Fakta.Frist) {
		ekstra = 1 // refused, and not counted until the vendor has it
	}
	s.varsleMangeBrev(ctx, na, ekstra)
}

// brevSisteManed reads a month of rows, so it is asked for at most once a window.
func (s *Service) brevSisteManed(ctx context.Context, na time.Time) (int, error) {
	s.brev.mu.Lock()
	defer s.brev.mu.Unlock()
	if !s.brev.regnet.IsZero() && na.Sub(s.brev.regnet) < brevVindu {
		return s.brev.maned, nil
	}
	n, err := s.Overview.Count(ctx, ports.Filter{Kanal: kommune.Print, InnsendtFra: na.Add(-30 * 24 * time.Hour)})
	if err == nil {
		s.brev.maned, s.brev.regnet = n, na
	}
	return n, err
}
