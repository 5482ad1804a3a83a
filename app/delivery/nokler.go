package delivery

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
)

// varselDager are the days before expiry when a case is opened (scenario 6); 0 is the day itself.
var varselDager = []int{60, 30, 7, 0}

// SjekkNokler opens one case for each announced certificate and each limit it has passed. The id holds what the
// certificate is, so a renewed one starts anew, also under the same serial number, and a closed case is not opened again.
func (s *Service) SjekkNokler(ctx context.Context) error {
	alle, err := s.Certs.All(ctx)
	if err != nil {
		return err
	}
	na := s.Clock.Now()
	delete(alle, kommune.PortalenNeste) // the same key when the change is over, and a case of its own until then
	for eier, c := range alle {
		avtrykk := sha256.Sum256(c.Raw)
		for i := len(varselDager) - 1; i >= 0; i-- {
			d := varselDager[i]
			if na.Before(c.NotAfter.Add(-time.Duration(d) * 24 * time.Hour)) {
				continue
			}
			sak := levering.Sak{ID: levering.SakID(fmt.Sprintf("ledger/%s/%s/%x/%d", levering.SakNokkelUtloper, eier, avtrykk[:8], d)),
				Art: levering.SakNokkelUtloper, Kritisk: d <= 7, Apnet: na, Frist: c.NotAfter.UTC().Truncate(time.Microsecond),
				Grunn: fmt.Sprintf("sertifikatet for %s går ut om %d dager eller mindre", eier, d)}
			if err := s.Ledger.OpenCase(ctx, sak); err != nil {
				return err
			}
			break // the nearest limit says it
		}
	}
	return nil
}
