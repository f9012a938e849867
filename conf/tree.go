package conf

import (
	"io/fs"

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
	// Node is this host's configuration id: `@lb1 ...` lines of keepalived's
	// grammar are kept when it equals lb1 (keepalived -i; the host name by default).
	Node string
}

// Word is one lexed word. Quotes and escapes are resolved, variables substituted.
type Word struct {
	Text   string
	Pos    diag.Pos
	Quoted bool // at least a part of it was quoted
}

// Line is one directive of an HAProxy section: Words[0] is the keyword; with No
// set it was preceded by `no`.
type Line struct {
	No    bool
	Words []Word
}

// Section is an HAProxy section: `frontend web`, its words and its lines.
type Section struct {
	Keyword Word
	Args    []Word
	Lines   []Line
}

// Block is one directive of keepalived's grammar: its words and, when it opened
// a brace, what stood between the braces.
type Block struct {
	Words   []Word
	HasBody bool
	Body    []*Block
}

// Tree is the syntax of all files in the order they were read.
type Tree struct {
	Sections []*Section
	Blocks   []*Block

	lines map[string][]string // source lines by file name, for carets
}

// Line returns the source text of a line, or "".
func (t *Tree) Line(file string, n int) string {
	if ls := t.lines[file]; n >= 1 && n <= len(ls) {
		return ls[n-1]
	}
	return ""
}
