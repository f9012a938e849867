//go:build !race

package http1

import "testing"

func TestNoAllocations(t *testing.T) {
	request, response := []byte(browserRequest), []byte(smallResponse)
	named := []byte("POST http://a/b HTTP/1.1\r\nHost: a:80\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nContent-Length: 5, 5\r\n\r\n")
	body := []byte("5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
	dst := make([]byte, 0, 4096)
	var m Message
	var c Chunks
	for name, f := range map[string]func(){
		"request":  func() { m.Reset(); m.ParseRequest(request) },
		"pieces":   func() { m.Reset(); feed(&m, request, false, MethodGet, 20, 200, len(request)) },
		"bad":      func() { m.Reset(); m.ParseRequest(request[1:40]); _ = m.Reason.String() },
		"response": func() { m.Reset(); m.ParseResponse(response, MethodGet) },
		"head":     func() { m.Reset(); m.ParseRequest(named); dst = m.AppendHead(dst[:0], named, HopByHop) },
		"chunks":   func() { c = Chunks{}; c.Scan(body) },
		"page":     func() { dst = AppendError(dst[:0], 503) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
