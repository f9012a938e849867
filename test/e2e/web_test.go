package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"baton/internal/nettest"
)

// serveWeb runs a web server on a host that answers with its name.
func serveWeb(t *testing.T, h *nettest.Host, addr, name string) *http.Server {
	t.Helper()
	var l net.Listener
	var err error
	h.Do(func() { l, err = net.Listen("tcp", addr) })
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		ReadHeaderTimeout: patience,
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }),
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// get asks for a page from a host, on a new connection.
func get(h *nettest.Host, url string) (string, error) {
	return getWithin(h, url, 2*time.Second)
}

func getWithin(h *nettest.Host, url string, limit time.Duration) (string, error) {
	tr := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(_ context.Context, network, addr string) (c net.Conn, err error) {
			h.Do(func() { c, err = net.DialTimeout(network, addr, min(limit, time.Second)) })
			return c, err
		},
	}
	resp, err := (&http.Client{Transport: tr, Timeout: limit}).Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return string(body), err
}

// awaitPage asks until the page comes. A first packet or two may go to where the
// address was before.
func awaitPage(t *testing.T, h *nettest.Host, url string, want ...string) {
	t.Helper()
	await(t, fmt.Sprintf("%s answers one of %q", url, want), func() bool {
		body, err := get(h, url)
		for _, w := range want {
			if err == nil && body == w {
				return true
			}
		}
		return false
	})
}
