// Package pgtest gives tests a private, throw-away PostgreSQL: one server a test process, a fresh database a test. Nothing has to be
// configured; it is found among Debian's binaries or on PATH, and listens on a Unix socket only.
//
// Database lies in memory where it can and does not sync: open it with Dev. Varig is for what depends on the disk: it lies there and
// syncs every commit, as in operation.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var (
	rask  = tjener{mappe: iMinnet, valg: "-c fsync=off -c full_page_writes=off"}
	varig = tjener{mappe: func() string { return "" }}
	nr    atomic.Int64
)

// tjener is one server, started when the first test asks.
type tjener struct {
	mappe func() string
	valg  string

	start  sync.Once
	feil   error
	sokkel string
	stopp  io.Closer // closed by the kernel when this process ends
}

var errMangler = errors.New("postgres finnes ikke (/usr/lib/postgresql/*/bin eller PATH)")

// Database is the DSN of an empty database, dropped when the test ends. Without a server binary the test is skipped, or fails when
// KREV names postgres.
func Database(t testing.TB) string { return rask.database(t) }

// Varig is Database on the disk of TMPDIR, with every commit synced.
func Varig(t testing.TB) string { return varig.database(t) }

func (s *tjener) database(t testing.TB) string {
	t.Helper()
	s.start.Do(func() { s.feil = s.startTjener() })
	if errors.Is(s.feil, errMangler) && !slices.Contains(strings.Split(os.Getenv("KREV"), ","), "postgres") {
		t.Skip(s.feil)
	}
	if s.feil != nil {
		t.Fatal(s.feil)
	}
	navn := "prove" + strconv.FormatInt(nr.Add(1), 10)
	s.kjor(t, "CREATE DATABASE "+navn)
	t.Cleanup(func() { s.kjor(t, "DROP DATABASE "+navn+" WITH (FORCE)") })
	return s.dsn(navn)
}

func (s *tjener) dsn(db string) string {
	return fmt.Sprintf("host=%s user=postgres dbname=%s sslmode=disable", s.sokkel, db)
}

func (s *tjener) kjor(t testing.TB, q string) {
	t.Helper()
	ctx, avbryt := context.WithTimeout(context.Background(), time.Minute)
	defer avbryt()
	c, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	if _, err := c.Exec(ctx, q); err != nil {
		t.Fatal(err)
	}
}

// vokter keeps the server until its standard input ends, which happens when the test process is gone, however it went. Then it
// stops the server and removes the folder.
const vokter = `"$1/postgres" -D "$2/data" -c listen_addresses= -c unix_socket_directories="$2" \
  -c max_connections=200 -c shared_buffers=64MB -c max_wal_size=256MB -c jit=off $3 & p=$!
read -r _
kill -QUIT $p; wait $p; rm -rf "$2"`

func (s *tjener) startTjener() error {
	bin, err := finnBin()
	if err != nil {
		return err
	}
	mappe, err := os.MkdirTemp(s.mappe(), "pgtest")
	if err != nil {
		return err
	}
	bruker, err := eier(mappe)
	if err != nil {
		return err
	}
	if err := s.kjorTjener(bin, mappe, bruker); err != nil {
		return errors.Join(err, os.RemoveAll(mappe))
	}
	return nil
}

func (s *tjener) kjorTjener(bin, mappe string, bruker *syscall.SysProcAttr) error {
	init := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(mappe, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--no-sync", "--no-instructions")
	init.SysProcAttr, init.Dir = bruker, mappe
	if ut, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, ut)
	}
	logg, err := os.Create(filepath.Join(mappe, "logg"))
	if err != nil {
		return err
	}
	defer func() { _ = logg.Close() }() // the server has its own
	cmd := exec.Command("/bin/sh", "-c", vokter, "pgtest", bin, mappe, s.valg)
	// Not our own output: `go test` would wait for it.
	cmd.SysProcAttr, cmd.Dir, cmd.Stdout, cmd.Stderr = bruker, mappe, logg, logg
	stopp, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.sokkel, s.stopp = mappe, stopp
	ctx, avbryt := context.WithTimeout(context.Background(), 30*time.Second)
	defer avbryt()
	for {
		c, err := pgx.Connect(ctx, s.dsn("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		if ctx.Err() != nil {
			ut, _ := os.ReadFile(logg.Name())
			return errors.Join(fmt.Errorf("postgres svarer ikke: %w\n%s", err, ut), stopp.Close())
		}
		select { // a server that boots has no other sign
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func finnBin() (string, error) {
	mapper, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	slices.SortFunc(mapper, func(a, b string) int { return versjon(a) - versjon(b) })
	if len(mapper) > 0 {
		return filepath.Dir(mapper[len(mapper)-1]), nil
	}
	p, err := exec.LookPath("postgres")
	if err != nil {
		return "", errMangler
	}
	if p, err = filepath.EvalSymlinks(p); err != nil {
		return "", err
	}
	return filepath.Dir(p), nil
}

func versjon(p string) int {
	n, _ := strconv.Atoi(strings.Split(p, "/")[4])
	return n
}

// iMinnet is memory where there is some: a server that does not sync gains from it all the same.
func iMinnet() string {
	if i, err := os.Stat("/dev/shm"); err == nil && i.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// eier gives the folder to the user the server runs as. PostgreSQL refuses root, and t.TempDir is not readable for anybody else.
func eier(mappe string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	uid, gid := 65534, 65534
	if u, err := user.Lookup("postgres"); err == nil {
		uid, _ = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
	}
	if err := os.Chown(mappe, uid, gid); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}
