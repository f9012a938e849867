package conf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"baton/internal/diag"
)

// maxConditionDepth bounds parentheses and negations within each other.
const maxConditionDepth = 100

// EvalCondition evaluates an expression as .if has it (chapter 2.4 of the
// configuration manual): integers, predicates, !, &&, || and parentheses. The
// empty expression is false. env answers defined(). The error is the user's
// mistake, in one sentence.
func EvalCondition(text string, env func(string) (string, bool)) (bool, error) {
	c := condition{rest: text, env: env}
	c.blanks()
	if c.rest == "" {
		return false, nil
	}
	v, err := c.or()
	if err != nil {
		return false, err
	}
	if c.rest != "" {
		return false, fmt.Errorf("unexpected '%s' at the end of the condition", c.rest)
	}
	return v, nil
}

// condition is an expression being evaluated from left to right. All of it is
// read, also where the result is known already: a mistake must not hide until a
// variable changes.
type condition struct {
	rest  string
	env   func(string) (string, bool)
	depth int
}

func (c *condition) blanks() { c.rest = strings.TrimLeft(c.rest, " \t") }

// accept takes an operator and the blanks behind it.
func (c *condition) accept(op string) bool {
	rest, ok := strings.CutPrefix(c.rest, op)
	if ok {
		c.rest = rest
		c.blanks()
	}
	return ok
}

func (c *condition) or() (bool, error) {
	v, err := c.and()
	for err == nil && c.accept("||") {
		var w bool
		w, err = c.and()
		v = v || w
	}
	return v, err
}

func (c *condition) and() (bool, error) {
	v, err := c.term()
	for err == nil && c.accept("&&") {
		var w bool
		w, err = c.term()
		v = v && w
	}
	return v, err
}

func (c *condition) term() (bool, error) {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxConditionDepth {
		return false, errors.New("the condition has too many levels")
	}
	start := c.rest
	switch {
	case c.accept("!"):
		v, err := c.term()
		return !v, err
	case c.accept("("):
		v, err := c.or()
		if err == nil && !c.accept(")") {
			err = fmt.Errorf("expected ')' after '%s'", strings.TrimSuffix(start, c.rest))
		}
		return v, err
	}
	end := 0
	for end < len(start) && (isNameByte(start[end], true) || end == 0 && (start[0] == '-' || start[0] == '+')) {
		end++
	}
	word := start[:end]
	if word == "" {
		return false, fmt.Errorf("'%s' is no condition", start)
	}
	c.rest = start[end:]
	if strings.ContainsRune("+-0123456789", rune(word[0])) {
		c.blanks()
		return integer(word)
	}
	return c.predicate(word)
}

// integer is true unless it is zero. It may be decimal or, after 0x, hexadecimal.
func integer(word string) (bool, error) {
	n, err := strconv.ParseInt(word, 0, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return false, fmt.Errorf("'%s' is no integer", word)
	}
	return n != 0, nil
}

// predicate is a function of a condition.
type predicate struct {
	name string
	args int
	eval func(c *condition, args []string) (bool, error)
	doc  string
}

func predicates() []predicate {
	return []predicate{
		{"awslc_api_atleast", 1, noOpenSSL, "false: there is no such TLS library"},
		{"awslc_api_before", 1, noOpenSSL, "false: there is no such TLS library"},
		{"defined", 1, func(c *condition, a []string) (bool, error) { _, ok := c.env(a[0]); return ok, nil }, "an environment variable exists"},
		{"enabled", 1, func(_ *condition, a []string) (bool, error) { return enabled(a[0]) }, "an option is on at run time"},
		{"feature", 1, func(_ *condition, a []string) (bool, error) { return feature(a[0]), nil }, "a feature is there, as -vv lists them"},
		{"openssl_version_atleast", 1, noOpenSSL, "false: there is no such TLS library"},
		{"openssl_version_before", 1, noOpenSSL, "false: there is no such TLS library"},
		{"ssllib_name_startswith", 1, noOpenSSL, "false: there is no such TLS library"},
		{"streq", 2, func(_ *condition, a []string) (bool, error) { return a[0] == a[1], nil }, "two texts are equal"},
		{"strneq", 2, func(_ *condition, a []string) (bool, error) { return a[0] != a[1], nil }, "two texts differ"},
		{"strstr", 2, func(_ *condition, a []string) (bool, error) { return strings.Contains(a[0], a[1]), nil }, "the first text holds the second"},
		{"version_atleast", 1, func(_ *condition, a []string) (bool, error) { return atLeast(a[0]) }, "this version, as -v tells it, or an earlier one"},
		{"version_before", 1, func(_ *condition, a []string) (bool, error) { v, err := atLeast(a[0]); return !v && err == nil, err }, "a later version than this one, as -v tells it"},
	}
}

// Predicate is a function of conditions for people to read about.
type Predicate struct{ Name, Doc string }

// Predicates lists what .if and .elif can ask.
func Predicates() []Predicate {
	var all []Predicate
	for _, p := range predicates() {
		all = append(all, Predicate{p.name, p.doc})
	}
	return all
}

// noOpenSSL answers what is asked of a TLS library: there is none.
func noOpenSSL(*condition, []string) (bool, error) { return false, nil }

func feature(name string) bool {
	return slices.Contains(Features(), Feature{name, true})
}

func enabled(name string) (bool, error) {
	v, known := runtimeOptions[name]
	if !known {
		return false, fmt.Errorf("unknown option '%s'; known are %s", name, strings.Join(slices.Sorted(maps.Keys(runtimeOptions)), ", "))
	}
	return v, nil
}

// predicate reads the arguments of the predicate called name and evaluates it.
func (c *condition) predicate(name string) (bool, error) {
	known := predicates()
	i := slices.IndexFunc(known, func(p predicate) bool { return p.name == name })
	if i < 0 {
		text := fmt.Sprintf("unknown predicate '%s'", name)
		var names []string
		for _, p := range known {
			names = append(names, p.name)
		}
		if near := diag.Nearest(name, names); near != "" {
			text += fmt.Sprintf("; did you mean '%s'?", near)
		}
		return false, errors.New(text)
	}
	p := known[i]
	if !strings.HasPrefix(c.rest, "(") {
		return false, fmt.Errorf("expected '(' after '%s'", name)
	}
	c.rest = c.rest[1:]
	args, err := c.arguments(name)
	if err != nil {
		return false, err
	}
	if len(args) != p.args {
		return false, fmt.Errorf("'%s' takes %d argument(s), got %d", name, p.args, len(args))
	}
	c.blanks()
	return p.eval(c, args)
}

// arguments reads up to the closing parenthesis. Quotes and backslashes protect
// commas and parentheses; what the line's own quotes protected has lost them by
// now, as in HAProxy.
func (c *condition) arguments(name string) ([]string, error) {
	var args []string
	var arg strings.Builder
	var quote byte
	for i := 0; i < len(c.rest); i++ {
		ch := c.rest[i]
		switch {
		case quote != 0 && ch == quote:
			quote = 0
		case ch == '\\' && quote != '\'' && i+1 < len(c.rest):
			i++
			arg.WriteByte(c.rest[i])
		case quote != 0:
			arg.WriteByte(ch)
		case ch == '"' || ch == '\'':
			quote = ch
		case ch == ',':
			args = append(args, arg.String())
			arg.Reset()
		case ch == ')':
			c.rest = c.rest[i+1:]
			return append(args, arg.String()), nil
		default:
			arg.WriteByte(ch)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("unmatched quote %c in the arguments of '%s'", quote, name)
	}
	return nil, fmt.Errorf("expected ')' after the arguments of '%s'", name)
}

// atLeast compares HAProxyVersion with text.
func atLeast(text string) (bool, error) {
	ours, _ := parseVersion(HAProxyVersion)
	theirs, ok := parseVersion(text)
	if !ok {
		return false, fmt.Errorf("'%s' is no version; write one such as 3.2 or 2.9-dev4", text)
	}
	return slices.Compare(ours[:], theirs[:]) >= 0, nil
}

// parseVersion reads MAJOR[.MINOR][-devN][.PATCH][-...-COMMITS], in the order in
// which versions are compared; a development version is older than all others of
// its branch.
func parseVersion(s string) (v [5]int, ok bool) {
	const major, minor, dev, patch, commits = 0, 1, 2, 3, 4
	number := func(at int) bool {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		n, err := strconv.Atoi(s[:digits])
		v[at], s = n, s[digits:]
		return err == nil
	}
	cut := func(prefix string) bool {
		rest, found := strings.CutPrefix(s, prefix)
		s = rest
		return found
	}
	v[dev] = 1 << 30
	if !number(major) || cut(".") && !number(minor) {
		return v, false
	}
	if cut("-dev") && !number(dev) || cut(".") && !number(patch) {
		return v, false
	}
	if i := strings.LastIndexByte(s, '-'); i >= 0 && s[0] == '-' {
		s = s[i+1:]
		number(commits) // a word there, such as a distribution's, does not count
		s = ""
	}
	return v, s == ""
}
