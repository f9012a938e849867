package pattern

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var byteMethods = []Method{Str, Bin, Beg, End, Sub, Reg, Dir, Dom, Len}

// word makes texts of few letters, so that they meet often.
func word(r *rand.Rand, letters string, longest int) string {
	b := make([]byte, 1+r.IntN(longest))
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

func randomPattern(r *rand.Rand, m Method) string {
	switch m {
	case Bin:
		return strings.ToUpper(fmt.Sprintf("%x", word(r, "abAB", 4)))
	case Len, Int:
		lo := r.IntN(30) - 10
		return []string{strconv.Itoa(lo), strconv.Itoa(lo) + ":", ":" + strconv.Itoa(lo), fmt.Sprintf("%d:%d", lo, lo+r.IntN(8))}[r.IntN(4)]
	case Reg:
		w := word(r, "abAB", 3)
		return []string{w, "^" + w, w + "$", "[ab]" + w, w + "|" + word(r, "ab", 4), "(" + w + ")+b", w + "?k", "x*"}[r.IntN(8)]
	case IP:
		return randomNetwork(r)
	}
	return word(r, "abAB/.:?", 5)
}

func randomAddr(r *rand.Rand) netip.Addr {
	v4 := [4]byte{10, byte(r.IntN(3)), byte(r.IntN(2)), byte(r.IntN(4))}
	switch r.IntN(6) {
	case 0:
		return netip.AddrFrom16(netip.AddrFrom4(v4).As16())
	case 1:
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x02, 2: v4[0], 3: v4[1], 4: v4[2], 5: v4[3], 15: byte(r.IntN(2))})
	case 2:
		return netip.AddrFrom16([16]byte{12: v4[0], 13: v4[1], 14: v4[2], 15: v4[3]})
	case 3:
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: byte(r.IntN(2)), 15: byte(r.IntN(3))})
	}
	return netip.AddrFrom4(v4)
}

func randomNetwork(r *rand.Rand) string {
	a := randomAddr(r)
	if r.IntN(3) == 0 {
		return a.String()
	}
	bits := a.BitLen() - r.IntN(26)
	if r.IntN(8) == 0 {
		bits = r.IntN(a.BitLen() + 1)
	}
	return a.String() + "/" + strconv.Itoa(bits)
}

func randomLines(r *rand.Rand, m Method, n int) []Line {
	lines := make([]Line, n)
	for i := range lines {
		lines[i] = Line{Pattern: randomPattern(r, m), Value: strconv.Itoa(i)}
	}
	return lines
}

// TestLikePlainSearch compares every structure with a plain search, over random
// lists and samples.
func TestLikePlainSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		for _, m := range byteMethods {
			o := Options{Method: m, FoldCase: round%2 == 0, Output: OutputStr}
			lines := randomLines(r, m, 1+r.IntN(20))
			s := compile(t, o, lines)
			for range 20 {
				b := []byte(word(r, "abAB/.:?k", 9))
				wantLine(t, o, lines, string(b), s.Bytes(b), plain{o, lines}.bytes(b))
			}
		}
		o := Options{Method: Int, Output: OutputStr}
		lines := randomLines(r, Int, 1+r.IntN(9))
		s := compile(t, o, lines)
		for _, n := range []int64{math.MinInt64, -11, int64(r.IntN(40) - 15), int64(r.IntN(40) - 15), math.MaxInt64} {
			wantLine(t, o, lines, n, s.Int(n), plain{o, lines}.int(n))
		}
		o.Method = IP
		lines = randomLines(r, IP, 1+r.IntN(20))
		s = compile(t, o, lines)
		for range 30 {
			a := randomAddr(r)
			wantLine(t, o, lines, a, s.Addr(a), plain{o, lines}.addr(a))
		}
	}
}

func compile(t testing.TB, o Options, lines []Line) *Set {
	t.Helper()
	s, err := Compile(o, lines)
	if err != nil {
		t.Fatalf("%v %v: %v", o, lines, err)
	}
	return s
}

func wantLine(t testing.TB, o Options, lines []Line, sample any, got *Entry, want int) {
	t.Helper()
	wanted := "none"
	if want >= 0 {
		wanted = strconv.Itoa(want)
	}
	found := "none"
	if got != nil {
		found = got.Value().Text
	}
	// Equal patterns: either stands for the other, but the first one has the value.
	if found != wanted {
		t.Fatalf("%v -i=%v %q in %v: line %s, want %s", o.Method, o.FoldCase, fmt.Sprint(sample), lines, found, wanted)
	}
}

// TestManyRegexes: more than one group, and the one without a needed text.
func TestManyRegexes(t *testing.T) {
	var lines []Line
	for i := range 1200 {
		lines = append(lines, Line{Pattern: fmt.Sprintf("^host%d[.]", i)})
	}
	lines = append(lines, Line{Pattern: "^[0-9]+$"}, Line{Pattern: "host5[.]x"})
	s := compile(t, Options{Method: Reg}, lines)
	for _, c := range []struct{ text, want string }{
		{"host0.x", "^host0[.]"},
		{"host1199.x", "^host1199[.]"},
		{"host600.", "^host600[.]"},
		{"17", "^[0-9]+$"},
		{"yhost5.x", "host5[.]x"},
		{"HOST5.x", ""},
		{"", ""},
	} {
		got := ""
		if e := s.Bytes([]byte(c.text)); e != nil {
			got = e.Pattern
		}
		if got != c.want {
			t.Errorf("%q matches %q, want %q", c.text, got, c.want)
		}
	}
}

func TestReadFiles(t *testing.T) {
	text := "  lead\ntrail  \r\n# no\n  #yes\nword two\n\n \t\nk\t v  w \t \n"
	want := []Line{{"lead", "", 1}, {"trail  ", "", 2}, {"#yes", "", 4}, {"word two", "", 5}, {"k\t v  w \t ", "", 8}}
	if d := cmp.Diff(want, ReadList(text)); d != "" {
		t.Error(d)
	}
	want = []Line{{"lead", "", 1}, {"trail", "", 2}, {"#yes", "", 4}, {"word", "two", 5}, {"k", "v  w", 8}}
	if d := cmp.Diff(want, ReadMap(text)); d != "" {
		t.Error(d)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		o    Options
		line Line
		want string
	}{
		{Options{Method: Int}, Line{Pattern: "5x", N: 3}, "line 3: '5x' is not a number"},
		{Options{Method: Int}, Line{Pattern: "5:3"}, "'5:3' is not a valid number range"},
		{Options{Method: Int}, Line{Pattern: ":"}, "':' is not a valid number range"},
		{Options{Method: Int}, Line{Pattern: "3.1"}, "'3.1' is not a number"},
		{Options{Method: IP}, Line{Pattern: "host"}, "'host' is not a valid IPv4 or IPv6 address: not an address or network"},
		{Options{Method: IP}, Line{Pattern: "10.0.0.0/255.0.255.0"}, "'10.0.0.0/255.0.255.0' is not a valid IPv4 or IPv6 address: netmask '255.0.255.0' with gaps is not supported"},
		{Options{Method: Bin}, Line{Pattern: "414"}, "'414': an even number of hex digits is expected"},
		{Options{Method: Bin}, Line{Pattern: "4g"}, "'4g' is not made of hex digits"},
		{Options{Method: Str, Output: OutputInt}, Line{Pattern: "a", Value: "12x", N: 1}, "line 1: value '12x' is not a number"},
		{Options{Method: Str, Output: OutputIP}, Line{Pattern: "a", Value: "1.2.3", N: 1}, "line 1: value '1.2.3' is not an address"},
		{Options{Method: Reg}, Line{Pattern: "a)"}, "regular expression 'a)': unexpected ): `a)`"},
	} {
		_, err := Compile(c.o, []Line{c.line})
		if err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.line, err, c.want)
		}
	}
}

// TestPerlSyntax: what RE2 lacks is named, what only looks like it is not.
func TestPerlSyntax(t *testing.T) {
	for text, what := range map[string]string{
		`a(?=b)`: "lookahead '(?='", `a(?!b)`: "lookahead '(?!'", `(?<=a)b`: "lookbehind '(?<='", `(?<!a)b`: "lookbehind '(?<!'",
		`(a)\1`: `the back reference '\1'`, `(?P<n>a)(?P=n)`: "the back reference '(?P='", `(a)\k<n>`: `the back reference '\k'`,
		`a++`: "the possessive quantifier '++'", `a{2,3}+`: "the possessive quantifier '}+'", `(?>a)`: "the atomic group '(?>'",
		`(?R)`: "the recursion '(?R'", `(?1)`: "the recursion '(?1'", `a\Kb`: `'\K'`, `\h`: `'\h'`, `a\Z`: `'\Z'`, `(*FAIL)`: "the verb '(*'",
	} {
		_, err := CompileRegex(text, false)
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s", text, err, what)
		}
	}
	for _, text := range []string{
		`\++`, `[+]+`, `[(?=]`, `\(?=`, `a\{2}+`, `[]\]+*+]+`, `[^]]++`[:5], `\\+`, `\d+\.\w`, `\Q(?=\E`, `(?:a)`, `(?i)a`, `(?P<n>a)`, `a{2}?`, `[\d+]+`, `\x41`, `\pL`,
	} {
		if _, err := CompileRegex(text, true); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		operator, number string
		dotted           bool
		want             string
	}{
		{"eq", "5", false, "5"},
		{"eq", "5:7", false, "5:7"},
		{"ge", "5", false, "5:"},
		{"gt", "5", false, "6:"},
		{"le", "-5", false, ":-5"},
		{"lt", "0", false, ":-1"},
		{"gt", "3.1", true, "3.2:"},
		{"lt", "3.0", true, ":2.65535"},
		{"gt", "9223372036854775807", false, "nothing is gt 9223372036854775807"},
		{"ge", "1:2", false, "operator 'ge' makes no sense with the range '1:2'"},
		{"lt", "x", false, "'x' is not a number"},
	} {
		got, err := Compare(c.operator, c.number, c.dotted)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.operator, c.number, got, c.want)
		}
	}
	s := compile(t, Options{Method: Int, Dotted: true}, []Line{{Pattern: "3:3.1"}})
	for n, want := range map[int64]bool{3 << 16: true, 3<<16 + 1: true, 3<<16 + 2: false, 2 << 16: false} {
		if got := s.Int(n) != nil; got != want {
			t.Errorf("3:3.1 matches %x: %v, want %v", n, got, want)
		}
	}
}

func TestExpanded(t *testing.T) {
	s := compile(t, Options{Method: Reg, Output: OutputStr}, []Line{{Pattern: `^a(b+)(c?)`, Value: `x\1y\2\0\\z\9`}})
	for in, want := range map[string]string{"abbc": `xbbycabbc\z`, "abb": `xbbyabb\z`} {
		e := s.Bytes([]byte(in))
		if got := string(e.AppendExpanded(nil, []byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
