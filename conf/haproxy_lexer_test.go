package conf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"baton/internal/diag"
)

// lexed shows words as <text>@column, a ' after the text of quoted ones, and
// mistakes as !column message.
func lexed(line string) string {
	env := map[string]string{"A": "one", "EMPTY": "", "LIST": "x  y z", "SPACES": " "}
	var errs diag.List
	var out []string
	for _, w := range lexHAProxyLine(line, diag.Pos{File: "f.cfg", Line: 7, Col: 1}, func(n string) (string, bool) {
		v, ok := env[n]
		return v, ok
	}, &errs) {
		mark := ""
		if w.Quoted {
			mark = "'"
		}
		out = append(out, fmt.Sprintf("<%s>%s@%d", w.Text, mark, w.Pos.Col))
	}
	for _, e := range errs {
		out = append(out, fmt.Sprintf("!%d %s", e.Pos.Col, e.Msg))
	}
	return strings.Join(out, " ")
}

// Where the manual leaves a doubt, the expectations are what HAProxy 2.6.12
// makes of the same line.
func TestLexHAProxyLine(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		// words and comments
		{"", ""},
		{"  \t ", ""},
		{"bind  *:80\tname x ", "<bind>@1 <*:80>@7 <name>@12 <x>@17"},
		{"global#this", "<global>@1"},
		{"# all", ""},
		{"a # b", "<a>@1"},
		{`a "#" '#' \#`, "<a>@1 <#>'@3 <#>'@7 <#>@11"},

		// escapes outside quotes
		{`a\ b`, "<a b>@1"},
		{"a\\\tb", "<a\tb>@1"},
		{`\\ \' \" \#`, `<\>@1 <'>@4 <">@7 <#>@10`},
		{`\n\r\t`, "<\n\r\t>@1"},
		{`\x41\x6a`, "<Aj>@1"},
		{`\x4`, `<4>@1 !1 truncated or invalid hexadecimal sequence`},
		{`\xzz b`, `<zz>@1 <b>@6 !1 truncated or invalid hexadecimal sequence`},
		{`a\x00b`, `<ab>@1 !2 a NUL byte cannot be part of a word`},
		{"a\x00b", `<ab>@1 !2 a NUL byte cannot be part of a word`},
		{`\z \$ a\`, `<\z>@1 <\$>@4 <a\>@7`},
		{`path_reg \.php$`, `<path_reg>@1 <\.php$>@10`},

		// quotes
		{`"a b"`, "<a b>'@1"},
		{`'a b'`, "<a b>'@1"},
		{`a" b"c' d'e`, "<a bc de>'@1"},
		{`"it's" 'say "x"'`, `<it's>'@1 <say "x">'@8`},
		{`'a\tb$A'`, `<a\tb$A>'@1`},
		{`"a\tb\"\\\x41\'\$\z"`, "<a\tb\"\\A'$\\z>'@1"},
		{`"" ''`, "<>'@1 <>'@4"},
		{`a "b`, "<a>@1 !3 unmatched quote \""},
		{`a 'b c`, "<a>@1 !3 unmatched quote '"},
		{`"a\`, "!1 unmatched quote \""},

		// variables
		{`$A ${A}`, "<$A>@1 <${A}>@4"},
		{`"$A" '$A'`, "<one>'@1 <$A>'@6"},
		{`x"$A."y`, "<xone.y>'@1"},
		{`"${A}b"`, "<oneb>'@1"},
		{`"$NONE${NONE}"`, "<>'@1"},
		{`"${NONE-d e}" "${EMPTY-d}" "${NONE-}"`, "<d e>'@1 <>'@15 <>'@28"},
		{`"${.FILE}:$.LINE"`, "<f.cfg:7>'@1"},
		{`"$.NOPE"`, "<>'@1 !2 unknown pseudo-variable .NOPE"},
		{`a"${LIST[*]}"b c`, "<ax>'@1 <y>'@3 <zb>'@3 <c>@16"},
		{`"${NONE[*]-p q}"`, "<p>'@1 <q>'@2"},
		{`a "${EMPTY[*]}" "${SPACES[*]}" b`, "<a>@1 <b>@32"},
		{`"${A"`, "!2 unmatched brace in environment variable name"},
		{`"${A x}"`, "!2 unmatched brace in environment variable name"},
		{`"${A[x]}"`, "!5 truncated or invalid word expansion sequence"},
		{`"$"`, "!3 forbidden first character in environment variable name"},
		{`"$1"`, "!3 forbidden first character in environment variable name"},
		{`"${1}"`, "!4 forbidden first character in environment variable name"},
	} {
		if d := cmp.Diff(c.want, lexed(c.line)); d != "" {
			t.Errorf("%q: -want +got:\n%s", c.line, d)
		}
	}
}
