package lb_test

import (
	"io"
	"strings"
	"testing"
)

// Sides that stop reading, or go away, in the middle: the log says which, and when.
func TestStuckSides(t *testing.T) {
	t.Parallel()
	cfg := strings.NewReplacer("timeout client 5s", "timeout client 400ms", "timeout server 5s", "timeout server 400ms").Replace(plainHTTP)
	const (
		get     = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
		post    = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n"
		upgrade = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"
		large   = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n"
		up      = "HTTP/1.1 101 Up\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"
	)
	endless := func(w *wire) { _, _ = io.Copy(w, zeros{}) }
	tests := []struct {
		name, ask, answer string
		client, server    func(*wire) // what they do after that
		status, end       string
	}{
		{"the client does not read a response", get, large, nil, endless, " 200 ", " cD-- "},
		{"the client resets in a response", get, large, (*wire).reset, endless, " 200 ", " CD-- "},
		{"the server does not read a request", post, "", endless, nil, " 504 ", " sH-- "},
		{"the server resets in a request", post, "", endless, (*wire).reset, " 502 ", " SH-- "},
		{"the client does not read a tunnel", upgrade, up, nil, endless, " 101 ", " cD-- "},
		{"the server does not read a tunnel", upgrade, up, endless, nil, " 101 ", " sD-- "},
		{"the client resets a tunnel", upgrade, up, (*wire).reset, nil, " 101 ", " CD-- "},
		{"the server resets a tunnel", upgrade, up, nil, (*wire).reset, " 101 ", " SD-- "},
		{"a silent tunnel", upgrade, up, nil, nil, " 101 ", " cD-- "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, cfg)
			c := r.client("fe")
			c.send(tt.ask)
			o := r.accept("s1")
			o.head()
			if tt.answer != "" {
				o.send(tt.answer)
				c.head()
			}
			if tt.client != nil {
				r.players.Go(func() { tt.client(c) })
			}
			if tt.server != nil {
				r.players.Go(func() { tt.server(o) })
			}
			if line := r.nextLog(); !strings.Contains(line, tt.status) || !strings.Contains(line, tt.end) {
				t.Errorf("log: %s\nwant%sand%s", line, tt.status, tt.end)
			}
		})
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
