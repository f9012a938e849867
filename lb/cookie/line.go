package cookie

// Pair is one cookie of a line, as offsets into it. line[From:To] is the cookie without
// the blanks round it, line[Value:To] its value.
type Pair struct {
	From, NameEnd, Value, To int
	End                      int  // of what stands before the next separator, or the line's
	HasValue                 bool // there is a '='
}

// Next finds the first cookie of line[at:]; the one after it begins at End. Commas
// separate cookies as semicolons do (RFC 2965), and neither does in a quoted string.
func Next(line []byte, at int) (p Pair, ok bool) {
	for at < len(line) && (blank(line[at]) || separator(line[at])) {
		at++
	}
	if at == len(line) {
		return p, false
	}
	p.From, p.NameEnd = at, at
	for ; at < len(line) && !separator(line[at]) && line[at] != '='; at++ {
		if !blank(line[at]) {
			p.NameEnd = at + 1
		}
	}
	p.Value, p.To = p.NameEnd, p.NameEnd
	if at < len(line) && line[at] == '=' {
		p.HasValue = true
		for at++; at < len(line) && blank(line[at]); at++ {
		}
		p.Value, p.To = at, at
		quoted := false
		for ; at < len(line) && (quoted || !separator(line[at])); at++ {
			switch c := line[at]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted && at+1 < len(line):
				at++
			}
			if !blank(line[at]) {
				p.To = at + 1
			}
		}
	}
	p.End = at
	return p, true
}

// First is the cookie of a Set-Cookie line (RFC 6265 section 4.1.1): what follows it are
// its attributes. Commas are part of its value.
func First(line []byte) (p Pair, ok bool) {
	end := 0
	for end < len(line) && line[end] != ';' {
		end++
	}
	p, ok = Next(line[:end], 0)
	if !ok || !p.HasValue {
		return p, false
	}
	for end > p.Value && blank(line[end-1]) {
		end--
	}
	p.To, p.End = end, end
	return p, true
}

// Is reports whether the cookie has a value and that name, capitals as they are.
func (p *Pair) Is(line []byte, name string) bool {
	return p.HasValue && string(line[p.From:p.NameEnd]) == name
}

// Attribute reports whether the cookie is an attribute of the one before it, or the
// version of all ($Path, $Version; RFC 2965).
func (p *Pair) Attribute(line []byte) bool { return line[p.From] == '$' }

// Hide takes the cookies of that name out of a Cookie line, in place, with their
// attributes and a separator each. A line that holds no other cookie any more is empty.
func Hide(line []byte, name string) []byte {
	kept, others, hiding := 0, 0, false
	end := 0 // of the last cookie that was looked at
	for at := 0; ; at = end {
		p, ok := Next(line, at)
		if !ok {
			break
		}
		attribute := p.Attribute(line)
		if !attribute {
			hiding = p.Is(line, name)
		}
		from := end // with the separator before it
		end = p.End
		if hiding {
			continue
		}
		if !attribute {
			others++
		}
		if kept == 0 {
			from = p.From
		}
		kept += copy(line[kept:], line[from:p.End])
	}
	if others == 0 {
		return nil
	}
	for kept > 0 && blank(line[kept-1]) {
		kept--
	}
	return line[:kept]
}

func blank(c byte) bool     { return c == ' ' || c == '\t' }
func separator(c byte) bool { return c == ';' || c == ',' }
