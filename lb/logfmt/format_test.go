package logfmt

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"baton/lb/sample"
)

// fixed is the record of testdata/formats; its values are those of a request that
// was sent to HAProxy 2.6.
func fixed() Record {
	date := time.Date(2026, 11, 21, 3, 24, 13, 97e6, time.FixedZone("", 3600))
	return Record{
		Client: netip.MustParseAddrPort("127.0.0.1:57074"), Local: netip.MustParseAddrPort("[2001:db8::1]:18300"),
		Source: netip.MustParseAddrPort("127.0.0.1:49522"), Target: netip.MustParseAddrPort("127.0.0.1:18299"),
		Date:     date,
		Frontend: "f0", HTTP: true, Backend: "b", Server: "s", TLS: true,
		Times: sample.Times{
			Ti: 5 * time.Millisecond, Th: 2 * time.Millisecond,
			TR: 1 * time.Millisecond, Tw: 2 * time.Millisecond, Tc: 3 * time.Millisecond, Tr: 4 * time.Millisecond, Total: 20 * time.Millisecond,
		},
		Status: 200, Bytes: 85, Uploaded: 70, State: [4]byte{'-', '-', '-', '-'}, ProcessConns: 1, FrontendConns: 1,
		Retries: 1, Redispatched: true, Request: []byte("GET /a/b?x=1 HTTP/1.0"),
		RequestHeaders: [][]byte{[]byte("h{|}\"#\\]\x01\xe9"), nil, {}}, ResponseHeaders: [][]byte{[]byte(`a{b|c}"d\e]f`)},
		RequestCookie: []byte("C=w"), Host: "vm", PID: 6733, LogCount: 7, Origin: TxnClose,
	}
}

// constants are the expressions of testdata/formats.
type constant struct {
	v  Value
	ok bool
}

func (c constant) Eval(*Record) (Value, bool) { return c.v, c.ok }

func testExpr(s string, off int) (Expr, error) {
	switch name, arg, _ := strings.Cut(strings.TrimSuffix(s, ")"), "("); name {
	case "str":
		return constant{Value{Kind: Text, Bytes: []byte(arg)}, true}, nil
	case "bin":
		b, err := hex.DecodeString(arg)
		return constant{Value{Kind: Binary, Bytes: b}, true}, err
	case "int":
		return constant{Value{Kind: Number, Int: leadingInt(arg)}, true}, nil
	case "bool":
		return constant{Value{Kind: Boolean, Int: leadingInt(arg)}, true}, nil
	case "none":
		return constant{}, nil
	}
	return nil, &SyntaxError{Off: off, Msg: "unknown fetch"}
}

// TestFormats runs testdata/formats: each command is a format and what it makes of a
// record, or its error.
//
//	format [tcp] [bad] [empty] [nosrv]
//	FORMAT
func TestFormats(t *testing.T) {
	datadriven.RunTest(t, "testdata/formats", func(t *testing.T, d *datadriven.TestData) string {
		r := fixed()
		o := Syntax{HTTP: true, Merge: true, Expr: testExpr}
		for _, a := range d.CmdArgs {
			switch a.Key {
			case "tcp":
				o.HTTP, r.HTTP = false, false
			case "bad":
				r.Request, r.Status = nil, 0
			case "nocaptures":
				r.RequestHeaders, r.ResponseHeaders, r.RequestCookie = nil, nil, nil
			case "early":
				r.Early = true
			case "nosrv":
				r.Server, r.Backend, r.Source, r.Target = "", "", netip.AddrPort{}, netip.AddrPort{}
				r.Tw, r.Tc, r.Tr = -1, -1, -1
			case "request":
				r.Request = []byte(strings.Join(a.Vals, ","))
			case "verbatim":
				o.Merge = false
			default:
				d.Fatalf(t, "unknown argument %s", a.Key)
			}
		}
		f, err := Compile(strings.TrimSuffix(d.Input, "$"), o)
		if err != nil {
			at := 0
			var syntax *SyntaxError
			if errors.As(err, &syntax) {
				at = syntax.Off
			}
			return strings.Repeat(" ", at) + "^ " + err.Error() + "\n"
		}
		line := string(f.Append(nil, &r))
		if f.flags&asJSON != 0 && !json.Valid([]byte(line)) {
			d.Fatalf(t, "no JSON: %s", line)
		}
		return strings.ReplaceAll(show(line), " \n", " $\n")
	})
}

// show makes unprintable bytes visible.
func show(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 32 || c > 126 {
			b.WriteString(`\x` + hex.EncodeToString([]byte{c}))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + "\n"
}

func TestFormatAllocatesNothing(t *testing.T) {
	r := fixed()
	r.Dates = new(DateCache)
	all := "%{+Q,+E}o "
	for _, a := range AliasNames() {
		all += "%" + a + " %{+X}" + a + " "
	}
	dst := make([]byte, 0, 8192)
	for _, text := range []string{HTTPFormat, CLFFormat, all, "%{+json}o %(a)r %(b)hrl %(c)B %(d)hr", "%{+cbor}o %(a)r %(b)hrl %(c)B"} {
		f := Must(text, Syntax{HTTP: true, Merge: true})
		if n := testing.AllocsPerRun(100, func() { f.Append(dst, &r) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// FuzzFormat: any format compiles or is refused, and what JSON it makes is JSON.
func FuzzFormat(f *testing.F) {
	f.Add(HTTPFormat, []byte("GET / HTTP/1.1"))
	f.Add(`%{+json}o %(a:sint)r %(b)[str(x)] %(c)hrl %{-json}ci`, []byte("\xff\"\\"))
	f.Add(`%{+cbor,+bin}o %(a)B%(b)hr`, []byte(""))
	f.Add(`a  %%%{+Q,+X,+E}o %[bin(00)] %(x:bool)[int(3)]`, []byte("x"))
	f.Fuzz(func(t *testing.T, text string, request []byte) {
		format, err := Compile(text, Syntax{HTTP: true, Merge: true, Expr: testExpr})
		if err != nil {
			return
		}
		r := fixed()
		r.Request = request
		line := format.Append(nil, &r)
		if format.flags&asJSON != 0 && !json.Valid(line) {
			t.Errorf("%q gives %q", text, line)
		}
	})
}
