package contracts

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"portal.example/bekymringsmelding/domain/levering"
	"portal.example/bekymringsmelding/domain/melding"
	"portal.example/bekymringsmelding/ports"
)

// LikUtgave fails unless two readings of a report are the same: instants in UTC, sealed parts by their bytes, nil and empty alike,
// and owed work and cases in any order.
func LikUtgave(t testing.TB, fikk, ventet ports.Utgave) {
	t.Helper()
	if d := ulikhet("utgave", reflect.ValueOf(ordnet(fikk)), reflect.ValueOf(ordnet(ventet))); d != "" {
		t.Fatalf("ikke samme utgave: %s", d)
	}
}

// Lik fails unless two values are the same in the way of LikUtgave.
func Lik(t testing.TB, fikk, ventet any) {
	t.Helper()
	if d := ulik(fikk, ventet); d != "" {
		t.Fatalf("ikke det samme: %s", d)
	}
}

func ulik(fikk, ventet any) string {
	return ulikhet("", reflect.ValueOf(fikk), reflect.ValueOf(ventet))
}

func ordnet(u ports.Utgave) ports.Utgave {
	u.Owed, u.Saker = slices.Clone(u.Owed), slices.Clone(u.Saker)
	slices.SortFunc(u.Owed, func(a, b levering.Oppdrag) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(u.Saker, func(a, b levering.Sak) int { return cmp.Compare(a.ID, b.ID) })
	return u
}

// ulikhet names the first place where a differs from b; "" = nowhere. Content never stands in it.
func ulikhet(sti string, a, b reflect.Value) string {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return sti + ": ulike typer"
	}
	if !a.IsValid() {
		return ""
	}
	switch x := a.Interface().(type) {
	case time.Time:
		y := b.Interface().(time.Time)
		if x.Equal(y) && x.Location() == time.UTC && x.Equal(x.Truncate(time.Microsecond)) {
			return ""
		}
		return fmt.Sprintf("%s: %v er ikke %v i UTC på µs", sti, x, y)
	case melding.Forseglet:
		return ulikForseglet(sti, x, b.Interface().(melding.Forseglet))
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if d := ulikhet(sti+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: %d elementer, ikke %d", sti, a.Len(), b.Len())
		}
		for i := range a.Len() {
			if d := ulikhet(fmt.Sprintf("%s[%d]", sti, i), a.Index(i), b.Index(i)); d != "" {
				return d
			}
		}
	case reflect.Map:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: %d nøkler, ikke %d", sti, a.Len(), b.Len())
		}
		for _, k := range a.MapKeys() {
			if d := ulikhet(fmt.Sprintf("%s[%v]", sti, k), a.MapIndex(k), b.MapIndex(k)); d != "" {
				return d
			}
		}
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				return sti + ": bare den ene er nil"
			}
			return ""
		}
		return ulikhet(sti, a.Elem(), b.Elem())
	default:
		if !a.Equal(b) {
			return fmt.Sprintf("%s: %v, ikke %v", sti, a, b)
		}
	}
	return ""
}

func ulikForseglet(sti string, a, b melding.Forseglet) string {
	if a.Tom() && b.Tom() {
		return ""
	}
	x, errX := a.Bytes()
	y, errY := b.Bytes()
	if errX != nil || errY != nil || a.Forsegling() != b.Forsegling() || a.Storrelse() != b.Storrelse() || !bytes.Equal(x, y) {
		return fmt.Sprintf("%s: %v, ikke %v (%v, %v)", sti, a, b, errX, errY)
	}
	return ""
}

// harBytes fails unless a stored part can be opened and is these bytes.
func harBytes(t testing.TB, l Lager, id melding.ID, del melding.Del, ventet []byte) {
	t.Helper()
	f, err := l.Vault.Open(t.Context(), id, del)
	if err != nil {
		t.Fatalf("Open %s %s: %v", id, del, err)
	}
	if d := ulikForseglet(string(del), f, Forseglet(ventet)); d != "" {
		t.Fatal(d)
	}
}

func bytesAv(t testing.TB, f melding.Forseglet) []byte {
	t.Helper()
	b, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
