package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"golang.org/x/net/dns/dnsmessage"

	"baton/internal/mono"
)

// TestLookup runs one lookup in virtual time. Commands:
//
//	new first=A|AAAA|SRV servers=N [known=ADDR] [obsolete=DURATION]
//	at TIME            the clock goes there, stopping at every deadline on its way
//	answer [RECORDS]   a valid answer comes in
//	nx, refused, other a bad one
func TestLookup(t *testing.T) {
	datadriven.Walk(t, "testdata/lookup", func(t *testing.T, path string) {
		var k *Lookup
		now := mono.Time(time.Hour)
		var out strings.Builder
		tell := func(ask bool) {
			at := time.Duration(now) - time.Hour
			if ask {
				q, _ := k.Query()
				fmt.Fprintf(&out, "%v: ask %v\n", at, q)
			} else if _, open := k.Query(); !open {
				fmt.Fprintf(&out, "%v: %v, again in %v\n", at, k.Status(), k.Deadline().Sub(now))
			}
			if k.Changed() {
				fmt.Fprintf(&out, "%v: known:%s\n", at, show(k.Records()))
			}
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out.Reset()
			switch d.Cmd {
			case "new":
				l := Limits{Retries: 3, Resolve: 10 * time.Second, Retry: time.Second, Hold: Hold{NX: 30 * time.Second, Refused: 20 * time.Second, Timeout: 15 * time.Second, Other: 30 * time.Second}}
				var first, obsolete, addr string
				servers := 1
				for _, a := range d.CmdArgs {
					switch a.Key {
					case "first":
						first = a.Vals[0]
					case "servers":
						servers, _ = strconv.Atoi(a.Vals[0])
					case "known":
						addr = a.Vals[0]
					case "obsolete":
						obsolete = a.Vals[0]
					}
				}
				if obsolete != "" {
					l.Hold.Obsolete = duration(t, obsolete)
				}
				var initial []Record
				if addr != "" {
					initial = parseRecords(t, addr)
				}
				k = NewLookup("web.example.com", map[string]Type{"A": A, "AAAA": AAAA, "SRV": SRV}[first], l, servers, now, initial)
				tell(k.Tick(now))
			case "at":
				end := mono.Time(time.Hour + duration(t, d.CmdArgs[0].Key))
				for k.Deadline() <= end {
					now = k.Deadline()
					tell(k.Tick(now))
				}
				now = end
			case "answer":
				tell(k.Take(now, Answer{Status: Valid, Records: parseRecords(t, d.Input)}))
			case "nx":
				tell(k.Take(now, Answer{Status: NX}))
			case "refused":
				tell(k.Take(now, Answer{Status: Refused}))
			case "other":
				tell(k.Take(now, Answer{Status: Other}))
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return out.String()
		})
	})
}

// TestAssign: `assign` and `assign-srv` take seats, one a line (PRESENT [prefer4]
// [dup] [net=PREFIX]), then a line `--` and the records.
func TestAssign(t *testing.T) {
	datadriven.RunTest(t, "testdata/assign.txt", func(t *testing.T, d *datadriven.TestData) string {
		head, tail, _ := strings.Cut(d.Input, "--")
		var seats []Seat
		for _, line := range strings.Split(strings.TrimSpace(head), "\n") {
			seats = append(seats, parseSeat(t, strings.Fields(line)))
		}
		rs := parseRecords(t, tail)
		if d.Cmd == "assign-srv" {
			AssignSRV(seats, rs)
		} else {
			Assign(seats, rs)
		}
		var out strings.Builder
		for i, s := range seats {
			fmt.Fprintf(&out, "%d:", i+1)
			if s.Target != "" {
				fmt.Fprintf(&out, " %s:%d weight %d", s.Target, s.Port, s.Weight)
			}
			if s.Addr.IsValid() {
				fmt.Fprintf(&out, " %v", s.Addr)
			}
			out.WriteString("\n")
		}
		return out.String()
	})
}

func duration(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// parseRecords reads ADDR, or TARGET:PORT/WEIGHT[/PRIORITY][=ADDR], one a line.
func parseRecords(t *testing.T, s string) []Record {
	var rs []Record
	for _, f := range strings.Fields(s) {
		if a, err := netip.ParseAddr(f); err == nil {
			rs = append(rs, Record{Addr: a})
			continue
		}
		var r Record
		if name, addr, ok := strings.Cut(f, "="); ok {
			r.Addr, f = netip.MustParseAddr(addr), name
		}
		target, rest, ok := strings.Cut(f, ":")
		var n [3]int
		parts := strings.Split(rest, "/")
		for i, p := range parts {
			v, err := strconv.Atoi(p)
			if err != nil || i > 2 {
				ok = false
				break
			}
			n[i] = v
		}
		if !ok {
			t.Fatalf("record %q", f)
		}
		r.Target, r.Port, r.Weight, r.Priority = target, uint16(n[0]), uint16(n[1]), uint16(n[2])
		rs = append(rs, r)
	}
	return rs
}

func parseSeat(t *testing.T, words []string) Seat {
	s := Seat{Prefer: AAAA}
	for _, w := range words {
		switch {
		case w == "prefer4":
			s.Prefer = A
		case w == "dup":
			s.Dup = true
		case strings.HasPrefix(w, "net="):
			s.Nets = append(s.Nets, netip.MustParsePrefix(w[4:]))
		case w == "none":
		default:
			r := parseRecords(t, w)[0]
			s.Addr, s.Target, s.Port, s.Weight = r.Addr, r.Target, r.Port, r.Weight
		}
	}
	return s
}

func show(rs []Record) string {
	var b strings.Builder
	for _, r := range rs {
		if r.Target != "" {
			fmt.Fprintf(&b, " %s:%d/%d", r.Target, r.Port, r.Weight)
		} else {
			fmt.Fprintf(&b, " %v", r.Addr)
		}
	}
	if len(rs) == 0 {
		return " nothing"
	}
	return b.String()
}

const id = 4711

// response builds a message with x/net's builder: what a name server sends.
func response(t *testing.T, name string, typ dnsmessage.Type, h dnsmessage.Header, answers, extra []dnsmessage.Resource) []byte {
	t.Helper()
	h.Response = true
	m := dnsmessage.Message{
		Header:      h,
		Questions:   []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: typ, Class: dnsmessage.ClassINET}},
		Answers:     answers,
		Additionals: extra,
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func resource(name string, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET}, Body: body}
}

func TestQuery(t *testing.T) {
	b, err := Query(id, "web.example.com", AAAA, 4096)
	if err != nil {
		t.Fatal(err)
	}
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil {
		t.Fatal(err)
	}
	if m.ID != id || !m.RecursionDesired || len(m.Questions) != 1 || m.Questions[0].Name.String() != "web.example.com." || m.Questions[0].Type != dnsmessage.TypeAAAA {
		t.Errorf("query: %+v", m)
	}
	if len(m.Additionals) != 1 || m.Additionals[0].Header.Class != 4096 {
		t.Errorf("EDNS payload: %+v", m.Additionals)
	}
	if _, err := Query(id, strings.Repeat("x", 300), A, 512); err == nil {
		t.Error("a name of 300 bytes was accepted")
	}
}

func TestParse(t *testing.T) {
	const name = "web.example.com"
	ok := dnsmessage.Header{ID: id}
	one := []dnsmessage.Resource{resource("WEB.example.com.", &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}})}
	for _, tt := range []struct {
		what string
		msg  []byte
		typ  Type
		want string
	}{
		{"address", response(t, "web.Example.com.", dnsmessage.TypeA, ok, one, nil), A, "valid 192.0.2.1"},
		{"alias", response(t, "web.example.com.", dnsmessage.TypeA, ok, []dnsmessage.Resource{
			resource("web.example.com.", &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("a.example.net.")}),
			resource("a.example.net.", &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}}),
			resource("evil.example.org.", &dnsmessage.AResource{A: [4]byte{192, 0, 2, 66}}),
		}, nil), A, "valid 192.0.2.7"},
		{"repeated", response(t, "web.example.com.", dnsmessage.TypeA, ok, append(one, one...), nil), A, "valid 192.0.2.1"},
		{"service", response(t, "web.example.com.", dnsmessage.TypeSRV, ok, []dnsmessage.Resource{
			resource("web.example.com.", &dnsmessage.SRVResource{Target: dnsmessage.MustNewName("N1.example.com."), Port: 80, Weight: 5}),
		}, []dnsmessage.Resource{resource("n1.example.com.", &dnsmessage.AResource{A: [4]byte{192, 0, 2, 9}})}), SRV, "valid n1.example.com:80/5=192.0.2.9"},
		{"empty", response(t, "web.example.com.", dnsmessage.TypeA, ok, nil, nil), A, "no usable answer"},
		{"nxdomain", response(t, "web.example.com.", dnsmessage.TypeA, dnsmessage.Header{ID: id, RCode: dnsmessage.RCodeNameError}, nil, nil), A, "NXDOMAIN"},
		{"refused", response(t, "web.example.com.", dnsmessage.TypeA, dnsmessage.Header{ID: id, RCode: dnsmessage.RCodeRefused}, nil, nil), A, "refused"},
		{"servfail", response(t, "web.example.com.", dnsmessage.TypeA, dnsmessage.Header{ID: id, RCode: dnsmessage.RCodeServerFailure}, nil, nil), A, "no usable answer"},
		{"truncated", response(t, "web.example.com.", dnsmessage.TypeA, dnsmessage.Header{ID: id, Truncated: true}, one, nil), A, "no usable answer"},
		{"other id", response(t, "web.example.com.", dnsmessage.TypeA, dnsmessage.Header{ID: id + 1}, one, nil), A, "not ours"},
		{"other type", response(t, "web.example.com.", dnsmessage.TypeAAAA, ok, one, nil), A, "not ours"},
		{"other name", response(t, "www.example.com.", dnsmessage.TypeA, ok, one, nil), A, "not ours"},
		{"short", []byte{1, 2, 3}, A, "not ours"},
		{"cut", response(t, "web.example.com.", dnsmessage.TypeA, ok, one, nil)[:40], A, "broken"},
	} {
		a, err := Parse(tt.msg, id, name, tt.typ)
		got := a.Status.String()
		switch {
		case errors.Is(err, ErrNotOurs):
			got = "not ours"
		case err != nil:
			got = "broken"
		}
		for _, r := range a.Records {
			if r.Target != "" {
				got += fmt.Sprintf(" %s:%d/%d=%v", r.Target, r.Port, r.Weight, r.Addr)
			} else {
				got += " " + r.Addr.String()
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
}

// A message that parses holds what it says; whatever comes, there is no panic.
func FuzzParse(f *testing.F) {
	const name = "web.example.com"
	for _, typ := range []Type{A, SRV} {
		q, err := Query(id, name, typ, 512)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, typ := range []Type{A, AAAA, SRV} {
			a, err := Parse(b, id, name, typ)
			if err != nil {
				continue
			}
			if (a.Status == Valid) != (len(a.Records) > 0) {
				t.Fatalf("%v with %d records", a.Status, len(a.Records))
			}
			for _, r := range a.Records {
				if typ != SRV && (!r.Addr.IsValid() || r.Addr.Is4() != (typ == A)) {
					t.Fatalf("an %v answer with %v", typ, r.Addr)
				}
			}
		}
	})
}
