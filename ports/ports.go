// Package ports is the driven side: what the use cases in app/ ask of the world, one small interface a file. (In some books ports
// are the driving side; in this project those interfaces stand beside the HTTP handlers that use them.)
//
// The general rule: nil means done, and durable where the method says so. ErrRefused means certainly not done and not worth
// repeating. Every other error, a cancelled ctx included, means unknown: it may have happened; callers repeat with the same id and
// adapters recognise the id. Adapters never retry by themselves, never log content, and wrap the sentinels with %w and ids only.
// All methods are safe for concurrent use. Instants are UTC, truncated to µs.
//
// A promise carries a mark such as [S1]; contracts/ has one subtest of that name, and a test compares the two lists.
package ports

import "errors"

var (
	ErrNotFound    = errors.New("finnes ikke")
	ErrExists      = errors.New("finnes fra før")             // same id or key, same content
	ErrConflict    = errors.New("i strid med det som finnes") // lost race or lease; same key, other content
	ErrRefused     = errors.New("avvist")                     // certainly not done, will not be
	ErrUnavailable = errors.New("utilgjengelig")              // outcome unknown, repeat later
	ErrErased      = errors.New("slettet")                    // content erased by retention
	ErrCorrupt     = errors.New("innholdet er endret")        // stored bytes do not match their SHA-256
)
