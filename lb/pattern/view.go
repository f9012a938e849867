package pattern

import "net/netip"

// Bytes is Set.Bytes on what the list holds now.
func (v *View) Bytes(b []byte) *Entry {
	now := v.now.Load()
	e := now.bulk.Bytes(b)
	if now.recent == nil || e != nil && !v.o.Method.longest() {
		return e
	}
	return longer(e, now.recent.Bytes(b))
}

// Int is Set.Int on what the list holds now.
func (v *View) Int(n int64) *Entry {
	now := v.now.Load()
	e := now.bulk.Int(n)
	if now.recent == nil || e != nil {
		return e
	}
	return now.recent.Int(n)
}

// Addr is Set.Addr on what the list holds now.
func (v *View) Addr(a netip.Addr) *Entry {
	now := v.now.Load()
	e := now.bulk.Addr(a)
	if now.recent == nil {
		return e
	}
	r := now.recent.Addr(a)
	if e != nil && r != nil && e.v4 != r.v4 {
		if e.v4 == a.Is4() { // patterns of the address's own family come first
			return e
		}
		return r
	}
	return longer(e, r)
}

// Options tells how the view compares.
func (v *View) Options() Options { return v.o }

// longer is the longer one of two entries, a if both are alike.
func longer(a, b *Entry) *Entry {
	if a == nil || b != nil && b.size > a.size {
		return b
	}
	return a
}

// AppendExpanded appends the value of e, an entry of method Reg that b matched,
// with \0 to \9 replaced by what its groups matched: map_regm. Unlike the rest of
// this package it allocates.
func (e *Entry) AppendExpanded(dst, b []byte) []byte {
	text := e.Value().Text
	groups := e.re.FindSubmatchIndex(b)
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			dst = append(dst, text[i])
			continue
		}
		i++
		n := int(text[i]) - '0'
		if n < 0 || n > 9 {
			dst = append(dst, text[i])
			continue
		}
		if 2*n+1 < len(groups) && groups[2*n] >= 0 {
			dst = append(dst, b[groups[2*n]:groups[2*n+1]]...)
		}
	}
	return dst
}
