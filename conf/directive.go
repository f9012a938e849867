package conf

import (
	"strings"

	"baton/internal/diag"
)

// dotLevel is one `.if` whose `.endif` has not come.
type dotLevel struct {
	pos    diag.Pos
	active bool // the present branch is read
	done   bool // a branch was read, or none may be: the following ones are skipped
	last   bool // `.else` has come
}

// skippingBranch reports that the present line is in a branch that is not taken.
func (r *reader) skippingBranch() bool {
	n := len(r.dots)
	return n > 0 && !r.dots[n-1].active
}

// endDots complains about the blocks that a file left open.
func (r *reader) endDots() {
	for _, level := range r.dots {
		r.errs.Errorf(level.pos, "it ends with `.endif`, in the same file", "non-terminated '.if' block")
	}
	r.dots = nil
}

// dotLine obeys a directive of chapter 2.4. The words of one in a branch that is
// not taken are not looked at, but for those that end the branch.
func (r *reader) dotLine(t text) {
	skipping := r.skippingBranch()
	word := firstWord(t.s)
	switch word {
	case ".if", ".elif", ".else", ".endif":
	case ".notice", ".warning", ".alert", ".diag":
		if !skipping {
			r.message(word, t)
		}
		return
	default:
		if !skipping {
			hint := "directives are .if, .elif, .else, .endif, .diag, .notice, .warning and .alert"
			if near := diag.Nearest(word, strings.Split(".if .elif .else .endif .diag .notice .warning .alert", " ")); near != "" {
				hint = "did you mean '" + near + "'?"
			}
			r.errs.Errorf(t.pos(0), hint, "unknown directive '%s'", word)
		}
		return
	}
	if word == ".if" {
		level := dotLevel{pos: t.pos(0)}
		if skipping {
			level.done = true
		} else {
			level.take(r.condition(t))
		}
		r.dots = append(r.dots, level)
		return
	}
	if len(r.dots) == 0 {
		r.errs.Errorf(t.pos(0), "", "lone '%s' with no matching '.if'", word)
		return
	}
	level := &r.dots[len(r.dots)-1]
	if word != ".endif" && level.last {
		r.errs.Errorf(t.pos(0), "", "'%s' after '.else' is not permitted", word)
		level.active = false
		return
	}
	switch word {
	case ".elif":
		if level.done {
			level.active = false
		} else {
			level.take(r.condition(t))
		}
	case ".else":
		r.noArguments(t)
		level.active, level.done, level.last = !level.done, true, true
	case ".endif":
		r.noArguments(t)
		r.dots = r.dots[:len(r.dots)-1]
	}
}

// take begins a branch whose condition was evaluated. After a mistake none of the
// block's branches is read, because whether it holds cannot be known.
func (l *dotLevel) take(holds, ok bool) {
	l.active = holds && ok
	l.done = holds || !ok
}

// condition evaluates what stands behind `.if` or `.elif`.
func (r *reader) condition(t text) (holds, ok bool) {
	before := r.errs.Errors()
	words := lexHAProxyLine(t.s, t.pos(0), r.lookup, r.errs)
	if r.errs.Errors() > before || len(words) == 0 {
		return false, false
	}
	var parts []string
	for _, w := range words[1:] {
		parts = append(parts, w.Text)
	}
	holds, err := EvalCondition(strings.Join(parts, " "), r.env.lookup)
	if err != nil {
		r.errs.Errorf(words[1].Pos, "the branches of this block were not checked", "'%s': %v", words[0].Text, err)
		return false, false
	}
	return holds, true
}

// message says what `.notice` and its like are there to say.
func (r *reader) message(word string, t text) {
	words := lexHAProxyLine(t.s, t.pos(0), r.lookup, r.errs)
	if len(words) > 2 {
		r.errs.Errorf(words[2].Pos, "put quotes round the message", "unexpected argument '%s' for '%s'", words[2].Text, word)
		return
	}
	said := ""
	if len(words) == 2 {
		said = words[1].Text
	}
	switch at := t.pos(0); word {
	case ".notice":
		r.errs.Notef(at, "", "'%s'", said)
	case ".warning":
		r.errs.Warnf(at, "", "'%s'", said)
	case ".alert":
		r.errs.Errorf(at, "", "'%s'", said)
	case ".diag":
		if r.src.Diagnostic {
			r.errs.Notef(at, "", "'%s'", said)
		}
	}
}

func (r *reader) noArguments(t text) {
	if words := lexHAProxyLine(t.s, t.pos(0), r.lookup, r.errs); len(words) > 1 {
		r.errs.Errorf(words[1].Pos, "", "unexpected argument '%s' for '%s'", words[1].Text, words[0].Text)
	}
}
