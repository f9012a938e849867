package compat

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// grammar makes streams of messages: good ones, of which a few tokens are then
// exchanged for others of their kind, lines are added, doubled or lost, and bytes
// changed. The same seed makes the same streams.
type grammar struct{ *rand.Rand }

// grammarOf is the grammar of one case, so that a case can be played alone.
func grammarOf(seed, number uint64) grammar { return grammar{rand.New(rand.NewPCG(seed, number))} }

// kind is what a symbol may be exchanged for.
type kind int

const (
	fixed kind = iota
	methodToken
	spaceToken
	targetToken
	versionToken
	statusToken
	reasonToken
	endToken
	nameToken
	colonToken
	valueToken
	hostToken
	lengthToken
	codingToken
	connectionToken
	sizeToken
	dataToken
)

// alternatives of each kind: what other parsers were seen to take, what they read
// differently, and what no parser should.
var alternatives = map[kind][]string{
	methodToken: {
		"get", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE", "PRI", "M-SEARCH", "!#$%&'*+-.^_`|~", "G@T", "G\x00T", "GET:", "G\xe9T", "", " GET", "\r\nGET",
		"\nGET", "\r\n\r\nGET", "\rGET", "GET\t", strings.Repeat("M", 300), "(GET)", "\"GET\"", "\x16\x03\x01\x02", "\x00",
	},
	spaceToken: {"", "  ", "\t", " \t", "\x0b", "\x0c", "\r", "\n", "\r\n ", "\xa0", "\x00"},
	targetToken: {
		"", "*", "/a b", "/a#b", "#", "/\x00", "/\x7f", "/\x80", "/\xff", "/\x01", "/\t", "//", "//b/", "/../x", "/a?b?c", "/%00", "/%", "/{}|\\^`\"<>", "?q", "/?#",
		"http://a/", "http://a", "http://a?q", "http://a#f", "https://a:443/", "https://a/", "ftp://a/", "http://b/", "http://a:80/", "http://a:8080/x", "http://a:/", "http://a:99999/",
		"HTTP://A/", "http://[::1]/", "http://u@a/", "http://u:p@a/", "http:///", "http://", "http:/a", "http:a", "://a/", "1http://a/", "h+t.t-p://a/", "a:80", "b:80", "a", "a:", ":80",
		"a:443", "[::1]:80", "urn:x:y", "mailto:a@b", "\\", "/" + strings.Repeat("p", 3000), "@", "http://a,b/", "http://a%2fb/",
	},
	versionToken: {
		"HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.1", "HTTP/1.1 ", " HTTP/1.1", "http/1.1", "Http/1.1", "HTTP/1.", "HTTP/1", "HTTP/", "HTTP/11", "HTTP/1.10",
		"HTTP/01.1", "HTTP /1.1", "HTTP/1,1", "HTTP/1.1\t", "HTTP/1.1x", "HTTP/-1.1", "HTTP/1.x", "", "ICY", "RTSP/1.0", "HTTP/1.1\x00", "HTTP/1.1\x0b",
	},
	statusToken: {"100", "101", "102", "103", "199", "201", "204", "205", "206", "301", "304", "404", "426", "500", "599", "600", "700", "999", "000", "099", "20", "2000", "", "-20", "+20", "2x0", " 200", "200\t", "0x8"},
	reasonToken: {"", "Not  Found", "OK\x00", "OK\x01", "OK\x7f", "\xc3\xa9", "O\tK", " OK", "OK ", "O\rK", strings.Repeat("r", 1000)},
	endToken:    {"\n", "\r", "\r\r\n", "\n\r", "", " \r\n", "\t\r\n", "\r\n ", "\r\n\t", "\x00\r\n", "\r\n\r\n", "\n\n", "\x0b\r\n", "\r \n"},
	nameToken: {
		"", " X", "X ", "X\t", "X Y", "X\x00", "X\x7f", "X(", "X)", "X,", "X/", "X;", "X@", "X[", "X{", "X\"", "X\\", "X=", "X?", "\xc3\x9c", "X\x80", "X\r", "\tX", ":X", "X:Y", "!#$%&'*+-.^_`|~", "x_y", "_",
		"Host", "hOST", "Host ", "Content-Length", "content-length ", "Content_Length", "Content-Length\x0b", "Transfer-Encoding", "Transfer\x00Encoding", "Transfer_Encoding", "Connection", "Upgrade", "Expect", "TE",
		"Cookie", "X-Forwarded-For", strings.Repeat("n", 300),
	},
	colonToken: {":", ":\t", ":  ", " :", "\t:", " : ", "::", "", " ", "=", ":\r\n ", ":\n", ":\x00", ":\x0b", ";"},
	valueToken: {
		"", " ", "a b", "\t", "a\x00b", "a\x01b", "a\x08", "a\x0bb", "a\x7fb", "a\x80b", "\xff\xfe", "a\rb", "a\nb", "a\r\n b", "a\r\n\tb", "a\r\n\r\n", "\"a\"", "a,,b", ",", "a;b=c", strings.Repeat("v", 2000), "\x1b[0m",
		"chunked", "4", "close", "a ", " a", "a\t", "\r\n a",
	},
	hostToken: {
		"", "b", "A", "a:80", "a:", "a:443", "a:99999", "a:x", "a b", "a,b", "a, b", "a/b", "u@a", "a?b", "a#b", "[::1]", "[::1", "::1", "a\x00", "a\tb", "\xc3\xa9", "a\\b", "%61", "a.", ".a", "a%00", "http://a", "*", "a\"", "<a>", "a_b", "-a", "{a}", "a|b", "a^b", "a`b",
	},
	lengthToken: {
		"", "0", "3", "5", "04", "004", "+4", "-4", "-0", "4.0", "0x4", "4a", "a", "4 4", "4,4", "4, 4", "4,5", "4, 5", ",4", "4,", "4,,4", "4;", "\"4\"", "4\t", "\t4", "4 ", "4\x00", "4\x0b", "\x0b4", "1e1", "٤",
		"9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551620", "99999999999999999999", "000000000000000000000004", "4\r\n 5", "4_0",
	},
	codingToken: {
		"", "Chunked", "CHUNKED", "xchunked", "chunkedx", "chunked ", " chunked", "chunked\t", "\tchunked", "\x0bchunked", "chunked\x0b", "chunked\x00", "\"chunked\"", "chunked;q=1", "chunked; a=b", "chunked,", ",chunked", "chunked,chunked", "chunked, chunked",
		"gzip, chunked", "gzip,chunked", "chunked, gzip", "chunked, identity", "identity, chunked", "identity", "gzip", "deflate", "trailers", "ch\r\n unked", "chun ked", "chunke", "chunkеd", "x, chunked", "compress, gzip, chunked", "chunked\r",
	},
	connectionToken: {"close", "keep-alive", "close, keep-alive", "keep-alive, close", "CLOSE", "close,", ",close", "x", "host", "content-length", "transfer-encoding", "upgrade", "close x", "\"close\"", "", "te, close", "cookie", "x-forwarded-for", "close;x"},
	sizeToken: {
		"", "0", "3", "5", "04", "0004", "0000000000000004", "00000000000000004", "000000000000000000000000000000000000000000000004", "0x4", "+4", "-4", " 4", "4 ", "4\t", "\t4", "4  ", "4g", "g", "4;", "4;a", "4;a=b", "4;a=\"b\"", "4;a=\"b;\r\nc\"", "4 ;a", "4; a", "4;a\nb", "4;\x00", "4;\x7f", "4;\xff",
		"4;a\rb", "4,a", "4,", "4.", "4\x00", "4\x0b", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff", "10000000000000004", "f0000000000000004", "100000004", "00", "000", "0;x", "0x0", "-0", "4;" + strings.Repeat("e", 5000), "\r\n4", "4\r", "4\n",
	},
	dataToken: {"", "abc", "abcde", "abcd\r\n", "\r\nab", "0\r\n\r", strings.Repeat("d", 300)},
}

// extraLines are added to heads and trailers.
var extraLines = []string{
	"Host: a\r\n", "Host: b\r\n", "HOST:a\r\n", "Host:\r\n", "Content-Length: 4\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "content-length:4\r\n", "Content-Length: 4, 4\r\n", "Content-Length : 4\r\n", "Content-Length:\r\n",
	"Transfer-Encoding: chunked\r\n", "transfer-encoding:chunked\r\n", "Transfer-Encoding : chunked\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip\r\n", "Transfer-Encoding:\r\n", "Transfer-Encoding: x\r\n chunked\r\n",
	"Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: x, y\r\n", "Connection: content-length\r\n", "Connection: Transfer-Encoding\r\n", "Connection: upgrade\r\nUpgrade: websocket\r\n", "Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: x\r\n", "Upgrade: x\r\n",
	"Proxy-Connection: close\r\n", "Keep-Alive: timeout=5\r\n", "TE: trailers\r\n", "TE: gzip\r\nConnection: te\r\n", "Trailer: X\r\n", "Expect: 100-continue\r\n", "Expect: x\r\n", "Cookie: a=b\r\n", "Cookie: c=d; e\r\n", "Set-Cookie: a=b\r\n",
	"X: y\r\n", "X:\r\n", "X: \r\n", "X\r\n", ": y\r\n", " X: y\r\n", "\tX: y\r\n", "X: y\r\n z\r\n", "X : y\r\n", "X\x00: y\r\n", "X: y\n", "X: y\r", "\r\n", "\n", strings.Repeat("X: y\r\n", 99), strings.Repeat("X: y\r\n", 102), "X: " + strings.Repeat("y", 17000) + "\r\n",
	"HTTP2-Settings: x\r\n", "X_Y: z\r\n", "Content_Length: 4\r\n", "Date: x\r\n", "Content-Type: text/plain\r\n", "GET /x HTTP/1.1\r\n", "Authority: b\r\n", ":authority: b\r\n",
}

// bytes that single bytes are exchanged for.
const oddBytes = "\x00\x01\x08\t\n\x0b\x0c\r\x1b\x1f \"#%(),/0:;<=>?@[\\]{}~\x7f\x80\xa0\xff"

type symbol struct {
	kind kind
	text string
}

// line is a line, or a piece of a body, with its end.
type line []symbol

func (g grammar) one(list ...string) string { return list[g.IntN(len(list))] }

// in reports true once in n times.
func (g grammar) in(n int) bool { return g.IntN(n) == 0 }

func field(name string, k kind, value string) line {
	return line{{nameToken, name}, {colonToken, ": "}, {k, value}, {endToken, "\r\n"}}
}

// body returns the fields that announce a body, and the body.
func (g grammar) body() (fields, body []line) {
	if g.in(2) {
		return []line{field("Content-Length", lengthToken, "4")}, []line{{{dataToken, "abcd"}}}
	}
	fields = []line{field("Transfer-Encoding", codingToken, "chunked")}
	for range 1 + g.IntN(2) {
		body = append(body, line{{sizeToken, "4"}, {endToken, "\r\n"}}, line{{dataToken, "wiki"}, {endToken, "\r\n"}})
	}
	body = append(body, line{{sizeToken, "0"}, {endToken, "\r\n"}})
	if g.in(3) {
		body = append(body, field("X-Trailer", valueToken, "t"))
	}
	return fields, append(body, line{{endToken, "\r\n"}})
}

// request is a good request.
func (g grammar) request() []line {
	start := func(method, target, version string) line {
		return line{{methodToken, method}, {spaceToken, " "}, {targetToken, target}, {spaceToken, " "}, {versionToken, version}, {endToken, "\r\n"}}
	}
	host := field("Host", hostToken, "a")
	end := line{{endToken, "\r\n"}}
	other := field(g.one("X-A", "Accept", "User-Agent"), valueToken, "one")
	switch g.IntN(8) {
	case 0:
		return []line{start("GET", "/", "HTTP/1.0"), other, end}
	case 1:
		return []line{start("GET", "http://a/p?q", "HTTP/1.1"), host, end}
	case 2:
		return []line{start("OPTIONS", "*", "HTTP/1.1"), host, end}
	case 3:
		return []line{start("HEAD", "/h", "HTTP/1.1"), host, field("Connection", connectionToken, "keep-alive"), end}
	case 4:
		return []line{start("CONNECT", "a:80", "HTTP/1.1"), field("Host", hostToken, "a:80"), end}
	case 5:
		return []line{start("GET", "/p?q", "HTTP/1.1"), host, other, end}
	}
	fields, body := g.body()
	lines := append([]line{start(g.one("POST", "PUT"), "/b", "HTTP/1.1"), host}, fields...)
	if g.in(4) {
		lines = slices.Insert(lines, 1, field("Expect", valueToken, "100-continue"))
	}
	return append(append(lines, end), body...)
}

// response is a good response.
func (g grammar) response() []line {
	start := func(version, status string) line {
		return line{{versionToken, version}, {spaceToken, " "}, {statusToken, status}, {spaceToken, " "}, {reasonToken, "OK"}, {endToken, "\r\n"}}
	}
	end := line{{endToken, "\r\n"}}
	other := field(g.one("X-A", "Server", "Date"), valueToken, "one")
	switch g.IntN(6) {
	case 0:
		return []line{start("HTTP/1.1", "200"), other, end, {{dataToken, "until close"}}}
	case 1:
		return []line{start("HTTP/1.0", "200"), other, end, {{dataToken, "until close"}}}
	case 2:
		return []line{start("HTTP/1.1", g.one("204", "304")), other, end}
	}
	fields, body := g.body()
	lines := append([]line{start("HTTP/1.1", "200"), other}, fields...)
	return append(append(lines, end), body...)
}

// spoil changes some of a good message and writes it.
func (g grammar) spoil(lines []line) string {
	for range g.IntN(3) {
		l := lines[g.IntN(len(lines))]
		t := &l[g.IntN(len(l))]
		if others := alternatives[t.kind]; len(others) > 0 {
			t.text = g.one(others...)
		}
	}
	if g.in(3) {
		at := 1 + g.IntN(len(lines))
		lines = slices.Insert(lines, min(at, len(lines)), line{{fixed, g.one(extraLines...)}})
	}
	if g.in(8) {
		at := g.IntN(len(lines))
		lines = slices.Insert(lines, at, lines[at])
	}
	if g.in(12) {
		at := g.IntN(len(lines))
		lines = slices.Delete(lines, at, at+1)
	}
	var b strings.Builder
	for _, l := range lines {
		for _, t := range l {
			b.WriteString(t.text)
		}
	}
	text := b.String()
	if g.in(4) && len(text) > 0 {
		text = g.spoilByte(text)
	}
	return text
}

func (g grammar) spoilByte(s string) string {
	at := g.IntN(len(s))
	odd := string(oddBytes[g.IntN(len(oddBytes))])
	switch g.IntN(4) {
	case 0:
		return s[:at] + odd + s[at:]
	case 1:
		return s[:at] + odd + s[at+1:]
	case 2:
		return s[:at] + s[at+1:]
	}
	return s[:at] // cut
}

// requests is a stream of one to three requests, most of them good.
func (g grammar) requests() string {
	var b strings.Builder
	for range 1 + g.IntN(3) {
		r := g.request()
		if g.in(3) {
			b.WriteString(write(r))
		} else {
			b.WriteString(g.spoil(r))
		}
	}
	return b.String()
}

func write(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		for _, t := range l {
			b.WriteString(t.text)
		}
	}
	return b.String()
}

// responses is what a server says to one request: perhaps interim responses, and one.
func (g grammar) responses() string {
	interim := ""
	if g.in(6) {
		interim = g.spoil([]line{{{versionToken, "HTTP/1.1"}, {spaceToken, " "}, {fixed, g.one("100", "102", "103")}, {spaceToken, " "}, {reasonToken, "Go on"}, {endToken, "\r\n"}}, field("X-I", valueToken, "i"), {{endToken, "\r\n"}}})
	}
	return interim + g.spoil(g.response())
}
