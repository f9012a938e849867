package uri

import (
	"bytes"
	"slices"
)

// Normalizer is one of the transformations.
type Normalizer uint8

// The normalizers; the zero value is none.
const (
	FragmentEncode Normalizer = iota + 1
	FragmentStrip
	PathMergeSlashes
	PathStripDot
	PathStripDotdot
	PathStripDotdotFull // those at the beginning too
	PercentDecodeUnreserved
	PercentDecodeUnreservedStrict // a sequence that is none is refused
	PercentToUppercase
	PercentToUppercaseStrict
	QuerySortByName
)

var names = [...]string{
	"none", "fragment-encode", "fragment-strip", "path-merge-slashes", "path-strip-dot", "path-strip-dotdot", "path-strip-dotdot full",
	"percent-decode-unreserved", "percent-decode-unreserved strict", "percent-to-uppercase", "percent-to-uppercase strict", "query-sort-by-name",
}

func (n Normalizer) String() string { return names[n] }

// Lookup finds a normalizer by its name in the configuration; option is the word behind
// it, or "".
func Lookup(name, option string) (Normalizer, bool) {
	if option != "" {
		name += " " + option
	}
	i := slices.Index(names[1:], name)
	return Normalizer(i + 1), i >= 0
}

// Names lists the normalizers without their options.
func Names() []string {
	return slices.DeleteFunc(slices.Clone(names[1:]), func(s string) bool { return bytes.IndexByte([]byte(s), ' ') >= 0 })
}

// Append appends the normalized form of b, which begins with the path's slash. A strict
// normalizer reports false where b holds a percent sign that begins no sequence.
func (n Normalizer) Append(dst, b []byte) (_ []byte, ok bool) {
	path, rest := b, b[len(b):]
	if i := bytes.IndexByte(b, '?'); i >= 0 {
		path, rest = b[:i], b[i:]
	}
	switch n {
	case FragmentEncode:
		for {
			i := bytes.IndexByte(b, '#')
			if i < 0 {
				return append(dst, b...), true
			}
			dst = append(append(dst, b[:i]...), "%23"...)
			b = b[i+1:]
		}
	case FragmentStrip:
		if i := bytes.IndexByte(b, '#'); i >= 0 {
			b = b[:i]
		}
		return append(dst, b...), true
	case PathMergeSlashes:
		return append(mergeSlashes(dst, path), rest...), true
	case PathStripDot:
		return append(stripDot(dst, path), rest...), true
	case PathStripDotdot, PathStripDotdotFull:
		return append(stripDotdot(dst, path, n == PathStripDotdotFull), rest...), true
	case PercentDecodeUnreserved, PercentDecodeUnreservedStrict, PercentToUppercase, PercentToUppercaseStrict:
		return n.percent(dst, b)
	case QuerySortByName:
		return sortQuery(append(dst, path...), rest), true
	}
	return append(dst, b...), true
}

func mergeSlashes(dst, path []byte) []byte {
	for i, c := range path {
		if c != '/' || i == 0 || path[i-1] != '/' {
			dst = append(dst, c)
		}
	}
	return dst
}

// cutSegment cuts the first segment of a path off, which has lost its slash; more says
// that a slash followed it.
func cutSegment(path []byte) (segment, rest []byte, more bool) {
	i := bytes.IndexByte(path, '/')
	if i < 0 {
		return path, nil, false
	}
	return path[:i], path[i+1:], true
}

func stripDot(dst, path []byte) []byte {
	if len(path) == 0 {
		return dst
	}
	dst = append(dst, '/')
	for rest, more := path[1:], true; more; {
		var segment []byte
		if segment, rest, more = cutSegment(rest); string(segment) == "." {
			continue
		}
		dst = append(dst, segment...)
		if more {
			dst = append(dst, '/')
		}
	}
	return dst
}

// stripDotdot lets each ".." take the segment before it along. One that finds none stays,
// or goes when all shall.
func stripDotdot(dst, path []byte, all bool) []byte {
	if len(path) == 0 {
		return dst
	}
	dst = append(dst, '/')
	least := len(dst) // where what may be taken along begins
	for rest, more := path[1:], true; more; {
		var segment []byte
		segment, rest, more = cutSegment(rest)
		switch {
		case string(segment) != "..":
			dst = append(dst, segment...)
			if more {
				dst = append(dst, '/')
			}
		case len(dst) > least:
			dst = dst[:bytes.LastIndexByte(dst[:len(dst)-1], '/')+1]
		case !all:
			dst = append(dst, "../"...)
			least = len(dst)
		}
	}
	return dst
}

// percent rewrites the percent-encoded bytes of b.
func (n Normalizer) percent(dst, b []byte) ([]byte, bool) {
	strict := n == PercentDecodeUnreservedStrict || n == PercentToUppercaseStrict
	decode := n == PercentDecodeUnreserved || n == PercentDecodeUnreservedStrict
	for i := 0; i < len(b); i++ {
		if b[i] != '%' {
			dst = append(dst, b[i])
			continue
		}
		if i+2 >= len(b) || digit(b[i+1]) < 0 || digit(b[i+2]) < 0 {
			if strict {
				return dst, false
			}
			dst = append(dst, '%')
			continue
		}
		hi, lo := b[i+1], b[i+2]
		i += 2
		c := byte(digit(hi)<<4 | digit(lo))
		switch {
		case decode && unreserved(c):
			dst = append(dst, c)
		case decode:
			dst = append(dst, '%', hi, lo)
		default:
			dst = append(dst, '%', upper(hi), upper(lo))
		}
	}
	return dst, true
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		return int(c - 'A' + 10)
	}
	return -1
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

// unreserved is RFC 3986 section 2.3.
func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		return true
	}
	return false
}

// sortQuery appends a query, which begins with its question mark or is empty, with its
// parameters by name. As in HAProxy an & at the end goes.
func sortQuery(dst, query []byte) []byte {
	if len(query) == 0 {
		return dst
	}
	dst = append(dst, '?')
	query = query[1:]
	var few [48][]byte
	list := few[:0]
	for len(query) > 0 {
		var one []byte
		one, query, _ = bytes.Cut(query, ampersand)
		list = append(list, one)
	}
	slices.SortStableFunc(list, func(a, b []byte) int { return bytes.Compare(name(a), name(b)) })
	for i, one := range list {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, one...)
	}
	return dst
}

var ampersand = []byte{'&'}

func name(parameter []byte) []byte {
	if i := bytes.IndexByte(parameter, '='); i >= 0 {
		return parameter[:i]
	}
	return parameter
}
