package conf

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"baton/internal/diag"
)

// Limits of inclusion, against files that include each other many times over.
const (
	maxIncludes     = 10_000
	maxIncludeDepth = 64
	maxBraceForms   = 1000
	maxPattern      = 4096 // PATH_MAX
)

// include reads the files that an include line names: a path or a glob pattern
// with csh braces, relative to the including file. keepalived's variants differ
// in what they forgive; baton forgives only a pattern that matches nothing, and
// not even that of includew and includea (includeb and includea: every form of a
// brace expression must match).
func (r *reader) include(t text, word string) {
	rest := t.from(len(word)).trimLeft()
	pattern := strings.TrimRight(rest.s, blanks)
	if n := len(pattern); n >= 2 && (pattern[0] == '"' || pattern[0] == '\'') && pattern[n-1] == pattern[0] {
		pattern = pattern[1 : n-1]
	}
	if pattern == "" {
		r.errs.Errorf(t.pos(0), "", "`%s` needs the name of a file", word)
		return
	}
	at := rest.pos(0)
	if len(pattern) > maxPattern {
		r.errs.Errorf(at, "", "the name of the file is too long")
		return
	}
	forms, ok := expandBraces(pattern)
	if !ok {
		r.errs.Errorf(at, "", "the braces of %s expand to too many names", pattern)
		return
	}
	found := 0
	for _, form := range forms {
		names, ok := r.match(form, at)
		if !ok {
			return
		}
		if len(names) == 0 && len(forms) > 1 && (word == "includeb" || word == "includea") {
			r.errs.Errorf(at, "", "no file matches %s, one form of %s", form, pattern)
		}
		for _, name := range names {
			found++
			r.includeFile(name, at)
		}
	}
	if found == 0 && (word == "includew" || word == "includea") {
		r.errs.Errorf(at, "", "no file matches %s", pattern)
	}
}

// match returns the names, as a user would write them, of the files that one
// pattern stands for. A name without wildcards stands for itself, there or not.
func (r *reader) match(pattern string, at diag.Pos) ([]string, bool) {
	name := pattern
	if !path.IsAbs(pattern) {
		name = path.Join(path.Dir(r.file.name), pattern)
	}
	if !strings.ContainsAny(pattern, "*?[") {
		return []string{name}, true
	}
	abs := r.absolute(name)
	matches, err := fs.Glob(r.src.FS, fsName(abs))
	if err != nil {
		r.errs.Errorf(at, "", "%s is not a valid pattern", pattern)
		return nil, false
	}
	slices.Sort(matches)
	var names []string
	for _, m := range matches {
		if info, err := fs.Stat(r.src.FS, m); err == nil && info.IsDir() {
			continue
		}
		names = append(names, r.display("/"+m, abs, name))
	}
	return names, true
}

// display turns the absolute path of a match back into the user's terms: the
// pattern's own leading part is kept where it has no wildcard.
func (r *reader) display(match, absPattern, pattern string) string {
	if path.IsAbs(pattern) {
		return match
	}
	prefix := strings.TrimSuffix(absPattern, pattern)
	if prefix != absPattern && strings.HasPrefix(match, prefix) {
		return match[len(prefix):]
	}
	return match
}

// includeFile reads one file in the place of the include line.
func (r *reader) includeFile(name string, at diag.Pos) {
	f := file{name: name, abs: r.absolute(name)}
	depth := 0
	for up := r.file; up != nil; up = up.parent {
		depth++
		if up.abs == f.abs {
			r.errs.Errorf(at, "", "%s includes itself: %s", name, r.chain(up, name))
			return
		}
	}
	r.files++
	if depth > maxIncludeDepth || r.files > maxIncludes {
		if r.files <= maxIncludes+1 {
			r.errs.Errorf(at, "", "too many included files")
		}
		return
	}
	_, known := r.tree.lines[name] // named with -f, or included before
	if r.readFile(f, at) != unreadable && !known {
		r.tree.origins[place{file: name}] = fmt.Sprintf("included from %s:%d", at.File, at.Line)
	}
}

// chain shows the way from a file to the one that includes it again.
func (r *reader) chain(first *file, again string) string {
	way := " -> " + again
	for f := r.file; ; f = f.parent {
		if f == first {
			return f.name + way
		}
		way = " -> " + f.name + way
	}
}

// expandBraces expands csh's `{a,b}` into all forms of a pattern.
func expandBraces(pattern string) ([]string, bool) {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}, true
	}
	var parts []string
	depth, from, end := 0, open+1, -1
	for i := open; i < len(pattern) && end < 0; i++ {
		switch pattern[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				parts = append(parts, pattern[from:i])
				end = i
			}
		case ',':
			if depth == 1 {
				parts = append(parts, pattern[from:i])
				from = i + 1
			}
		}
	}
	if end < 0 {
		return []string{pattern}, true // no closing brace: an ordinary character
	}
	var out []string
	for _, p := range parts {
		forms, ok := expandBraces(pattern[:open] + p + pattern[end+1:])
		if !ok || len(out)+len(forms) > maxBraceForms {
			return nil, false
		}
		out = append(out, forms...)
	}
	return out, true
}
