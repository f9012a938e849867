package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"
)

// Fetch asks the daemon behind the socket for its status and returns both the
// raw JSON and what it says. The error of a daemon that is not there tells what
// to do.
func Fetch(ctx context.Context, socket string) (raw []byte, st Status, err error) {
	raw, err = ask(ctx, socket, http.MethodGet, "/status", http.NoBody)
	if err != nil {
		return nil, st, err
	}
	if err := json.Unmarshal(raw, &st); err != nil {
		return nil, st, fmt.Errorf("status socket %s: %w", socket, err)
	}
	return raw, st, nil
}

// ask sends one request and returns the body of the answer.
func ask(ctx context.Context, socket, method, path string, body io.Reader) ([]byte, error) {
	if err := checkPath(socket); err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		DisableKeepAlives: true,
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://baton"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, explain(socket, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status socket %s: the answer is %s; is the running baton another version?", socket, resp.Status)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("status socket %s: %w", socket, err)
	}
	return raw, nil
}

func explain(socket string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no baton answers: there is no socket %s\nis it running? `systemctl status baton`, or give --socket as you gave it to `baton run`", socket)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no baton answers: nobody listens on %s (the daemon died without removing it)\nstart it again: `systemctl start baton`", socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("permission denied on %s\nask as root or as a member of the group that owns the socket", socket)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("baton does not answer on %s in time: it hangs or the machine is very busy", socket)
	}
	return fmt.Errorf("status socket %s: %w", socket, bare(err))
}
