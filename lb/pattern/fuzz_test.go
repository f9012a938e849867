package pattern

import (
	"net/netip"
	"strings"
	"testing"
)

// FuzzSet compiles any text as a file of any method and compares what it finds with
// a plain search.
func FuzzSet(f *testing.F) {
	f.Add(uint8(Str), "a 1\nab 2\n", "ab", false)
	f.Add(uint8(IP), "10.0.0.0/8\n::ffff:10.1.0.0/112\n", "10.1.2.3", false)
	f.Add(uint8(Int), "1:5\n:-3\n", "4", false)
	f.Add(uint8(Reg), "^a+$\n[k-s]x\nfoo\nbar\nbaz\nqux\n", "Kx", true)
	f.Add(uint8(Dom), ".example.com\ncom:80\n", "www.example.com:80", true)
	f.Add(uint8(Sub), "a\nab\nbab\nb\nabab\nc\n", "xababx", true)
	f.Add(uint8(Bin), "6162\n", "ab", false)
	f.Fuzz(func(t *testing.T, method uint8, text, sample string, fold bool) {
		o := Options{Method: Method(method % uint8(len(methodNames))), FoldCase: fold, Output: OutputStr}
		if o.Method == Found || o.Method == Bool || len(text) > 4000 {
			return
		}
		lines := ReadMap(text)
		for i := range lines {
			lines[i].Value = strings.Repeat("i", i)
		}
		s, err := Compile(o, lines)
		if err != nil {
			return
		}
		p := plain{o, lines}
		var got *Entry
		var want int
		switch o.Method {
		case Int:
			n := int64(len(sample)) - 5
			got, want = s.Int(n), p.int(n)
		case IP:
			a, err := netip.ParseAddr(sample)
			if err != nil || a.Zone() != "" {
				return
			}
			got, want = s.Addr(a), p.addr(a)
		default:
			got, want = s.Bytes([]byte(sample)), p.bytes([]byte(sample))
		}
		found := -1
		if got != nil {
			found = len(got.Value().Text)
		}
		if found != want {
			t.Errorf("%v -i=%v %q in %q: line %d, want %d", o.Method, fold, sample, text, found, want)
		}
	})
}
