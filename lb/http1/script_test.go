package http1

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
)

// TestScripts runs testdata/. The input of a command is wire text: lines are joined
// without anything between them, and escapes are Go's (\r \n \t \x00 \\).
//
//	request [lenient]     parse, show what was understood
//	response [lenient] [to=METHOD]  the same, for the response to such a request
//	forward [response] [to=METHOD] [keep=upgrade]  show the head as it is passed on
//	chunks                scan a chunked body
//
// Each message is also parsed in two pieces, for every place to cut it, and byte by
// byte: what comes out must be the same.
func TestScripts(t *testing.T) {
	seen := map[Reason]bool{}
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			b := wire(t, d)
			switch d.Cmd {
			case "request", "response":
				m := parseAllWays(t, b, d.Cmd == "response", toMethod(t, d), d.HasArg("lenient"))
				seen[m.Reason] = true
				return show(m, b)
			case "forward":
				m := parseAllWays(t, b, d.HasArg("response"), toMethod(t, d), false)
				if m.scan.phase != ended {
					d.Fatalf(t, "not parsed: %v", m.Reason)
				}
				drop := HopByHop
				if d.HasArg("keep") {
					drop &^= 1 << Upgrade
				}
				return strings.ReplaceAll(quote(m.AppendHead(nil, b, drop)), `\r\n`, `\r\n`+"\n")
			case "chunks":
				c, out := scanAllWays(t, b)
				seen[c.Reason] = true
				return out
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
	for r := range Reason(len(reasonTexts)) {
		if !seen[r] && r != TrailerSize && r != TooManyFields { // too long to write down; see limits_test.go
			t.Errorf("no script shows reason %q", r)
		}
	}
}

func wire(t *testing.T, d *datadriven.TestData) []byte {
	quoted := strings.NewReplacer("\n", "", `"`, `\"`).Replace(d.Input)
	s, err := strconv.Unquote(`"` + quoted + `"`)
	if err != nil {
		d.Fatalf(t, "input: %v", err)
	}
	return []byte(s)
}

func toMethod(t *testing.T, d *datadriven.TestData) Method {
	name := "GET"
	d.MaybeScanArgs(t, "to", &name)
	return methodOf([]byte(name))
}

func quote(b []byte) string {
	q := strconv.Quote(string(b))
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// parseAllWays parses b at once, cut in two at every place, and byte by byte.
func parseAllWays(t testing.TB, b []byte, response bool, req Method, lenient bool) *Message {
	t.Helper()
	whole := &Message{Lenient: lenient}
	st := feed(whole, b, response, req, len(b))
	for cut := range len(b) {
		m := &Message{Lenient: lenient}
		if got := feed(m, b, response, req, cut, len(b)); got != st {
			t.Fatalf("cut at %d: %v (%v), whole: %v (%v)", cut, got, m.Reason, st, whole.Reason)
		}
		sameMessage(t, whole, m)
	}
	steps := make([]int, len(b))
	for i := range steps {
		steps[i] = i + 1
	}
	m := &Message{Lenient: lenient}
	m.N, m.Minor, m.scan.named = 17, 1, true // Reset has to clear leftovers
	m.Reset()
	if got := feed(m, b, response, req, steps...); got != st {
		t.Fatalf("byte by byte: %v (%v), whole: %v (%v)", got, m.Reason, st, whole.Reason)
	}
	sameMessage(t, whole, m)
	return whole
}

// feed parses b[:steps[0]], b[:steps[1]], ... as long as more is needed. The capacity
// is cut too: bytes that have not come must not be looked at.
func feed(m *Message, b []byte, response bool, req Method, steps ...int) State {
	var st State
	for _, n := range steps {
		if response {
			st = m.ParseResponse(b[:n:n], req)
		} else {
			st = m.ParseRequest(b[:n:n])
		}
		if st != NeedMore {
			break
		}
	}
	return st
}

func sameMessage(t testing.TB, a, b *Message) {
	t.Helper()
	x, y := *a, *b
	clear(x.Fields[x.N:])
	clear(y.Fields[y.N:])
	if x.scan.phase < ended {
		return // what waits for more may stand at different places
	}
	if x.scan.phase == failed {
		if x.Reason != y.Reason || x.BadAt != y.BadAt {
			t.Fatalf("refused for %v at %d, and for %v at %d", x.Reason, x.BadAt, y.Reason, y.BadAt)
		}
		return
	}
	x.scan.mark, x.scan.pos, y.scan.mark, y.scan.pos = 0, 0, 0, 0
	if x != y {
		t.Fatalf("parsed in pieces (-whole +pieces):\n%s", cmp.Diff(x, y, cmp.AllowUnexported(Message{}, parser{})))
	}
}

var (
	knownNames = [...]string{
		"", "connection", "length", "coding", "host", "expect", "upgrade", "keep-alive", "te", "trailer",
		"proxy-connection", "x-forwarded-for", "cookie", "set-cookie", "date", "REMOVED",
	}
	methodNames = [...]string{"other", "get", "head", "post", "put", "delete", "options", "trace", "connect", "patch"}
)

func show(m *Message, b []byte) string {
	var s strings.Builder
	switch m.scan.phase {
	case failed:
		return fmt.Sprintf("bad at %d: %s\n", m.BadAt, m.Reason)
	case ended:
	default:
		return "need more\n"
	}
	if m.Status != 0 {
		fmt.Fprintf(&s, "%d %q", m.Status, m.ReasonPhrase.Of(b))
	} else {
		fmt.Fprintf(&s, "%s (%s) target=%s", m.MethodSpan.Of(b), methodNames[m.Method], m.Target.Of(b))
		if m.Path != m.Target {
			fmt.Fprintf(&s, " path=%s", m.Path.Of(b))
		}
		if m.Authority.Len > 0 {
			fmt.Fprintf(&s, " authority=%s", m.Authority.Of(b))
		}
	}
	fmt.Fprintf(&s, " HTTP/1.%d head=%d\n", m.Minor, m.HeadLen)
	fmt.Fprintf(&s, "framing=%s length=%d", [...]string{"none", "length", "chunked", "until-close", "tunnel"}[m.Framing], m.ContentLength)
	for _, f := range []struct {
		on   bool
		name string
	}{{m.KeepAlive, "keep-alive"}, {m.ConnUpgrade, "upgrade"}, {m.Expect100, "expect-100"}} {
		if f.on {
			s.WriteString(" " + f.name)
		}
	}
	s.WriteByte('\n')
	for _, f := range m.Fields[:m.N] {
		fmt.Fprintf(&s, "  %s=%s", f.Name.Of(b), quote(f.Value.Of(b)))
		if f.Known != Other {
			fmt.Fprintf(&s, " (%s)", knownNames[f.Known])
		}
		s.WriteByte('\n')
	}
	return s.String()
}

// scanAllWays scans b at once and in pieces, as parseAllWays does.
func scanAllWays(t testing.TB, b []byte) (*Chunks, string) {
	t.Helper()
	c := new(Chunks)
	n, st := c.Scan(b)
	for cut := range len(b) {
		d := new(Chunks)
		if k, st2 := scanPieces(d, b, cut); k != n || st2 != st || *d != *c {
			t.Fatalf("cut at %d: %d %v %+v, whole: %d %v %+v", cut, k, st2, *d, n, st, *c)
		}
	}
	d := new(Chunks)
	cuts := make([]int, len(b))
	for i := range cuts {
		cuts[i] = i
	}
	if k, st2 := scanPieces(d, b, cuts...); k != n || st2 != st || *d != *c {
		t.Fatalf("byte by byte: %d %v %+v, whole: %d %v %+v", k, st2, *d, n, st, *c)
	}
	out := fmt.Sprintf("%s %d of %d bytes, payload %d", st, n, len(b), c.Payload)
	if st == Bad {
		out += ": " + c.Reason.String()
	}
	return c, out + "\n"
}

// scanPieces scans b cut at the given places.
func scanPieces(c *Chunks, b []byte, cuts ...int) (n int, st State) {
	from := 0
	for _, to := range append(cuts, len(b)) {
		k, st := c.Scan(b[from:to:to])
		n += k
		if st != NeedMore {
			return n, st
		}
		from = to
	}
	return n, NeedMore
}
