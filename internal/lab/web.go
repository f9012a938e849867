package lab

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Web serves HTTP on addr until the process is killed: its name at every path,
// and "ok" at /health. It writes one line to ready when it listens.
func Web(name, addr string, ready io.Writer) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("web server %s: %w", name, err)
	}
	if _, err := fmt.Fprintf(ready, "%s listens on %v\n", name, l.Addr()); err != nil {
		return fmt.Errorf("web server %s: %w", name, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) })
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return s.Serve(l)
}
