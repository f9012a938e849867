package pattern

import (
	"cmp"
	"math/bits"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// required lists texts in lower case that everything that matches a pattern
// contains, each in upper or lower case.
func required(text string, fold bool) []string {
	flags := syntax.Perl
	if fold {
		flags |= syntax.FoldCase
	}
	re, err := syntax.Parse(text, flags)
	if err != nil {
		return nil
	}
	return appendRequired(nil, re)
}

func appendRequired(to []string, re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return appendRuns(to, re)
	case syntax.OpCapture, syntax.OpPlus:
		return appendRequired(to, re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return appendRequired(to, re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			to = appendRequired(to, sub)
		}
	}
	return to
}

// appendRuns appends the parts of a literal whose bytes are certain: ASCII, but for
// k and s where case is ignored, which have other forms in Unicode. A single byte
// says too little.
func appendRuns(to []string, re *syntax.Regexp) []string {
	run := ""
	for _, r := range append(re.Rune[:len(re.Rune):len(re.Rune)], utf8.MaxRune) {
		folds := re.Flags&syntax.FoldCase != 0 && strings.ContainsRune("kKsS", r)
		if r < utf8.RuneSelf && !folds {
			run += string(rune(lower(byte(r))))
			continue
		}
		if len(run) > 1 {
			to = append(to, run)
		}
		run = ""
	}
	return to
}

// rarest chooses for each expression the needed text that the fewest others need,
// the longest one of those; "" for those that need none.
func rarest(needs [][]string) []string {
	times := make(map[string]int)
	for _, texts := range needs {
		for _, text := range texts {
			times[text]++
		}
	}
	chosen := make([]string, len(needs))
	for i, texts := range needs {
		if len(texts) > 0 {
			chosen[i] = slices.MinFunc(texts, func(a, b string) int {
				return cmp.Or(cmp.Compare(times[a], times[b]), cmp.Compare(len(b), len(a)))
			})
		}
	}
	return chosen
}

// regexes finds the first of many expressions that match. Those that need a
// certain text are tried only where it is there.
type regexes struct {
	all    []*Entry
	texts  *substrings // what is needed
	owner  []int32     // text -> expression
	always bitset      // expressions that need none
}

// maxRegexes is how many share one bitset; a Set of more has several groups.
const maxRegexes = 512

type bitset [maxRegexes / 64]uint64

func (b *bitset) set(i int32) { b[i/64] |= 1 << (i % 64) }

// fewRegexes is up to where trying all is as good.
const fewRegexes = 4

func newRegexes(all []*Entry, needs [][]string) *regexes {
	g := &regexes{all: all}
	var words []string
	for i, need := range rarest(needs) {
		if need == "" || len(all) <= fewRegexes {
			g.always.set(int32(i))
			continue
		}
		words = append(words, need)
		g.owner = append(g.owner, int32(i))
	}
	if len(words) > 0 {
		g.texts = newSubstrings(words, true)
	}
	return g
}

func (g *regexes) first(b []byte) int32 {
	try := g.always
	if g.texts != nil {
		var found bitset
		g.texts.mark(b, &found)
		for w, word := range found {
			for ; word != 0; word &= word - 1 {
				try.set(g.owner[w*64+bits.TrailingZeros64(word)])
			}
		}
	}
	for w, word := range try {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			if g.all[i].re.Match(b) {
				return int32(i)
			}
		}
	}
	return -1
}
