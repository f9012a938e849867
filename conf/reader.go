package conf

import (
	"strings"

	"baton/internal/diag"
)

// reader takes files apart line by line. At any line it is in one of four
// places: inside a definition of several lines, inside the braces of a keepalived
// block, inside an HAProxy section, or at the top.
type reader struct {
	src  Source
	tree *Tree
	errs *diag.List
	vocabulary

	file  *file             // the file being read
	named map[string]string // absolute path -> name, of what -f named
	files int               // how many includes were read, to stop those that multiply

	section  *Section   // the HAProxy section being read
	skipping bool       // in a section whose first word is unknown
	dots     []dotLevel // conditional blocks of this file that are open
	env      *environment

	braces    builder
	defs      map[string]*definition
	defining  *definition
	pending   []text // a keepalived line whose pieces all ended in a backslash so far
	expanded  int    // lines that definitions expanded to
	expansion int    // bytes that definitions expanded to
	depth     int    // definitions of several lines within each other
}

// file is one file on the chain of includes.
type file struct {
	name   string // as the user wrote it
	abs    string
	parent *file
	depth  int // braces open where it was included
}

func (f *file) dir() string {
	i := strings.LastIndexByte(f.abs, '/')
	return f.abs[:max(i, 1)]
}

// readLines reads the lines of f and closes what they left open.
func (r *reader) readLines(f file, lines []string) readResult {
	f.parent, f.depth = r.file, len(r.braces.open)
	r.file = &f
	outer := r.dots
	r.dots = nil
	r.endSection()
	result := nothingRead
	for i, s := range lines {
		pos := diag.Pos{File: f.name, Line: i + 1, Col: 1}
		if k := strings.IndexByte(s, 0); k >= 0 {
			pos.Col += k
			// A program or a picture has thousands of such lines: one finding says it.
			r.errs.Errorf(pos, "is this a text file? The rest of it was not read", "the line holds a NUL byte")
			r.braces.drop(f.depth)
			r.pending, r.defining = nil, nil
			result = someRead
			break
		}
		if t := strings.TrimLeft(s, blanks); t != "" && t[0] != '#' && t[0] != '!' {
			result = someRead
		}
		r.physicalLine(s, pos)
	}
	if r.pending != nil {
		r.flushPending()
	}
	if d := r.defining; d != nil {
		r.errs.Errorf(diag.Pos{File: f.name, Line: len(lines)}, "the last line of a definition has no backslash", "the definition of $%s does not end", d.name)
		r.defining = nil
	}
	r.braces.closeTo(f.depth, "", r.errs)
	r.endSection()
	r.endDots()
	r.dots = outer
	r.file = f.parent
	return result
}

// endSection leaves the HAProxy section, if any.
func (r *reader) endSection() {
	r.section, r.skipping = nil, false
}

// physicalLine takes one line as it stands in the file.
func (r *reader) physicalLine(s string, pos diag.Pos) {
	switch {
	case r.defining != nil:
		r.defineLine(s, pos)
	case r.pending != nil:
		piece, more := strings.CutSuffix(strings.TrimRight(stripComment(s, pos, r.errs), blanks), `\`)
		r.pending = append(r.pending, newText(piece, pos))
		if !more {
			r.flushPending()
		}
	default:
		r.line(newText(s, pos))
	}
}

func (r *reader) flushPending() {
	t := joinTexts(r.pending)
	r.pending = nil
	r.keepalived(t)
}

// line decides whose a line is. Its comment is still there: the two grammars see
// comments differently.
func (r *reader) line(t text) {
	t = t.trimLeft()
	if t.s == "" || t.s[0] == '#' || t.s[0] == '!' {
		return
	}
	if t.s[0] == '@' {
		rest, keep := r.conditional(t)
		if keep {
			r.line(rest)
		} else if strings.HasSuffix(strings.TrimRight(stripComment(rest.s, diag.Pos{}, nil), blanks), `\`) {
			r.defining = &definition{} // the lines that belong to it go with it
		}
		return
	}
	if t.s[0] == '.' && !r.braces.inside() {
		r.dotLine(t)
		return
	}
	if r.skippingBranch() {
		return
	}
	word := firstWord(t.s)
	if r.braces.inside() && r.tops[word] && (!r.haproxy[word] || t.pos(0).Col == 1) {
		r.braces.closeTo(r.file.depth, word, r.errs)
	}
	_, _, isDef := parseDefinition(t)
	switch {
	case r.braces.inside():
		r.keepalivedLine(t)
	case isDef, r.isReference(t), t.s[0] == '$' && (r.section == nil || definitionWithBlank(t.s)), t.s[0] == '~':
		r.keepalivedLine(t)
	case r.haproxy[word]:
		r.startSection(t)
	case r.vocabulary.blocks[word] || r.lines[word]:
		r.endSection()
		r.keepalivedLine(t)
	case r.section != nil && !opensBrace(t.s):
		r.haproxyLine(t)
	case r.skipping && !opensBrace(t.s):
	default:
		r.unknownTop(t, word)
	}
}

// firstWord is what a section word is recognised by.
func firstWord(s string) string {
	if i := strings.IndexAny(s, blanks+"#!{\"'"); i >= 0 {
		return s[:i]
	}
	return s
}

// opensBrace reports that a line ends in a bare brace, as no line of HAProxy's does.
func opensBrace(s string) bool {
	s = strings.TrimRight(stripComment(s, diag.Pos{}, nil), blanks)
	return strings.HasSuffix(s, " {") || strings.HasSuffix(s, "\t{") || s == "{"
}

// conditional evaluates `@id` or `@^id` and returns the rest of the line.
func (r *reader) conditional(t text) (rest text, keep bool) {
	id := t.s[1:]
	if i := strings.IndexAny(id, blanks); i >= 0 {
		id = id[:i]
	}
	rest = t.from(1 + len(id)).trimLeft()
	name, negated := strings.CutPrefix(id, "^")
	if name == "" {
		r.errs.Errorf(t.pos(0), "write @NAME, where NAME is the host's name or that of --node", "`@` without a configuration id")
		return rest, false
	}
	r.dependsOnNode(t.pos(0))
	return rest, (name == r.src.Node) != negated
}

// dependsOnNode notes a place that Source.Node decides.
func (r *reader) dependsOnNode(at diag.Pos) {
	if r.tree.ForNode.Line == 0 {
		r.tree.ForNode = at
	}
}

// unknownTop complains about a line that is nobody's. What looks like a block is
// skipped to its closing brace, anything else up to the next section.
func (r *reader) unknownTop(t text, word string) {
	if t.s[0] == '{' || t.s[0] == '}' {
		r.keepalivedLine(t)
		return
	}
	hint := ""
	if near := diag.Nearest(word, TopWords()); near != "" {
		hint = "did you mean `" + near + "`?"
	}
	r.endSection()
	if strings.Contains(stripComment(t.s, t.pos(0), nil), "{") {
		r.errs.Errorf(t.pos(0), hint, "unknown block `%s`", word)
		r.braces.skipNext = true
		r.keepalivedLine(t)
		return
	}
	r.skipping = true
	if hint == "" {
		hint = "a file begins with a section such as `frontend` or `vrrp_instance`"
	}
	r.errs.Errorf(t.pos(0), "the lines up to the next section were not checked; "+hint, "`%s` stands outside any section", word)
}

// startSection begins an HAProxy section.
func (r *reader) startSection(t text) {
	r.endSection()
	words := lexHAProxyLine(t.s, t.pos(0), r.lookup, r.errs)
	if len(words) == 0 {
		r.skipping = true
		return
	}
	r.section = &Section{Keyword: words[0], Args: words[1:]}
	r.tree.Sections = append(r.tree.Sections, r.section)
}

// haproxyLine adds a line to the present HAProxy section.
func (r *reader) haproxyLine(t text) {
	words := lexHAProxyLine(t.s, t.pos(0), r.lookup, r.errs)
	if len(words) == 0 {
		return
	}
	line := Line{Words: words}
	if first := words[0]; !first.Quoted && (first.Text == "no" || first.Text == "default") {
		if len(words) == 1 {
			r.errs.Errorf(first.Pos, "", "`%s` needs a keyword behind it", first.Text)
			return
		}
		line = Line{No: first.Text == "no", Default: first.Text == "default", Words: words[1:]}
	} else {
		r.environmentLine(words)
	}
	r.section.Lines = append(r.section.Lines, line)
}
