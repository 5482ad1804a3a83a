package feil

import (
	"context"
	"crypto/x509"
	"time"

	"portal.example/bekymringsmelding/domain/kommune"
	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// verdi is gjor for a call with a result. A result lost on the way is the zero value; one that came with the port's own error is
// kept, because ErrExists and ErrConflict have an id to give.
func verdi[T any](f *Feil, port, metode, id string, fn func() (T, error)) (T, error) {
	var ut, null T
	var egen error
	err := f.gjor(port, metode, id, func() error {
		ut, egen = fn()
		return egen
	})
	if err != nil && egen == nil {
		return null, err
	}
	return ut, err
}

type store struct {
	ports.Store
	f *Feil
}

// Store wraps Create, Update and Settle.
func (f *Feil) Store(s ports.Store) ports.Store { return store{s, f} }

func (s store) Create(ctx context.Context, n ports.Ny) (melding.ID, error) {
	return verdi(s.f, "Store", "Create", string(n.Fakta.ID), func() (melding.ID, error) { return s.Store.Create(ctx, n) })
}

func (s store) Update(ctx context.Context, id melding.ID, fn func(ports.Utgave) (ports.Endring, error)) (ports.Utgave, error) {
	return verdi(s.f, "Store", "Update", string(id), func() (ports.Utgave, error) { return s.Store.Update(ctx, id, fn) })
}

func (s store) Settle(ctx context.Context, id melding.ID, o levering.Oppdrag, fn func(ports.Utgave) (ports.Endring, error)) (u ports.Utgave, ny bool, err error) {
	u, err = verdi(s.f, "Store", "Settle", string(id), func() (_ ports.Utgave, err error) {
		var u ports.Utgave
		u, ny, err = s.Store.Settle(ctx, id, o, fn)
		return u, err
	})
	return u, ny && err == nil, err
}

type dispatch struct {
	ports.Dispatch
	f *Feil
}

// Dispatch wraps Begin.
func (f *Feil) Dispatch(d ports.Dispatch) ports.Dispatch { return dispatch{d, f} }

func (d dispatch) Begin(ctx context.Context, id melding.ID, now time.Time, fn func(ports.Sendegrunnlag) (ports.Endring, error)) (ports.Begynt, error) {
	return verdi(d.f, "Dispatch", "Begin", string(id), func() (ports.Begynt, error) { return d.Dispatch.Begin(ctx, id, now, fn) })
}

type work struct {
	ports.Work
	f *Feil
}

// Work wraps Add, Claim, Extend, Release and Done. A Claim of a queue where nothing is due writes nothing by its promise, so it is
// neither asked about nor counted.
func (f *Feil) Work(w ports.Work) ports.Work { return work{w, f} }

func (w work) Add(ctx context.Context, o ...levering.Oppdrag) (int, error) {
	id := ""
	if len(o) > 0 {
		id = string(o[0].ID)
	}
	return verdi(w.f, "Work", "Add", id, func() (int, error) { return w.Work.Add(ctx, o...) })
}

func (w work) Claim(ctx context.Context, ko levering.Ko, max int, now time.Time, lease time.Duration) ([]ports.Lease, error) {
	if n, err := w.Work.Next(ctx, ko); err == nil && (n.IsZero() || n.After(now)) {
		return w.Work.Claim(ctx, ko, max, now, lease)
	}
	return verdi(w.f, "Work", "Claim", string(ko), func() ([]ports.Lease, error) { return w.Work.Claim(ctx, ko, max, now, lease) })
}

func (w work) Extend(ctx context.Context, l ports.Lease, now time.Time, lease time.Duration) error {
	return w.f.gjor("Work", "Extend", string(l.Oppdrag.ID), func() error { return w.Work.Extend(ctx, l, now, lease) })
}

func (w work) Release(ctx context.Context, l ports.Lease, due time.Time, cause string) error {
	return w.f.gjor("Work", "Release", string(l.Oppdrag.ID), func() error { return w.Work.Release(ctx, l, due, cause) })
}

func (w work) Done(ctx context.Context, l ports.Lease) error {
	return w.f.gjor("Work", "Done", string(l.Oppdrag.ID), func() error { return w.Work.Done(ctx, l) })
}

type ledger struct {
	ports.Ledger
	f *Feil
}

// Ledger wraps OpenCase, CloseCase and SetMark.
func (f *Feil) Ledger(l ports.Ledger) ports.Ledger { return ledger{l, f} }

func (l ledger) OpenCase(ctx context.Context, s levering.Sak) error {
	return l.f.gjor("Ledger", "OpenCase", string(s.ID), func() error { return l.Ledger.OpenCase(ctx, s) })
}

func (l ledger) CloseCase(ctx context.Context, id levering.SakID, av, grunn string, at time.Time) error {
	return l.f.gjor("Ledger", "CloseCase", string(id), func() error { return l.Ledger.CloseCase(ctx, id, av, grunn, at) })
}

func (l ledger) SetMark(ctx context.Context, name, value string) error {
	return l.f.gjor("Ledger", "SetMark", name, func() error { return l.Ledger.SetMark(ctx, name, value) })
}

type certificates struct {
	ports.Certificates
	f *Feil
}

// Certificates wraps Announce and Revoke.
func (f *Feil) Certificates(c ports.Certificates) ports.Certificates { return certificates{c, f} }

func (c certificates) Announce(ctx context.Context, eier kommune.Eier, x *x509.Certificate, at time.Time) error {
	return c.f.gjor("Certificates", "Announce", eier.String(), func() error { return c.Certificates.Announce(ctx, eier, x, at) })
}

func (c certificates) Revoke(ctx context.Context, x *x509.Certificate, at time.Time, grunn string) error {
	return c.f.gjor("Certificates", "Revoke", x.SerialNumber.Text(16), func() error { return c.Certificates.Revoke(ctx, x, at, grunn) })
}

type registry struct {
	ports.Registry
	f *Feil
}

// Registry wraps Apply.
func (f *Feil) Registry(r ports.Registry) ports.Registry { return registry{r, f} }

func (r registry) Apply(ctx context.Context, o ports.Oppsett) error {
	return r.f.gjor("Registry", "Apply", "", func() error { return r.Registry.Apply(ctx, o) })
}

type transport struct {
	ports.Transport
	f *Feil
}

// Transport wraps Send, and the take of Receive: failing after its effect, take has stored the answer and the wire has not heard so.
func (f *Feil) Transport(t ports.Transport) ports.Transport { return transport{t, f} }

func (t transport) Send(ctx context.Context, x ports.Forsendelse) (string, error) {
	return verdi(t.f, "Transport", "Send", string(x.Forsok), func() (string, error) { return t.Transport.Send(ctx, x) })
}

func (t transport) Receive(ctx context.Context, take func(context.Context, melding.Svar) error) error {
	return t.Transport.Receive(ctx, t.f.Take(take))
}

// Take wraps the function given to Receive, or to a transport's own way of pumping.
func (f *Feil) Take(take func(context.Context, melding.Svar) error) func(context.Context, melding.Svar) error {
	return func(ctx context.Context, s melding.Svar) error {
		return f.gjor("Transport", "take", s.ID, func() error { return take(ctx, s) })
	}
}

type printer struct {
	ports.Printer
	f *Feil
}

// Printer wraps Submit and Cancel.
func (f *Feil) Printer(p ports.Printer) ports.Printer { return printer{p, f} }

func (p printer) Submit(ctx context.Context, b levering.Brev) error {
	return p.f.gjor("Printer", "Submit", string(b.ID), func() error { return p.Printer.Submit(ctx, b) })
}

func (p printer) Cancel(ctx context.Context, id melding.ForsokID) (bool, error) {
	return verdi(p.f, "Printer", "Cancel", string(id), func() (bool, error) { return p.Printer.Cancel(ctx, id) })
}

type keystore struct {
	ports.KeyStore
	f *Feil
}

// KeyStore wraps New.
func (f *Feil) KeyStore(k ports.KeyStore) ports.KeyStore { return keystore{k, f} }

func (k keystore) New(ctx context.Context, eier kommune.Eier, bits int) (ports.Handle, error) {
	return verdi(k.f, "KeyStore", "New", eier.String(), func() (ports.Handle, error) { return k.KeyStore.New(ctx, eier, bits) })
}

type notifier struct {
	ports.Notifier
	f *Feil
}

// Notifier wraps Notify.
func (f *Feil) Notifier(n ports.Notifier) ports.Notifier { return notifier{n, f} }

func (n notifier) Notify(ctx context.Context, v ports.Varsel) error {
	return n.f.gjor("Notifier", "Notify", v.ID, func() error { return n.Notifier.Notify(ctx, v) })
}
