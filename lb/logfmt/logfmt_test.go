package logfmt

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"baton/lb/sample"
)

// TestLines runs testdata/lines: each command describes what happened, and what it
// expects is the line that HAProxy wrote about it.
//
//	http|tcp|connect|error client=A:P date=RFC3339 fe=N [be=N] [srv=N] [t=TR/Tw/Tc/Tr/Ta]
//	  [st=N] [bytes=N] [end=XXXX] [conns=a/f/b/s] [retries=[+]N] [queues=s/b] [req="..."] [tls] ...
func TestLines(t *testing.T) {
	var dates DateCache
	datadriven.RunTest(t, "testdata/lines", func(t *testing.T, d *datadriven.TestData) string {
		r := record(t, d)
		r.Dates = &dates
		switch d.Cmd {
		case "http":
			r.HTTP = true
			return same(t, d, AppendHTTP(nil, &r), httpFormat.Append(nil, &r))
		case "tcp":
			return same(t, d, AppendTCP(nil, &r), tcpFormat.Append(nil, &r))
		case "connect":
			return string(AppendConnect(nil, &r)) + "\n"
		case "error":
			r.Message = d.Input
			return string(AppendError(nil, &r)) + "\n"
		}
		d.Fatalf(t, "unknown command")
		return ""
	})
}

var (
	httpFormat = Must(HTTPFormat, Syntax{HTTP: true, Merge: true})
	tcpFormat  = Must(TCPFormat, Syntax{Merge: true})
)

// same compares the line of a standard format with that of its definition.
func same(t *testing.T, d *datadriven.TestData, line, defined []byte) string {
	if !bytes.Equal(line, defined) {
		d.Fatalf(t, "the definition gives\n%s\nnot\n%s", defined, line)
	}
	return string(line) + "\n"
}

// TestHeads runs testdata/heads the same way; the tag is haproxy and the process
// 2521, as in the samples.
func TestHeads(t *testing.T) {
	datadriven.RunTest(t, "testdata/heads", func(t *testing.T, d *datadriven.TestData) string {
		h := Header{Tag: "haproxy", PID: 2521}
		date := ""
		d.ScanArgs(t, "facility", &h.Facility)
		d.ScanArgs(t, "level", &h.Level)
		d.ScanArgs(t, "date", &date)
		d.MaybeScanArgs(t, "host", &h.Host)
		h.Time = instant(t, date)
		f, ok := FramingOf(d.Cmd)
		if !ok {
			d.Fatalf(t, "unknown framing")
		}
		return string(AppendHeader(nil, f, &h)) + "text\n"
	})
}

func record(t *testing.T, d *datadriven.TestData) Record {
	r := Record{Times: sample.Times{TR: -1, Tw: -1, Tc: -1, Tr: -1}, State: [4]byte{'-', '-', '-', '-'}}
	for _, a := range d.CmdArgs {
		v := strings.Join(a.Vals, ",")
		switch a.Key {
		case "client":
			r.Client = netip.MustParseAddrPort(v)
		case "to":
			r.Local = netip.MustParseAddrPort(v)
		case "date":
			r.Date = instant(t, v)
		case "fe":
			r.Frontend = v
		case "bind":
			r.Bind = v
		case "be":
			r.Backend = v
		case "srv":
			r.Server = v
		case "mode":
			r.HTTP = v == "http"
		case "tls":
			r.TLS = true
		case "t":
			n := numbers(t, v)
			ms := func(i int) time.Duration { return time.Duration(n[i])*time.Millisecond + 999*time.Microsecond }
			if len(n) == 3 {
				r.Tw, r.Tc, r.Total = ms(0), ms(1), ms(2)
			} else {
				r.TR, r.Tw, r.Tc, r.Tr, r.Total = ms(0), ms(1), ms(2), ms(3), ms(4)
			}
		case "st":
			r.Status = numbers(t, v)[0]
		case "bytes":
			r.Bytes = int64(numbers(t, v)[0])
		case "end":
			copy(r.State[:], v)
		case "conns":
			n := numbers(t, v)
			r.ProcessConns, r.FrontendConns, r.BackendConns, r.ServerConns = n[0], n[1], n[2], n[3]
		case "retries":
			r.Redispatched = strings.HasPrefix(v, "+")
			r.Retries = numbers(t, strings.TrimPrefix(v, "+"))[0]
		case "queues":
			n := numbers(t, v)
			r.ServerQueue, r.BackendQueue = n[0], n[1]
		default:
			t.Fatalf("unknown argument %s", a.Key)
		}
	}
	if d.Cmd == "http" && d.Input != "" {
		s, err := strconv.Unquote(`"` + strings.ReplaceAll(d.Input, `"`, `\"`) + `"`)
		if err != nil {
			t.Fatal(err)
		}
		r.Request = []byte(s)
	}
	return r
}

func numbers(t *testing.T, s string) []int {
	var out []int
	for _, w := range strings.Split(s, "/") {
		n, err := strconv.Atoi(w)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

func instant(t *testing.T, s string) time.Time {
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAbnormal(t *testing.T) {
	state := func(s string) [4]byte { return [4]byte([]byte(s)) }
	for _, c := range []struct {
		r    Record
		want bool
	}{
		{Record{State: state("----"), Status: 200}, false},
		{Record{State: state("----"), Status: 404}, false},
		{Record{State: state("LR--"), Status: 302}, false},
		{Record{State: state("----"), Status: 500}, true},
		{Record{State: state("PR--"), Status: 403}, true},
		{Record{State: state("CD--"), Status: 200}, true},
		{Record{State: state("cD--"), Status: 200}, true},
		{Record{State: state("----"), Status: 200, Retries: 1}, true},
		{Record{State: state("----"), Status: 200, Redispatched: true}, true},
	} {
		if got := c.r.Abnormal(); got != c.want {
			t.Errorf("%s %d: abnormal %v, want %v", c.r.State[:], c.r.Status, got, c.want)
		}
	}
}

func sampleRecord() Record {
	return Record{
		Client: netip.MustParseAddrPort("192.0.2.7:40000"), Local: netip.MustParseAddrPort("[2001:db8::1]:80"),
		Date: time.Date(2026, 11, 21, 5, 25, 14, 778e6, time.Local), Dates: new(DateCache),
		Frontend: "web", Backend: "app", Server: "s1", Times: sample.Times{Tw: time.Millisecond}, Status: 200, Bytes: 1234,
		State: [4]byte{'-', '-', '-', '-'}, Request: []byte("GET /\x00\"# HTTP/1.1"),
	}
}

func TestAllocatesNothing(t *testing.T) {
	r := sampleRecord()
	h := Header{Facility: 16, Level: 6, Time: r.Date, Host: "h", Tag: "baton", PID: 1}
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		r.Date = r.Date.Add(700 * time.Millisecond)
		AppendHTTP(dst, &r)
		AppendTCP(dst, &r)
		AppendConnect(dst, &r)
		for f := Local; f <= Raw; f++ {
			AppendHeader(dst, f, &h)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The cache must not survive its second, nor its zone.
func TestDateCache(t *testing.T) {
	var c DateCache
	at := time.Date(2026, 12, 31, 23, 59, 58, 5e8, time.UTC)
	for range 10 {
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("", -3600)} {
			d := at.In(zone)
			want := d.Format("02/Jan/2006:15:04:05.000")
			if got := string(c.append(nil, d)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if got := string(c.append(nil, d)); got != want {
				t.Errorf("again %s, want %s", got, want)
			}
			var none *DateCache
			if got := string(none.append(nil, d)); got != want {
				t.Errorf("without a cache %s, want %s", got, want)
			}
		}
		at = at.Add(333 * time.Millisecond)
	}
}

// FuzzHTTP: whatever a client asks for, its line is one line of printable ASCII with
// exactly the two quotes of its last field.
func FuzzHTTP(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1"))
	f.Add([]byte("\"#\x00\r\n\x7f\xff"))
	f.Add(bytes.Repeat([]byte("a"), 1100))
	f.Fuzz(func(t *testing.T, request []byte) {
		r := sampleRecord()
		r.Request = request
		line := AppendHTTP(nil, &r)
		for _, c := range line {
			if c < 32 || c > 126 {
				t.Fatalf("byte %#x in %q", c, line)
			}
		}
		if n := bytes.Count(line, []byte{'"'}); n != 2 {
			t.Fatalf("%d quotes in %q", n, line)
		}
		if len(line) > 120+3*maxRequest {
			t.Fatalf("line of %d bytes", len(line))
		}
	})
}

func BenchmarkAppendHTTP(b *testing.B) {
	r := sampleRecord()
	dst := make([]byte, 0, 1024)
	for b.Loop() {
		AppendHTTP(dst, &r)
	}
}
