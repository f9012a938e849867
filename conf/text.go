package conf

import (
	"strings"

	"baton/internal/diag"
)

// text is a logical line of keepalived's grammar that remembers where each byte
// was read, through substitution and continuation.
type text struct {
	s    string
	segs []segment // ascending; segs[0].off is 0
}

// segment says where the bytes from off on stand. The bytes of a fixed segment
// came from a definition: all of them have the place of its reference.
type segment struct {
	off   int
	pos   diag.Pos
	fixed bool
}

func newText(s string, pos diag.Pos) text {
	return text{s: s, segs: []segment{{pos: pos}}}
}

// pos returns the place of byte i; i may be len(s).
func (t text) pos(i int) diag.Pos {
	lo, hi := 0, len(t.segs)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if t.segs[mid].off <= i {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	p := t.segs[lo].pos
	if !t.segs[lo].fixed {
		p.Col += i - t.segs[lo].off
	}
	return p
}

// from returns the rest of the line from byte i on.
func (t text) from(i int) text {
	out := text{s: t.s[i:]}
	for k, seg := range t.segs {
		if k+1 < len(t.segs) && t.segs[k+1].off <= i {
			continue
		}
		if seg.off < i {
			if !seg.fixed {
				seg.pos.Col += i - seg.off
			}
			seg.off = i
		}
		seg.off -= i
		out.segs = append(out.segs, seg)
	}
	return out
}

// trimLeft drops leading blanks.
func (t text) trimLeft() text {
	n := len(t.s) - len(strings.TrimLeft(t.s, blanks))
	if n == 0 {
		return t
	}
	return t.from(n)
}

// joinTexts puts the pieces of a continued line together, a blank between them.
func joinTexts(pieces []text) text {
	var b strings.Builder
	var segs []segment
	for i, p := range pieces {
		if i > 0 {
			b.WriteByte(' ')
		}
		for _, seg := range p.segs {
			seg.off += b.Len()
			segs = append(segs, seg)
		}
		b.WriteString(p.s)
	}
	return text{s: b.String(), segs: segs}
}

// blanks separate words in both grammars. Vertical tab and form feed are blank
// to keepalived.
const blanks = " \t\v\f"

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }
