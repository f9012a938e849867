package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// DefaultSocket is where the daemon listens and `baton status` asks.
const DefaultSocket = "/run/baton/baton.sock"

// socketMode lets root and the daemon's group in.
const socketMode = 0o660

// Socket answers on a unix socket.
type Socket struct {
	listener net.Listener
	path     string
	madeDir  bool
	mux      *http.ServeMux
	http     *http.Server
}

// Listen opens the socket. One that a dead process left is replaced; one that
// somebody answers on is an error. status is called for every request, from many
// goroutines.
func Listen(path string, status func() Status, log *slog.Logger) (*Socket, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	s := &Socket{path: path}
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, fmt.Errorf("status socket %s: %w (choose another place with --socket)", path, err)
		}
		s.madeDir = true
	}
	l, err := listen(path)
	if err != nil {
		s.removeDir()
		return nil, fmt.Errorf("status socket %s: %w", path, err)
	}
	s.listener = l
	mux := http.NewServeMux()
	s.mux = mux
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(status()) // the asker went away
	})
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return s, nil
}

// maxPath is what struct sockaddr_un has room for, the final NUL aside.
const maxPath = 107

// checkPath says what the kernel would call an invalid argument.
func checkPath(path string) error {
	switch {
	case path == "":
		return errors.New("the path of the status socket is empty (name one with --socket)")
	case len(path) > maxPath:
		return fmt.Errorf("status socket %s: the path is longer than %d characters (choose another place with --socket)", path, maxPath)
	}
	return nil
}

func listen(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return nil, err
		}
		l, err = net.Listen("unix", path)
	}
	if err != nil {
		return nil, bare(err)
	}
	// Connecting takes the write bit, which the umask has kept from others until here.
	if err := os.Chmod(path, socketMode); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// removeStale removes a socket that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("there is something else than a socket at this place (choose another one with --socket)")
	}
	conn, err := net.DialTimeout("unix", path, 2*time.Second)
	if err == nil {
		_ = conn.Close()
		return errors.New("another process answers on it (choose another place with --socket)")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return bare(err)
	}
	return os.Remove(path)
}

// bare takes the address out of a net error: the caller names the path.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// Run serves until ctx ends.
func (s *Socket) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.http.Shutdown(ctx) != nil {
			_ = s.http.Close()
		}
	})
	defer stop()
	err := s.http.Serve(s.listener)
	s.Close()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("status socket %s: %w", s.path, err)
}

// Close removes the socket. Run does it as well.
func (s *Socket) Close() {
	_ = s.listener.Close() // removes the path
	s.removeDir()
}

func (s *Socket) removeDir() {
	if s.madeDir {
		_ = os.Remove(filepath.Dir(s.path)) // not empty: somebody else uses it
	}
}
