// Package diag carries what baton has to say about a configuration: a place,
// a sentence and, where one exists, a remedy. All findings of all files are
// collected in a List and shown in one run.
package diag

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Pos is a place in a configuration file. Line and Col count from 1; Col
// counts bytes. A zero Line means the file as a whole.
type Pos struct {
	File string
	Line int
	Col  int
}

func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Severity orders findings: an Error refuses the configuration, a Warning does not.
type Severity uint8

// The severities. A Notice is what the configuration itself asks to be told.
const (
	Warning Severity = iota
	Error
	Notice
)

func (s Severity) String() string { return [...]string{"warning", "error", "notice"}[s] }

// Diag is one finding.
type Diag struct {
	Pos      Pos
	Severity Severity
	Msg      string // what is wrong, with the value
	Hint     string // what to do about it; may be empty
	Source   string // the whole source line; may be empty
	Unused   bool   // a warning that a right line has no effect here
}

func (d Diag) Error() string { return fmt.Sprintf("%s: %s: %s", d.Pos, d.Severity, d.Msg) }

// List collects findings. The zero value is ready to use.
type List []Diag

// Errorf adds an error.
func (l *List) Errorf(p Pos, hint, format string, args ...any) {
	*l = append(*l, Diag{Pos: p, Severity: Error, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// Warnf adds a warning.
func (l *List) Warnf(p Pos, hint, format string, args ...any) {
	*l = append(*l, Diag{Pos: p, Severity: Warning, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// Unusedf adds a warning that a right line has no effect in baton.
func (l *List) Unusedf(p Pos, hint, format string, args ...any) {
	*l = append(*l, Diag{Pos: p, Msg: fmt.Sprintf(format, args...), Hint: hint, Unused: true})
}

// Notef adds a notice.
func (l *List) Notef(p Pos, hint, format string, args ...any) {
	*l = append(*l, Diag{Pos: p, Severity: Notice, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// Warnings counts the warnings.
func (l List) Warnings() int {
	n := 0
	for _, d := range l {
		if d.Severity == Warning {
			n++
		}
	}
	return n
}

// Unused counts the warnings about lines that have no effect in baton. They are
// right in HAProxy, so a configuration that may have no warnings may have these.
func (l List) Unused() int {
	n := 0
	for _, d := range l {
		if d.Unused {
			n++
		}
	}
	return n
}

// Errors counts the errors.
func (l List) Errors() int {
	n := 0
	for _, d := range l {
		if d.Severity == Error {
			n++
		}
	}
	return n
}

// Sort orders the findings by place, keeping the order in which files were read.
func (l List) Sort() {
	rank := make(map[string]int)
	for _, d := range l {
		if _, ok := rank[d.Pos.File]; !ok {
			rank[d.Pos.File] = len(rank)
		}
	}
	slices.SortStableFunc(l, func(a, b Diag) int {
		return cmp.Or(
			cmp.Compare(rank[a.Pos.File], rank[b.Pos.File]),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Col, b.Pos.Col),
		)
	})
}

// Attach fills in the source line of every finding that lacks one. line returns
// the text of a line, or "" when the file is not known.
func (l List) Attach(line func(file string, n int) string) {
	for i := range l {
		if l[i].Source == "" && l[i].Pos.Line > 0 {
			l[i].Source = line(l[i].Pos.File, l[i].Pos.Line)
		}
	}
}

// Write prints the findings as file:line:col: severity: message, each with its
// source line, a caret under the column, and the hint.
func (l List) Write(w io.Writer) error {
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "%s: %s: %s\n", d.Pos, d.Severity, printable(d.Msg))
		if d.Source != "" {
			num := fmt.Sprintf("%5d", d.Pos.Line)
			text, caret := excerpt(d.Source, d.Pos.Col-1)
			fmt.Fprintf(&b, "%s | %s\n", num, text)
			if d.Pos.Col > 0 {
				fmt.Fprintf(&b, "%s | %s^\n", strings.Repeat(" ", len(num)), indent(text, caret))
			}
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "        %s\n", printable(d.Hint))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// maxExcerpt is how much of a line is shown; the rest would only hide the message.
const maxExcerpt = 160

// excerpt returns the part of a source line to show and where the byte at caret
// stands in it.
func excerpt(line string, caret int) (text string, at int) {
	if len(line) <= maxExcerpt {
		return clean(line), max(0, caret)
	}
	from := min(max(0, caret-maxExcerpt/2), len(line)-maxExcerpt)
	for ; from > 0 && !utf8.RuneStart(line[from]); from-- {
	}
	before, after := "", ""
	if from > 0 {
		before = "..."
	}
	to := from + maxExcerpt
	if to < len(line) {
		after = "..."
	}
	return before + clean(line[from:to]) + after, len(before) + max(0, caret-from)
}

// maxMessage bounds a sentence, which may quote a word of any length.
const maxMessage = 500

// printable is a sentence as a terminal may see it.
func printable(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "..."
	}
	return strings.ReplaceAll(clean(s), "\t", " ")
}

// clean replaces, byte by byte, what a terminal would obey or could not print by
// question marks; tabs stay.
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1, r < ' ' && r != '\t', r == 0x7f:
			b.WriteByte('?')
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// indent returns white space as wide as the first n bytes of s, keeping tabs so
// that the caret stands under its word in any terminal.
func indent(s string, n int) string {
	var b strings.Builder
	for i, r := range s {
		if i >= n {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// Nearest returns the candidate that a person most likely meant by word: the one
// with the smallest edit distance, if that is at most a third of its length (and
// at least one edit is always allowed). It returns "" when nothing is near.
func Nearest(word string, candidates []string) string {
	best, bestDist := "", max(len(word)/3, 1)+1
	for _, c := range candidates {
		if d := distance(word, c, bestDist); d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

// distance is the Damerau-Levenshtein distance (adjacent transpositions count as
// one edit), or any value >= limit once that is certain.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
