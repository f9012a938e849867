package conf

import (
	"strings"

	"baton/internal/diag"
)

// keepalivedLine takes a line that is keepalived's, as it stands in a file.
func (r *reader) keepalivedLine(t text) {
	t.s = strings.TrimRight(stripComment(t.s, t.pos(0), r.errs), blanks)
	if name, value, ok := parseDefinition(t); ok {
		r.define(t, name, value)
		return
	}
	if piece, more := strings.CutSuffix(t.s, `\`); more {
		t.s = piece
		r.pending = []text{t}
		return
	}
	r.keepalived(t)
}

// keepalived takes a whole logical line, comments stripped: a condition, a
// definition, a definition's use, an include, or words and braces.
func (r *reader) keepalived(t text) {
	t = t.trimLeft()
	if strings.HasPrefix(t.s, "@") {
		rest, keep := r.conditional(t)
		if keep {
			r.keepalived(rest)
		}
		return
	}
	if name, value, ok := parseDefinition(t); ok {
		r.define(t, name, value)
		return
	}
	if d := r.wholeReference(t); d != nil {
		r.expandBody(d, t.pos(0))
		return
	}
	expanded, ok := r.substitute(t)
	if !ok {
		return
	}
	// `$IF_MAIN priority 1`, where the definition is a condition.
	if trimmed := expanded.trimLeft(); strings.HasPrefix(trimmed.s, "@") {
		rest, keep := r.conditional(trimmed)
		if !keep {
			return
		}
		expanded = rest
	}
	word := firstWord(strings.TrimLeft(expanded.s, blanks))
	switch {
	case strings.HasPrefix(word, "~SEQ") || strings.HasPrefix(word, "~LST"):
		r.errs.Errorf(expanded.trimLeft().pos(0), "write the lines out", "`%s` is known, not supported yet", word[:4])
	case strings.HasPrefix(word, "include") && r.lines[word]:
		r.include(expanded.trimLeft(), word)
	case strings.HasPrefix(t.s, "$") && definitionWithBlank(t.s):
		r.errs.Errorf(t.pos(0), "no blank may stand before the `=` of a definition", "`%s` is not defined", firstWord(t.s))
	default:
		r.braces.add(lexKeepalived(expanded, r.errs), r)
	}
}

// definitionWithBlank recognises `$NAME = value`.
func definitionWithBlank(s string) bool {
	n := 1 + nameLen(s[1:])
	rest := strings.TrimLeft(s[n:], blanks)
	return n > 1 && len(rest) < len(s)-n && strings.HasPrefix(rest, "=")
}

// isReference reports that a line begins with a reference to something defined.
func (r *reader) isReference(t text) bool {
	name, n := reference(t.s, 0)
	return n > 0 && r.defs[name] != nil
}

// expandBody reads the lines of a definition in the place of its reference.
func (r *reader) expandBody(d *definition, at diag.Pos) {
	if r.expanded > maxExpandedLines {
		return // said already
	}
	r.expanded += len(d.body) + 1
	if r.expanded > maxExpandedLines || r.depth == maxExpandDepth {
		r.errs.Errorf(at, "look for a definition that refers to itself", "the lines of $%s have no end", d.name)
		r.expanded = maxExpandedLines + 1
		return
	}
	r.depth++
	origin := "used by $" + d.name + " at " + at.String()
	for _, l := range d.body {
		key := place{l.pos.File, l.pos.Line}
		if r.tree.origins[key] == "" {
			r.tree.origins[key] = origin
		}
		r.keepalived(l.text)
		if r.expanded > maxExpandedLines {
			break
		}
	}
	r.depth--
}

// builder puts words and braces together into blocks.
type builder struct {
	open     []openBlock
	last     *Block // a directive that must open a brace and has not yet: the next line may
	skipNext bool   // the next block is unknown: read it, but do not keep it
}

// openBlock is a block whose closing brace has not come yet.
type openBlock struct {
	block *Block
	brace diag.Pos
	skip  bool // an unknown block, or a brace without a keyword
}

// inside reports that the next line belongs to a block.
func (b *builder) inside() bool { return len(b.open) > 0 || b.last != nil }

// add takes the tokens of one logical line.
func (b *builder) add(tokens []token, r *reader) {
	if len(tokens) == 0 {
		return
	}
	if b.last != nil && tokens[0].kind != tokenOpen {
		b.missingBrace(r, tokens[0].word)
	}
	var words []Word
	for _, tok := range tokens {
		switch tok.kind {
		case tokenWord:
			words = append(words, tok.word)
		case tokenOpen:
			b.openBrace(words, tok.word.Pos, r)
			words = nil
		case tokenClose:
			b.directive(words, r)
			words = nil
			b.closeBrace(tok.word.Pos, r)
		}
	}
	if blk := b.directive(words, r); blk != nil && b.needsBrace(blk.Words[0], r) {
		b.last = blk
	}
	b.skipNext = false
}

// needsBrace reports that the directive that word begins must open a brace.
func (b *builder) needsBrace(word Word, r *reader) bool {
	if len(b.open) == 0 {
		return r.vocabulary.blocks[word.Text]
	}
	return r.nested[word.Text] && !b.open[len(b.open)-1].skip
}

// missingBrace complains, and opens the block that the last directive should have
// opened if the next line looks like its content: indented deeper, or at the top
// where nothing else can be meant.
func (b *builder) missingBrace(r *reader, next Word) {
	r.errs.Errorf(b.last.Words[0].Pos, "put a `{` at the end of the line", "`%s` lacks its `{`", b.last.Words[0].Text)
	deeper := next.Pos.File == b.last.Words[0].Pos.File && next.Pos.Col > b.last.Words[0].Pos.Col
	if next.Text == "}" || r.tops[next.Text] || len(b.open) > 0 && !deeper {
		b.last.Broken, b.last = true, nil
		return
	}
	b.last.HasBody = true
	b.open = append(b.open, openBlock{block: b.last, brace: b.last.Words[0].Pos})
	b.last = nil
}

// current is the list that the next directive belongs to.
func (b *builder) current(r *reader) *[]*Block {
	if n := len(b.open); n > 0 {
		return &b.open[n-1].block.Body
	}
	return &r.tree.Blocks
}

// directive adds a directive without a body.
func (b *builder) directive(words []Word, r *reader) *Block {
	if len(words) == 0 {
		return nil
	}
	blk := &Block{Words: words}
	if len(b.open) == 0 && b.skipNext {
		return blk
	}
	list := b.current(r)
	*list = append(*list, blk)
	return blk
}

// openBrace opens the block that words name, or the last directive if the brace
// stands alone.
func (b *builder) openBrace(words []Word, brace diag.Pos, r *reader) {
	o := openBlock{brace: brace, skip: b.skipNext || len(b.open) > 0 && b.open[len(b.open)-1].skip}
	switch {
	case len(words) > 0:
		o.block = b.directive(words, r)
	case b.last != nil:
		o.block = b.last
	default:
		list := *b.current(r)
		if n := len(list); n > 0 && len(b.open) > 0 && !list[n-1].HasBody {
			o.block = list[n-1]
			break
		}
		r.errs.Errorf(brace, "", "a `{` without a keyword before it")
		o.block, o.skip = &Block{}, true
	}
	b.last = nil
	b.skipNext = false
	o.block.HasBody = true
	b.open = append(b.open, o)
}

func (b *builder) closeBrace(pos diag.Pos, r *reader) {
	b.last = nil
	if len(b.open) <= r.file.depth {
		r.errs.Errorf(pos, "remove it, or look for a `{` that is missing above", "a `}` without a `{`")
		return
	}
	b.open = b.open[:len(b.open)-1]
}

// drop forgets the blocks above depth without a word.
func (b *builder) drop(depth int) { b.open, b.last = b.open[:depth], nil }

// maxUnclosed is how many unclosed blocks are named at once: more is not a slip.
const maxUnclosed = 5

// closeTo closes blocks whose brace is missing. before is the word that showed
// it, or "" at the end of a file.
func (b *builder) closeTo(depth int, before string, errs *diag.List) {
	if b.last != nil {
		errs.Errorf(b.last.Words[0].Pos, "put a `{` at the end of the line", "`%s` lacks its `{`", b.last.Words[0].Text)
		b.last.Broken, b.last = true, nil
	}
	for said := 0; len(b.open) > depth; said++ {
		o := b.open[len(b.open)-1]
		b.open = b.open[:len(b.open)-1]
		if said == maxUnclosed {
			b.open = b.open[:depth]
			return
		}
		name := "this `{`"
		if len(o.block.Words) > 0 {
			name = "the `{` of " + o.block.Words[0].Text
			if len(o.block.Words) > 1 {
				name += " " + o.block.Words[1].Text
			}
		}
		where := "the end of the file"
		if before != "" {
			where = "`" + before + "`"
		}
		errs.Errorf(o.brace, "", "%s is never closed: `}` is missing before %s", name, where)
	}
}
