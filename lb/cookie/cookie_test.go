package cookie

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

func TestNext(t *testing.T) {
	for line, want := range map[string]string{
		"":                           "",
		" ; ,;":                      "",
		"a=b":                        "a>b",
		"a=b; c = d ,e":              "a>b c>d e",
		"a=;b":                       "a> b",
		"=x; a=1":                    ">x a>1",
		`a="x; b=1"; c=2`:            `a>"x; b=1" c>2`,
		`a="x\"; b=1"; c=2`:          `a>"x\"; b=1" c>2`,
		`a="open; b=1`:               `a>"open; b=1`,
		"$Version=1; a=b=c; $Path=/": "$Version>1 a>b=c $Path>/",
	} {
		var got []string
		for at := 0; ; {
			p, ok := Next([]byte(line), at)
			if !ok {
				break
			}
			at = p.End
			s := line[p.From:p.NameEnd]
			if p.HasValue {
				s += ">" + line[p.Value:p.To]
			}
			got = append(got, s)
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%q: %q, want %q", line, g, want)
		}
	}
}

func TestFirst(t *testing.T) {
	for line, want := range map[string]string{
		"S=a":               "a",
		" S = a ; path=/":   "a",
		"S=a, b ;Expires=x": "a, b",
		"S=":                "",
		"S":                 "-",
		"T=a":               "-",
		"; S=a":             "-",
	} {
		p, ok := First([]byte(line))
		got := "-"
		if ok && p.Is([]byte(line), "S") {
			got = line[p.Value:p.To]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestHide(t *testing.T) {
	for line, want := range map[string]string{
		"S=1":                                 "",
		"S=1; S=2":                            "",
		"a=b; S=1; c=d":                       "a=b; c=d",
		"S=1;c=d":                             "c=d",
		"a=b;S=1":                             "a=b",
		"a,S=1":                               "a",
		"S; XS=1; s=2":                        "S; XS=1; s=2",
		"$Version=1; S=1; $Path=/":            "",
		"$Version=1; a=b; S=1; $Path=/; c=d":  "$Version=1; a=b; c=d",
		"$Version=1; S=1; $Path=/; a=b; $P=1": "$Version=1; a=b; $P=1",
	} {
		if got := string(Hide([]byte(line), "S")); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// The dates are HAProxy 2.6's, at these seconds.
func TestDates(t *testing.T) {
	const now = 1796080167
	if got := string(AppendDate(nil, now)); got != "|aw4CK" {
		t.Errorf("%q", got)
	}
	id, d := Cut([]byte("one|aw4CK|aw31R"))
	if string(id) != "one" || d.Last != 1796080168 || d.First != 1796076868 {
		t.Errorf("%q %+v", id, d)
	}
	for _, c := range []struct {
		d                Dates
		maxIdle, maxLife int64
		idle, old, stale bool
	}{
		{Dates{}, 0, 0, false, false, false},
		{Dates{}, 600, 0, false, false, true},
		{Dates{}, 0, 600, false, false, true},
		{Dates{now, 0}, 600, 0, false, false, false},
		{Dates{now - 1, 0}, 600, 0, false, false, true},
		{Dates{now - 600, 0}, 600, 0, false, false, true},
		{Dates{now - 601, 0}, 600, 0, true, false, true},
		{Dates{now + 86400, 0}, 600, 0, false, false, false},
		{Dates{now + 86401, 0}, 600, 0, true, false, false},
		{Dates{0, now - 600}, 0, 600, false, false, false},
		{Dates{0, now - 601}, 0, 600, false, true, false},
		{Dates{now, now - 100}, 600, 600, false, false, false},
		{Dates{now, now - 100}, 600, 0, false, false, true}, // the first date is not asked for any more
		{Dates{now - 4, 0}, 0, 0, false, false, true},
	} {
		if i, o, s := c.d.Idle(now, c.maxIdle), c.d.Old(now, c.maxLife), c.d.Stale(now, c.maxIdle, c.maxLife); i != c.idle || o != c.old || s != c.stale {
			t.Errorf("%+v, maxidle %d, maxlife %d: idle %v, old %v, stale %v", c.d, c.maxIdle, c.maxLife, i, o, s)
		}
	}
}

// The values are HAProxy 2.6's.
func TestDynamic(t *testing.T) {
	for _, c := range []struct{ key, at, want string }{
		{"secret", "127.0.0.1:18401", "9c9c316e0aa5f01e"},
		{"abcdefghi", "127.0.0.1:18401", "a873ac0b6902da3b"},
	} {
		if got := Dynamic(c.key, netip.MustParseAddrPort(c.at)); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if Dynamic("", netip.MustParseAddrPort("127.0.0.1:1")) != "" || Dynamic("k", netip.AddrPort{}) != "" {
		t.Error("a value of nothing")
	}
}

func TestToken(t *testing.T) {
	at, ok := Token([]byte("3640205228.15629.0000")) // the example of [MS-RDPBCGR]
	if want := netip.MustParseAddrPort("172.31.249.216:3389"); !ok || at != want {
		t.Errorf("%v %v", at, ok)
	}
	for _, s := range []string{"", "1", "1.2", "a.1.0", "1.a.0", "4294967296.1.0", "1.65536.0", "-1.1.0"} {
		if at, ok := Token([]byte(s)); ok {
			t.Errorf("%q is %v", s, at)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"a=b; S=1; c=d", `a="x; S=1"; S=2,`, "$Version=1; S=1; $Path=/", `S="\`, "S = ;;,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := []byte(s)
		for at := 0; ; {
			p, ok := Next(line, at)
			if !ok {
				break
			}
			if !(at <= p.From && p.From <= p.NameEnd && p.NameEnd <= p.Value && p.Value <= p.To && p.To <= p.End && p.End > at && p.End <= len(line)) {
				t.Fatalf("%q: %+v from %d", s, p, at)
			}
			at = p.End
		}
		First(line)
		Cut(line)
		Token(line)
		hidden := Hide(bytes.Clone(line), "S")
		for at := 0; ; {
			p, ok := Next(hidden, at)
			if !ok {
				break
			}
			if at = p.End; p.Is(hidden, "S") {
				t.Fatalf("%q still has S: %q", s, hidden)
			}
		}
	})
}
