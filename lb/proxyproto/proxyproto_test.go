package proxyproto

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stricter are the headers that HAProxy takes and we do not: numbers that wrap round,
// and addresses that are not written out.
var stricter = map[string]bool{
	"PROXY TCP4 1.2.3.4 5.6.7.8 70000 222\r\n": true,
	"PROXY TCP4 1.2.3.4 5.6.7.8 65536 1\r\n":   true,
	"PROXY TCP4 1.2.3.4 5.6.7.8 0111 222\r\n":  true,
	"PROXY TCP4 01.2.3.4 5.6.7.8 111 222\r\n":  true,
	"PROXY TCP4 1.2.3 5.6.7.8 111 222\r\n":     true,
	"PROXY TCP4 256.2.3.4 5.6.7.8 111 222\r\n": true,
}

func TestLikeHAProxy(t *testing.T) {
	for header, want := range recorded(t) {
		// Something always follows: HAProxy answered a request behind it.
		h, n, v := Parse([]byte(header + "GET / HTTP/1.1\r\n"))
		got := "close"
		switch {
		case v != Valid:
		case n != len(header):
			t.Errorf("%q: %d bytes, want %d", header, n, len(header))
		case !h.Src.IsValid():
			got = "keep"
		default:
			got = fmt.Sprintf("%s|%d %s|%d %s %s", h.Src.Addr(), h.Src.Port(), h.Dst.Addr(), h.Dst.Port(), dash(escape(h.Authority)), dash(hex.EncodeToString(h.UniqueID)))
		}
		if stricter[header] {
			want = "close"
		}
		if got != want {
			t.Errorf("%q: %s, HAProxy says %s", header, got, want)
		}
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func escape(b []byte) string { return strings.ReplaceAll(string(b), "\x00", "%00") }

func recorded(t testing.TB) map[string]string {
	text, err := os.ReadFile("testdata/haproxy.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "#") {
			continue
		}
		end := strings.LastIndexByte(line, '"') + 1
		header, err := strconv.Unquote(line[:end])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all[header] = strings.TrimSpace(line[end:])
	}
	if len(all) < 50 {
		t.Fatalf("only %d headers in testdata/haproxy.txt", len(all))
	}
	return all
}

// The verdicts choose the log's text.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		header string
		want   Verdict
	}{
		{"", Truncated},
		{"PROXY TCP4 1.2", Truncated},
		{"PRO", Truncated},
		{"PROXY TCP4 " + strings.Repeat("1", 200) + "\r\n", Truncated},
		{"GET / HTTP/1.1\r\n", Foreign},
		{"PROXX TCP4", Foreign},
		{"PROXY TCP4 x y 1 2\r\n", Invalid},
		{signature[:5], Truncated},
		{signature + "\x21\x11\x00\x0c1234", Truncated},
		{signature + "\x31\x11\x00\x00", Foreign},
		{"\r\n\r\nGET", Foreign},
		{signature + "\x21\x11\x00\x00", Invalid},
		{signature + "\x21\x11\xff\xff" + strings.Repeat("a", 16000), Truncated},
	} {
		if _, _, got := Parse([]byte(c.header)); got != c.want {
			t.Errorf("%.40q: %d, want %d", c.header, got, c.want)
		}
	}
}

// What HAProxy 2.6 wrote for its server options.
func TestAppend(t *testing.T) {
	four, dst4 := netip.MustParseAddrPort("1.2.3.4:111"), netip.MustParseAddrPort("5.6.7.8:222")
	six, dst6 := netip.MustParseAddrPort("[2001:db8::1]:111"), netip.MustParseAddrPort("[2001:db8::2]:222")
	addrs4 := "\x01\x02\x03\x04\x05\x06\x07\x08\x00o\x00\xde"
	addrs6 := " \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01 \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00o\x00\xde"
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{AppendV1(nil, four, dst4), "PROXY TCP4 1.2.3.4 5.6.7.8 111 222\r\n"},
		{AppendV1(nil, six, dst6), "PROXY TCP6 2001:db8::1 2001:db8::2 111 222\r\n"},
		{AppendV1(nil, four, dst6), "PROXY TCP6 ::ffff:1.2.3.4 2001:db8::2 111 222\r\n"},
		{AppendV1(nil, netip.AddrPort{}, dst4), "PROXY UNKNOWN\r\n"},
		{AppendV2(nil, four, dst4, &Extra{}), signature + "\x21\x11\x00\x0c" + addrs4},
		{AppendV2(nil, six, dst6, &Extra{}), signature + "\x21\x21\x00\x24" + addrs6},
		{AppendV2(nil, four, dst4, &Extra{CRC32C: true}), signature + "\x21\x11\x00\x13" + addrs4 + "\x03\x00\x04y\x88\xac\""},
		{AppendV2(nil, six, dst6, &Extra{CRC32C: true}), signature + "\x21\x21\x00\x2b" + addrs6 + "\x03\x00\x04\x10\xaa\xefd"},
		{
			AppendV2(nil, four, dst4, &Extra{CRC32C: true, SSL: true, Authority: []byte("www.x.org"), UniqueID: []byte("x1.2.3.4y")}),
			signature + "\x21\x11\x003" + addrs4 + "\x03\x00\x04\x8f\x00j.\x02\x00\twww.x.org\x05\x00\tx1.2.3.4y\x20\x00\x05\x00\x00\x00\x00\x00",
		},
		{AppendV2(nil, netip.AddrPort{}, netip.AddrPort{}, &Extra{CRC32C: true}), signature + "\x20\x00\x00\x07\x03\x00\x04\xa9\xb8~\x8f"},
		{AppendV2([]byte("before"), netip.AddrPort{}, dst4, &Extra{}), "before" + signature + "\x20\x00\x00\x00"},
	} {
		if string(c.got) != c.want {
			t.Errorf("got  %q\nwant %q", c.got, c.want)
		}
	}
}

func TestParseSSL(t *testing.T) {
	value := append([]byte{3, 0, 0, 0, 0}, "\x21\x00\x07TLSv1.3\x22\x00\x02cn\x23\x00\x01c\x24\x00\x01s\x25\x00\x01k\x7f\x00\x00"...)
	got, ok := ParseSSL(value)
	want := SSL{TLS: true, CertConn: true, Verified: true, Version: []byte("TLSv1.3"), CommonName: []byte("cn"), Cipher: []byte("c"), SigAlg: []byte("s"), KeyAlg: []byte("k")}
	if d := cmp.Diff(want, got); d != "" || !ok {
		t.Errorf("%v -want +got:\n%s", ok, d)
	}
	for n := range 5 {
		if _, ok := ParseSSL(value[:n]); ok {
			t.Errorf("%d bytes are no TLV", n)
		}
	}
	if _, ok := ParseSSL(value[:8]); ok {
		t.Error("a cut TLV within")
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	v1 := []byte("PROXY TCP6 2001:db8::1 2001:db8::2 111 222\r\n")
	v2 := AppendV2(nil, netip.MustParseAddrPort("1.2.3.4:1"), netip.MustParseAddrPort("5.6.7.8:2"), &Extra{CRC32C: true, Authority: []byte("a")})
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		Parse(v2)
		h, _, _ := Parse(v1)
		buf = AppendV1(buf[:0], h.Src, h.Dst)
		buf = AppendV2(buf[:0], h.Src, h.Dst, &Extra{CRC32C: true})
	}); n > 4 { // the two addresses and ports of version 1 as strings
		t.Errorf("%v allocations", n)
	}
}

// Whatever comes, Parse ends, and what is valid says the same when it is written again.
func FuzzParse(f *testing.F) {
	for header := range recorded(f) {
		f.Add([]byte(header))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, v := Parse(b)
		if v != Valid {
			return
		}
		if n <= 0 || n > len(b) {
			t.Fatalf("%d of %d bytes", n, len(b))
		}
		h.Each(func(typ byte, value []byte) {
			if typ == TypeSSL {
				ParseSSL(value)
			}
		})
		again := AppendV2(nil, h.Src, h.Dst, &Extra{Authority: h.Authority, UniqueID: h.UniqueID, CRC32C: true})
		o, m, v := Parse(again)
		if v != Valid || m != len(again) || o.Src.Addr().Unmap() != h.Src.Addr().Unmap() || o.Src.Port() != h.Src.Port() ||
			!bytes.Equal(o.Authority, h.Authority) && h.Src.IsValid() || !bytes.Equal(o.UniqueID, h.UniqueID) && h.Src.IsValid() {
			t.Fatalf("%q: %+v, again %q: %+v %v", b, h, again, o, v)
		}
	})
}
