package conf

import (
	"strings"
	"testing"
)

// The verdicts are haproxy 2.6's where it knows the predicate; err means that it
// refuses the condition.
func TestEvalCondition(t *testing.T) {
	env := func(n string) (string, bool) { return "", n == "SET" }
	for _, c := range []struct{ text, want string }{
		{"", "false"},
		{"  ", "false"},
		{"0", "false"},
		{"1", "true"},
		{"12", "true"},
		{"-0", "false"},
		{"-1", "true"},
		{"+1", "true"},
		{"00", "false"},
		{"0x0", "false"},
		{"0x1", "true"},
		{"99999999999999", "true"},
		{"1abc", "err"},
		{"abc", "err"},
		{"1 2", "err"},
		{"1 && 0", "false"},
		{"1&&1", "true"},
		{"1 || 0 && 0", "true"},
		{"0 && 0 || 1", "true"},
		{"0 || 0 || 1", "true"},
		{"1 && (0 || 1)", "true"},
		{"(1)||(0)", "true"},
		{"!0", "true"},
		{"! 0", "true"},
		{"!!1", "true"},
		{"! (1)", "false"},
		{"!", "err"},
		{"()", "err"},
		{"(1", "err"},
		{"1)", "err"},
		{"1||", "err"},
		{"||1", "err"},
		{"1 & 1", "err"},
		{"0 && foo(", "err"}, // read although it cannot matter
		{"defined(SET)", "true"},
		{"defined(UNSET)", "false"},
		{"defined()", "false"},
		{"defined(A,B)", "err"},
		{"defined(A", "err"},
		{"defined", "err"},
		{"streq(a,a)", "true"},
		{"streq(a, a)", "false"},
		{"streq( a,a)", "false"},
		{"streq(,)", "true"},
		{"streq()", "err"},
		{"streq(a)", "err"},
		{"streq(a,b,c)", "err"},
		{"streq('a',a)", "true"},
		{`streq("a b",a b)`, "true"},
		{`streq("a,)b",a\,\)b)`, "true"},
		{`streq("a,b)`, "err"},
		{"strneq(a,b)", "true"},
		{"strstr(abc,bc)", "true"},
		{"strstr(abc,x)", "false"},
		{"feature(THREAD)", "true"},
		{"feature(OPENSSL)", "false"},
		{"feature(FOO)", "false"},
		{"enabled(SPLICE) && enabled(FAST-FORWARD)", "true"},
		{"enabled(KQUEUE)", "false"},
		{"enabled(FOO)", "err"},
		{"ssllib_name_startswith(OpenSSL)", "false"},
		{"openssl_version_atleast(1.1.1)", "false"},
		{"version_atleast(3.4)", "true"},
		{"version_atleast(3.4.0)", "true"},
		{"version_atleast(3.4-dev9)", "true"},
		{"version_atleast(3.4.0-1)", "false"},
		{"version_atleast(3.4.1)", "false"},
		{"version_atleast(3.5-dev0)", "false"},
		{"version_atleast(2)", "true"},
		{"version_before(3.4-dev9)", "false"},
		{"version_before(3.5)", "true"},
		{"version_before(2.6.12-1+deb12u4)", "false"},
		{"version_atleast(abc)", "err"}, // haproxy takes it for 0.0
		{strings.Repeat("(", 99) + "1" + strings.Repeat(")", 99), "true"},
		{strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000), "err"},
	} {
		v, err := EvalCondition(c.text, env)
		got := map[bool]string{true: "true", false: "false"}[v]
		if err != nil {
			got = "err"
		}
		if got != c.want {
			t.Errorf("%.60q is %s (%v), want %s", c.text, got, err, c.want)
		}
	}
}

func FuzzEvalCondition(f *testing.F) {
	for _, s := range []string{"1 && !(0)", "streq(\"a\",'b')", "version_before(2.4-dev19)", "defined(X"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := EvalCondition(text, func(string) (string, bool) { return "", false })
		if v && err != nil {
			t.Errorf("%q is true and wrong: %v", text, err)
		}
	})
}
