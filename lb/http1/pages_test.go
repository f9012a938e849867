package http1

import (
	"fmt"
	"testing"
)

// The lengths that HAProxy 2.6 sends with its pages, measured on its wire.
var pageLengths = map[int]int{
	200: 58, 400: 90, 401: 112, 403: 93, 404: 83, 405: 146, 407: 112, 408: 110, 410: 114, 413: 106,
	421: 104, 422: 116, 425: 80, 429: 117, 500: 97, 501: 136, 502: 107, 503: 107, 504: 92,
}

func TestPages(t *testing.T) {
	for status := range 1000 {
		length, want := pageLengths[status]
		if IsBuiltin(status) != want {
			t.Errorf("IsBuiltin(%d) = %v", status, !want)
			continue
		}
		if !want {
			continue
		}
		page := AppendError(nil, status)
		var m Message
		if st := m.ParseResponse(page, MethodGet); st != Done || m.Status != status {
			t.Fatalf("%d: %v (%v)", status, st, m.Reason)
		}
		if string(m.ReasonPhrase.Of(page)) != StatusText(status) {
			t.Errorf("%d: phrase %q, text %q", status, m.ReasonPhrase.Of(page), StatusText(status))
		}
		if int(m.ContentLength) != length || len(page)-m.HeadLen != length || HeadLength(page) != m.HeadLen || !m.KeepAlive {
			t.Errorf("%d: declares %d bytes, has %d, HAProxy's has %d", status, m.ContentLength, len(page)-m.HeadLen, length)
		}
		early := AppendEarlyError(nil, status)
		m.Reset()
		if m.ParseResponse(early, MethodGet) != Done || m.KeepAlive || string(early[m.HeadLen:]) != string(page[HeadLength(page):]) {
			t.Errorf("%d: early page %q", status, early)
		}
	}
	want := "HTTP/1.1 400 Bad request\r\ncontent-length: 90\r\ncache-control: no-cache\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n" +
		"<html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n</body></html>\n"
	if got := string(AppendEarlyError(nil, 400)); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if HeadLength([]byte("HTTP/1.1 200 OK\r\n")) != -1 || StatusText(308) == "" || StatusText(299) != "Other" {
		t.Error("helpers")
	}
	defer func() {
		if r := fmt.Sprint(recover()); r != "BUG: no built-in response for status 299" {
			t.Errorf("panic: %s", r)
		}
	}()
	AppendError(nil, 299)
}
