package http1

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func head(fields int) []byte {
	return []byte("GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", fields-1) + "\r\n")
}

func TestFieldLimit(t *testing.T) {
	var m Message
	if st := m.ParseRequest(head(MaxHeaders)); st != Done || m.N != MaxHeaders {
		t.Errorf("%d fields: %v (%v), %d found", MaxHeaders, st, m.Reason, m.N)
	}
	b := head(MaxHeaders + 1)
	m.Reset()
	if st := m.ParseRequest(b); st != Bad || m.Reason != TooManyFields {
		t.Errorf("%d fields: %v (%v)", MaxHeaders+1, st, m.Reason)
	}
	parseAllWays(t, b, false, MethodGet, false)
	m.Reset()
	if st := m.ParseRequest(head(3)); st != Done || m.N != 3 {
		t.Errorf("after a refused head: %v (%v), %d fields", st, m.Reason, m.N)
	}
}

// Bytes that were looked at are not looked at again: spoiling them goes unnoticed.
// (What is not complete yet is only the element's end, a few bytes.)
func TestIncrementalScansOnce(t *testing.T) {
	for _, start := range []string{"", "GET /", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nX: "} {
		b := []byte(start + strings.Repeat("v", 100))
		var m Message
		m.ParseRequest(b)
		for i := range b {
			b[i] = 0
		}
		if st := m.ParseRequest(append(b, 'v')); st != NeedMore {
			t.Errorf("behind %q: %v (%v)", start, st, m.Reason)
		}
	}
}

func TestOutcomeIsFinal(t *testing.T) {
	var m Message
	if m.ParseRequest([]byte("GET / HTTP/3.1\r\n")) != Bad || m.ParseRequest([]byte(smallRequest)) != Bad {
		t.Error("a refused request was taken up again")
	}
	m.Reset()
	if m.ParseRequest([]byte(smallRequest)) != Done || m.ParseRequest([]byte(smallRequest+"x")) != Done {
		t.Error("a complete request did not stay complete")
	}
}

// TestReset keeps Reset's list of fields complete.
func TestReset(t *testing.T) {
	var m Message
	fill(reflect.ValueOf(&m).Elem())
	m.scan = parser{phase: inValue, mark: 1, named: true}
	fields := m.Fields
	m.Reset()
	want := Message{Fields: fields, OldBodies: true, Lenient: true} // settings
	if m != want {
		t.Errorf("left over: %+v", m)
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Array:
		fill(v.Index(0))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	default:
		v.SetUint(7)
	}
}

func TestFind(t *testing.T) {
	b := []byte("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nCookie: c\r\nx-a: 2\r\n\r\n")
	var m Message
	if m.ParseRequest(b) != Done {
		t.Fatal(m.Reason)
	}
	got := []int{m.Find(b, "x-a", 0), m.Find(b, "x-a", 2), m.Find(b, "x-a", 4), m.Find(b, "x-b", 0), m.FindKnown(Cookie, 0), m.FindKnown(Date, 0)}
	if want := []int{1, 3, -1, -1, 2, -1}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	m.Fields[1].Known = Removed
	if i := m.Find(b, "x-a", 0); i != 3 {
		t.Errorf("with the first one removed: %d", i)
	}
	if got, want := string(m.AppendHead(nil, b, HopByHop|1<<Cookie)), "GET / HTTP/1.1\r\nhost: a\r\nx-a: 2\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAccessors(t *testing.T) {
	for _, c := range []struct{ target, path, host string }{
		{"/a/b?c=/d", "/a/b?c=/d", "h"},
		{"http://h/a?b", "/a?b", "h"},
		{"http://h", "", "h"},
	} {
		b := []byte("GET " + c.target + " HTTP/1.1\r\nHost: h\r\n\r\n")
		var m Message
		if m.ParseRequest(b) != Done {
			t.Fatal(c.target, m.Reason)
		}
		if p, h := string(m.PathAndQuery(b)), string(m.HostValue(b)); p != c.path || h != c.host {
			t.Errorf("%s: path %q host %q", c.target, p, h)
		}
	}
	var m Message
	b := []byte("GET / HTTP/1.0\r\n\r\n")
	if m.ParseRequest(b); m.HostValue(b) != nil {
		t.Error("a Host where there is none")
	}
}

// The word-wide loops against their definitions, byte values at all places.
func TestWordLoops(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			if b[i] = byte(' ' + rnd.IntN(95)); rnd.IntN(12) == 0 {
				b[i] = byte(rnd.IntN(256))
			}
		}
		from := rnd.IntN(len(b) + 1)
		want := from
		for want < len(b) && (b[want] >= 0x20 && b[want] != 0x7f || b[want] == '\t') {
			want++
		}
		if got := skipText(b, from); got != want {
			t.Fatalf("skipText(%q, %d) = %d, want %d", b, from, got, want)
		}
		low := bytes.Clone(b)
		lower(low)
		for i := range b {
			if low[i] != lowerByte(b[i]) {
				t.Fatalf("lower(%q) = %q", b, low)
			}
		}
	}
}

func TestChunkLimits(t *testing.T) {
	ext := func(n int) string { return "1;" + strings.Repeat("x", n) + "\r\n!\r\n0\r\n\r\n" }
	trailer := func(n int) string { return "0\r\nx:" + strings.Repeat("y", n-6) + "\r\n\r\n" } // n with the last CRLF
	name := func(n int) string { return "0\r\n" + strings.Repeat("x", n) + ":\r\n\r\n" }
	for _, c := range []struct {
		name, wire string
		want       Reason
	}{
		{"longest extension", ext(maxExtension), NoReason},
		{"extension too long", ext(maxExtension + 1), ChunkExtension},
		{"padding too long", "1" + strings.Repeat(" ", maxExtension+2) + "\r\n", ChunkExtension},
		{"longest trailer", trailer(maxTrailers), NoReason},
		{"trailer too long", trailer(maxTrailers + 1), TrailerSize},
		{"longest trailer name", name(maxName), NoReason},
		{"trailer name too long", name(maxName + 1), LongName},
		{"trailer value too long", "0\r\nX: " + strings.Repeat("y", maxTrailers), TrailerSize},
		{"most trailers", "0\r\n" + strings.Repeat("X:\r\n", MaxHeaders) + "\r\n", NoReason},
		{"too many trailers", "0\r\n" + strings.Repeat("X:\r\n", MaxHeaders+1) + "\r\n", TooManyFields},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := []byte(c.wire)
			var whole, pieces Chunks
			n, st := whole.Scan(b)
			if whole.Reason != c.want || (st == Bad) != (c.want != NoReason) {
				t.Errorf("%v after %d bytes: %v", st, n, whole.Reason)
			}
			cuts := make([]int, len(b))
			for i := range cuts {
				cuts[i] = i
			}
			if k, st2 := scanPieces(&pieces, b, cuts...); k != n || st2 != st || pieces.Reason != whole.Reason {
				t.Errorf("byte by byte: %v after %d bytes, whole: %v after %d", st2, k, st, n)
			}
			if k, again := whole.Scan([]byte("0\r\n\r\n")); k != 0 || again != st {
				t.Errorf("afterwards: %d %v", k, again)
			}
		})
	}
}

func TestReasonTexts(t *testing.T) {
	seen := map[string]Reason{}
	for r := range TrailerField + 1 {
		if other, ok := seen[r.String()]; ok || r.String() == "" {
			t.Errorf("reasons %d and %d read %q", other, r, r)
		}
		seen[r.String()] = r
	}
	if len(reasonTexts) != int(TrailerField)+1 {
		t.Error("texts without a reason")
	}
}
