package pattern

import "slices"

// Method is how a sample is compared with a pattern.
type Method uint8

// The methods of chapter 7.1, in the words of the flag -m. Found and Bool have no
// patterns: a Set of them is not needed.
const (
	Found Method = iota
	Bool
	Int // value, lo:hi, lo: or :hi
	IP  // address or network
	Bin // hexadecimal digits
	Len // as Int, of the sample's length
	Str
	Sub
	Reg
	Beg
	End
	Dir
	Dom
)

var methodNames = []string{"found", "bool", "int", "ip", "bin", "len", "str", "sub", "reg", "beg", "end", "dir", "dom"}

func (m Method) String() string { return methodNames[m] }

// MethodOf returns the method called name.
func MethodOf(name string) (Method, bool) {
	i := slices.Index(methodNames, name)
	return Method(max(i, 0)), i >= 0
}

// MethodNames lists the words that may follow -m.
func MethodNames() []string { return slices.Clone(methodNames) }

// longest tells whether the longest pattern wins, not the first one.
func (m Method) longest() bool { return m == IP || m == Beg }

// Options are what else a comparison depends on.
type Options struct {
	Method   Method
	FoldCase bool // -i
	Dotted   bool // Int: 3.1 is 3<<16 + 1, as fetches of protocol versions count
	Output   Output
}
