package http1

import "testing"

const (
	smallRequest = "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: wrk/4.2\r\nAccept: */*\r\nX-Id: 12345678\r\n\r\n"

	browserRequest = "GET /assets/app/main.4f1c2d.js?v=20240601 HTTP/1.1\r\n" +
		"Host: www.example.com\r\n" +
		"Connection: keep-alive\r\n" +
		"sec-ch-ua: \"Chromium\";v=\"126\", \"Not.A/Brand\";v=\"24\"\r\n" +
		"sec-ch-ua-mobile: ?0\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Sec-Fetch-Site: same-origin\r\n" +
		"Sec-Fetch-Mode: no-cors\r\n" +
		"Referer: https://www.example.com/some/page/with/a/path\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n" +
		"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; lang=en\r\n\r\n"

	smallResponse = "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sat, 01 Jun 2024 12:00:00 GMT\r\n" +
		"Content-Type: text/plain\r\nContent-Length: 100\r\n\r\n"
)

func BenchmarkParseRequest(b *testing.B) {
	for _, c := range []struct{ name, wire string }{{"small", smallRequest}, {"browser", browserRequest}} {
		b.Run(c.name, func(b *testing.B) {
			wire := []byte(c.wire)
			var m Message
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				m.Reset()
				if m.ParseRequest(wire) != Done {
					b.Fatal(m.Reason)
				}
			}
		})
	}
}

func BenchmarkParseResponse(b *testing.B) {
	wire := []byte(smallResponse)
	var m Message
	b.ReportAllocs()
	for b.Loop() {
		m.Reset()
		if m.ParseResponse(wire, MethodGet) != Done {
			b.Fatal(m.Reason)
		}
	}
}

func BenchmarkAppendHead(b *testing.B) {
	for _, c := range []struct{ name, wire string }{{"small", smallRequest}, {"browser", browserRequest}} {
		b.Run(c.name, func(b *testing.B) {
			wire := []byte(c.wire)
			var m Message
			m.ParseRequest(wire)
			dst := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				dst = m.AppendHead(dst[:0], wire, HopByHop)
			}
		})
	}
}

func BenchmarkChunks(b *testing.B) {
	wire := append([]byte("3e8\r\n"), make([]byte, 1000)...)
	wire = append(wire, "\r\n0\r\n\r\n"...)
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		var c Chunks
		if _, st := c.Scan(wire); st != Done {
			b.Fatal(c.Reason)
		}
	}
}
