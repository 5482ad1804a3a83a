package sqlstore

import (
	"context"
	"database/sql"
	"sync"

	"github.com/uptrace/bun"
)

// maksForberedt is far over what the code has; the number of rows in one statement is what varies.
const maksForberedt = 100

// forberedte are the statements that one handle keeps prepared. They close with it.
type forberedte struct {
	mu sync.Mutex
	av map[string]*sql.Stmt
}

// hent gives q prepared, or nil when there is no room for more.
func (f *forberedte) hent(ctx context.Context, db *bun.DB, q string) (*sql.Stmt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.av[q]; s != nil {
		return s, nil
	}
	if len(f.av) >= maksForberedt {
		return nil, nil
	}
	// database/sql prepares it again on each other connection that runs it.
	s, err := db.DB.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	if f.av == nil {
		f.av = map[string]*sql.Stmt{}
	}
	f.av[q] = s
	return s, nil
}
