package pattern

import (
	"fmt"
	"regexp"
	"strings"
)

// CompileRegex compiles a regular expression. An error names what of PCRE's syntax
// is not to be had.
func CompileRegex(text string, fold bool) (*regexp.Regexp, error) {
	if what := perlOnly(text); what != "" {
		return nil, fmt.Errorf("regular expression '%s': %s is PCRE syntax that is not supported here (regular expressions are RE2's)", text, what)
	}
	full := text
	if fold {
		full = "(?i:" + text + ")"
	}
	re, err := regexp.Compile(full)
	if err != nil {
		return nil, fmt.Errorf("regular expression '%s': %s", text, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// perlOnly names the first construct in a pattern that only PCRE knows, "" if
// there is none.
func perlOnly(text string) string {
	class := false
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch c := text[i]; {
		case c == '\\':
			if what := perlEscape(rest, class); what != "" {
				return what
			}
			if strings.HasPrefix(rest, `\Q`) {
				end := strings.Index(rest, `\E`)
				if end < 0 {
					return ""
				}
				i += end
			}
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
			if strings.HasPrefix(rest[1:], "^]") {
				i += 2
			} else if strings.HasPrefix(rest[1:], "]") {
				i++
			}
		case c == '(':
			if what := perlGroup(rest); what != "" {
				return what
			}
		case c == '+' && i > 0 && (strings.IndexByte("*+?", text[i-1]) >= 0 && !escaped(text, i-1) || text[i-1] == '}' && quantified(text[:i])):
			return "the possessive quantifier '" + text[i-1:i+1] + "'"
		}
	}
	return ""
}

// escaped tells whether the byte at i has a backslash before it.
func escaped(text string, i int) bool {
	n := 0
	for n < i && text[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// quantified tells whether text ends with {n}, {n,} or {n,m}.
func quantified(text string) bool {
	open := strings.LastIndexByte(text, '{')
	return open > 0 && !escaped(text, open) && strings.Trim(text[open+1:len(text)-1], "0123456789,") == "" && len(text)-open > 2
}

func perlEscape(rest string, class bool) string {
	if len(rest) < 2 {
		return ""
	}
	switch c := rest[1]; {
	case c >= '1' && c <= '9' && !class:
		return "the back reference '" + rest[:2] + "'"
	case strings.IndexByte("gk", c) >= 0 && !class:
		return "the back reference '" + rest[:2] + "'"
	case strings.IndexByte("hHvVRXKGZN", c) >= 0 && (!class || strings.IndexByte("hHvV", c) >= 0):
		if c == 'v' {
			return ""
		}
		return "'" + rest[:2] + "'"
	}
	return ""
}

// perlGroups are the beginnings of groups, the longer ones first.
var perlGroups = []struct{ begin, what string }{
	{"(?<=", "lookbehind '(?<='"},
	{"(?<!", "lookbehind '(?<!'"},
	{"(?=", "lookahead '(?='"},
	{"(?!", "lookahead '(?!'"},
	{"(?>", "the atomic group '(?>'"},
	{"(?|", "the branch reset '(?|'"},
	{"(?#", "the comment '(?#'"},
	{"(?(", "the condition '(?('"},
	{"(?R", "the recursion '(?R'"},
	{"(?&", "the recursion '(?&'"},
	{"(?P>", "the recursion '(?P>'"},
	{"(?P=", "the back reference '(?P='"},
	{"(*", "the verb '(*'"},
}

func perlGroup(rest string) string {
	for _, g := range perlGroups {
		if strings.HasPrefix(rest, g.begin) {
			return g.what
		}
	}
	if len(rest) > 2 && rest[1] == '?' && rest[2] >= '0' && rest[2] <= '9' {
		return "the recursion '" + rest[:3] + "'"
	}
	return ""
}
