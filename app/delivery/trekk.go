package delivery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
)

var (
	// ErrIngenNokkel says that no certificate bears the name an operator gave.
	ErrIngenNokkel = errors.New("ingen nøkkel har dette serienummeret eller hører til denne kontoen")
	// ErrFlereNokler says that more than one does.
	ErrFlereNokler = errors.New("flere nøkler passer")
	// ErrEgenNokkel says that the portal's own key is never revoked: what is sealed for it would not be opened any more, by us.
	ErrEgenNokkel = errors.New("portalens egen nøkkel trekkes ikke tilbake, den byttes")
)

// avtrykk names a certificate also where two have the same serial number: whoever issues one chooses its number.
func avtrykk(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return fmt.Sprintf("%x", sum[:8])
}

// FinnNokkel gives the rows of the one certificate that an operator names: by its serial number (hex or decimal, as people find it in
// cases, in the API and in openssl), by avtrykk, or by the account whose only accepted certificate it is.
func FinnNokkel(rader []Nokkelrad, navn string) ([]Nokkelrad, error) {
	navn = strings.ToLower(strings.TrimSpace(navn))
	hex := strings.TrimLeft(strings.ReplaceAll(navn, ":", ""), "0")
	desimal, erTall := new(big.Int).SetString(navn, 10)
	var ut []Nokkelrad
	for _, r := range rader {
		if r.Sertifikat == nil {
			continue
		}
		konto := r.Konto.KontoID != "" && string(r.Konto.KontoID) == navn && r.Status != NokkelTidligere
		if konto || r.Serie == hex || erTall && r.Sertifikat.SerialNumber.Cmp(desimal) == 0 || avtrykk(r.Sertifikat) == navn {
			ut = append(ut, r)
		}
	}
	if len(ut) == 0 {
		return nil, ErrIngenNokkel
	}
	if slices.ContainsFunc(ut, func(r Nokkelrad) bool { return !r.Sertifikat.Equal(ut[0].Sertifikat) }) {
		feil := ErrFlereNokler
		for _, r := range ut {
			feil = fmt.Errorf("%w; %s: serienummer %s, avtrykk %s", feil, r.Eier, r.Serie, avtrykk(r.Sertifikat))
		}
		return nil, feil
	}
	// By its account, too, it is revoked for everybody who has it.
	return slices.DeleteFunc(slices.Clone(rader), func(r Nokkelrad) bool { return r.Sertifikat == nil || !r.Sertifikat.Equal(ut[0].Sertifikat) }), nil
}

// TrekkNokkel revokes the certificate of these rows, for everybody who has it, and for good. A case for each owner keeps who and why.
func (s *Service) TrekkNokkel(ctx context.Context, rader []Nokkelrad, hvem, grunn string) error {
	if err := levering.KontrollerOperator(hvem, grunn); err != nil {
		return err
	}
	na := s.Clock.Now()
	if slices.ContainsFunc(rader, func(r Nokkelrad) bool { return r.Eier.Art == kommune.Portalen.Art }) {
		return ErrEgenNokkel
	}
	for _, r := range rader {
		// Before the key is revoked, so that nothing is revoked without a trace. A crash from here on leaves a case, and perhaps a mark, about
		// a key that is still in force: the operator was told nothing, the list shows the key, and the same command does the rest.
		if err := s.Ledger.OpenCase(ctx, levering.Sak{ID: levering.SakID(fmt.Sprintf("ledger/%s/%s/%s", levering.SakNokkelTrukket, r.Eier, avtrykk(r.Sertifikat))),
			Art: levering.SakNokkelTrukket, Kritisk: r.Status == NokkelGjeldende, Apnet: na, Frist: na.Add(24 * time.Hour),
			Grunn: fmt.Sprintf("nøkkelen til %s med serienummer %s er trukket tilbake av %s: %s", r.eier(), r.Serie, hvem, grunn)}); err != nil {
			return err
		}
		if err := s.merkTrukket(ctx, r, na); err != nil {
			return err
		}
	}
	return s.Certs.Revoke(ctx, rader[0].Sertifikat, na, melding.AktorOperator(hvem)+": "+grunn)
}

// trukket is one revocation of an owner's key, as its mark keeps it: the store gives a revoked certificate to nobody.
type trukket struct {
	avtrykk, serie string
	nar            time.Time
}

// merkeTrukket is where an owner's revocations are: one mark for each, named by its certificate, so that two at once keep both. A mark of
// this name alone has one a line.
func merkeTrukket(e kommune.Eier) string { return string(levering.SakNokkelTrukket) + "/" + e.String() }

// trukne gives them newest first. A line that cannot be read is left out: it is for people to look at.
func (s *Service) trukne(ctx context.Context, e kommune.Eier) (ut []trukket, err error) {
	merker, err := s.Ledger.Marks(ctx, merkeTrukket(e))
	if err != nil {
		return nil, err
	}
	for navn, v := range merker {
		if navn != merkeTrukket(e) && !strings.HasPrefix(navn, merkeTrukket(e)+"/") {
			continue // of another owner, whose name begins as this one's
		}
		for linje := range strings.Lines(v) {
			f := strings.Fields(linje)
			if len(f) != 3 {
				continue
			}
			if nar, err := time.Parse(time.RFC3339, f[2]); err == nil {
				ut = append(ut, trukket{f[0], f[1], nar})
			}
		}
	}
	slices.SortFunc(ut, func(a, b trukket) int { return cmp.Or(b.nar.Compare(a.nar), cmp.Compare(a.avtrykk, b.avtrykk)) })
	return ut, nil
}

// merkTrukket writes one revocation down. Who asks for it again keeps the first instant, and two at once write the same but for that.
func (s *Service) merkTrukket(ctx context.Context, r Nokkelrad, na time.Time) error {
	gamle, err := s.trukne(ctx, r.Eier)
	if err != nil || slices.ContainsFunc(gamle, func(t trukket) bool { return t.avtrykk == avtrykk(r.Sertifikat) }) {
		return err
	}
	return s.Ledger.SetMark(ctx, merkeTrukket(r.Eier)+"/"+avtrykk(r.Sertifikat), fmt.Sprintf("%s %s %s", avtrykk(r.Sertifikat), r.Serie, na.UTC().Format(time.RFC3339)))
}
