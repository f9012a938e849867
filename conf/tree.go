package conf

import (
	"io/fs"
	"strings"

	"baton/internal/diag"
)

// Source is where configuration comes from.
type Source struct {
	// FS is rooted at "/": the name /etc/baton/baton.cfg is opened as etc/baton/baton.cfg.
	FS fs.FS
	// Dir is the absolute directory that relative names start from.
	Dir string
	// Env looks up an environment variable.
	Env func(name string) (value string, ok bool)
	// Predefined are variables that hide those of Env: HAPROXY_LOCALPEER and others.
	Predefined map[string]string
	// Diagnostic shows what `.diag` lines say (haproxy -dD).
	Diagnostic bool
	// CfgOnly reads no *.conf of a folder, and takes empty files and folders as they are.
	CfgOnly bool
	// Node is this host's configuration id: `@lb1 ...` lines are kept when it
	// equals lb1 (keepalived -i; the first part of the host name by default).
	Node string
}

// Word is one lexed word. Quotes and escapes are resolved, variables substituted.
type Word struct {
	Text   string
	Pos    diag.Pos
	Quoted bool // at least a part of it was quoted
}

// Line is one directive of an HAProxy section: Words[0] is the keyword; with No
// set it was preceded by `no`, with Default by `default`.
type Line struct {
	No      bool
	Default bool
	Words   []Word
}

// Section is an HAProxy section: `frontend web`, its words and its lines.
type Section struct {
	Keyword Word
	Args    []Word
	Lines   []Line
}

// Block is one directive of keepalived's grammar: its words and, when it opened
// a brace, what stood between the braces. Words[0] always exists.
type Block struct {
	Words   []Word
	HasBody bool
	Body    []*Block
	Broken  bool // its opening brace is missing, and that has been said
}

// Tree is the syntax of all files in the order they were read.
type Tree struct {
	Sections []*Section
	Blocks   []*Block
	// ForNode is the first place that means something else on another node
	// (Source.Node); its zero value: there is none.
	ForNode diag.Pos
	// Env looks up a variable as the last line saw it.
	Env func(name string) (value string, ok bool)

	read    func(name string) (string, error)
	lines   map[string][]string // source lines by file name, for carets
	origins map[place]string    // "included from F:L", "used by $NAME at F:L"
}

// place is a line of a file, or with line 0 a whole file.
type place struct {
	file string
	line int
}

// Line returns the source text of a line, or "".
func (t *Tree) Line(file string, n int) string {
	if ls := t.lines[file]; n >= 1 && n <= len(ls) {
		return ls[n-1]
	}
	return ""
}

// ReadFile reads a file that a line names (an error page, the patterns of an ACL, a
// map) from where the configuration came from; relative names start in Source.Dir. The
// error says what went wrong without the name.
func (t *Tree) ReadFile(name string) (string, error) { return t.read(name) }

// Attach completes findings about this tree: the source line of each and, where
// the words came from an include or a definition of several lines, from where.
// Attaching twice changes nothing.
func (t *Tree) Attach(l diag.List) {
	l.Attach(t.Line)
	for i := range l {
		d := &l[i]
		for _, from := range []string{t.origins[place{d.Pos.File, d.Pos.Line}], t.origins[place{file: d.Pos.File}]} {
			switch {
			case from == "" || strings.Contains(d.Hint, from):
			case d.Hint == "":
				d.Hint = from
			default:
				d.Hint += " (" + from + ")"
			}
		}
	}
}
