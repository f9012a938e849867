package compat

import "strings"

// example is a file. differs says why baton judges it otherwise than haproxy 2.6.
type example struct{ text, differs string }

const preset = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"

func cases() []example {
	var all []example
	add := func(format string, list []string) {
		for _, s := range list {
			text, differs, _ := strings.Cut(s, "\x00")
			all = append(all, example{strings.ReplaceAll(format, "@", text), differs})
		}
	}
	add(preset+".if @\n.notice YES\n.else\n.notice NO\n.endif\n", conditions)
	add(preset+".notice @\n", words)
	add(preset+"@\n", directives)
	add("global\n@\n"+preset, globals)
	add(preset+"frontend f\n bind @\n", addresses)
	add("@\n", sections)
	return all
}

// but marks a case that is judged otherwise.
func but(text, reason string) string { return text + "\x00" + reason }

const (
	stricter = "a condition that means nothing is refused"
	number   = "a word that is no number is refused"
	leftover = "an argument that haproxy drops in silence is refused"
)

var conditions = []string{
	"", "0", "1", "12", "00", "-0", "-1", "+1", "0x0", "0x1", "1abc", "abc", "1 2", "1 # comment", "# comment",
	"1 && 0", "1 && 1", "1&&1", "0 || 1", "0||0", "1 || 0 && 0", "0 && 0 || 1", "0 && (0 || 1)", "(0 && 0) || 1", "1 && (0 || 1)",
	"(1)", "((1))", "(1", "1)", "()", "!0", "!1", "! 1", "!!1", "!(0)", "! (1)", "!", "1 &&", "&& 1", "1 ||", "|| 1", "1 & 1", "1 | 1",
	"defined(SET)", "defined(EMPTY)", "defined(UNSET)", "defined()", "defined(", but("defined", stricter), "defined(SET,X)", "!defined(SET)",
	"defined(SET) && !defined(UNSET)", `defined("SET")`, "streq(a,a)", "streq(a,b)", "streq(a, a)", "streq( a,a)", "streq(a ,a)", "streq(,)",
	"streq()", "streq(a)", "streq(a,b,c)", "streq('a',a)", `streq("$SET",value)`, `streq("$SET","value")`, "streq($SET,value)", `streq("$COMMA","a,b")`,
	`streq("a b",a b)`, `streq("$LIST",one)`, `strneq("$SET",other)`, "strneq(a,a)", `strneq("$EMPTY",)`, `"$ONE"`, `"$EMPTY"`, `"$UNSET"`, `"$SET"`,
	`"${UNSET-1}"`, `"${UNSET-0}"`, `"$ONE" && "$ONE"`, "feature(THREAD)", "!feature(NO_SUCH_THING)", "feature(THREAD", "version_atleast(1.5)",
	"version_before(1.5)", "version_atleast(2.6-dev1)", "version_before(9.9)", "version_atleast(99)", "nothing(1)", "streq(a,a) streq(b,b)",
	`streq("a)b",c)`, but("version_atleast(abc)", stricter), but("version_before(abc)", stricter), but("version_atleast()", stricter),
	"1 && defined(SET) && streq(x,x) && !0 && (1 || 0)",
}

var words = []string{
	"plain", `"two words"`, `'two words'`, `two\ words`, `"a"b`, `a"b c"d`, `'a'"b"c`, `''`, `""`, `a\#b`, `"#"`, `'#'`, `a#b`, `a # b`, `\\`, `a\tb`,
	`"a\"b"`, `'a"b'`, `"a'b"`, `\'`, `\"`, `\x41`, `\x4`, `\xzz`, `"\x41"`, `'\x41'`, `"$SET"`, `$SET`, `'$SET'`, `"${SET}"`, `"${SET-d}"`, `"${UNSET}"`,
	`"${UNSET-d e}"`, `"${UNSET-}"`, `"${EMPTY-d}"`, `"\$SET"`, `"$"`, `"${}"`, `"$1"`, `"${SET"`, `"${SET-"`, `"$SET$SET"`, `"x${SET}y"`, `"$SETx"`,
	`"$SET-x"`, `"${.LINE}"`, `"$.LINE"`, `"${.SECTION}"`, `"${.NOTHING}"`, `"${LIST[*]}"`, `"${ONE[*]}"`, `"${LIST[0]}"`, `"open`, `'open`, `\`,
	`"a\nb"x "`, `a\ `, `"${SET}"'${SET}'`, `"$QUOTE"`, `"a" "b"`, `no`, `"default"`,
}

var directives = []string{
	".if 1\n.endif", ".if 0\n.nonsense\n.endif", ".if 0\n.if nonsense(\n.endif\n.endif", ".if 1\n.elif nonsense(\n.endif", ".if 0\n.elif nonsense(\n.endif",
	".else", ".endif", ".elif 1", ".if 1", ".if 1\n.else\n.else\n.endif", ".if 1\n.else\n.elif 1\n.endif", ".nonsense", ".if nonsense(\n.endif",
	".if 0\n.notice 1\n.elif 1\n.notice 2\n.elif 1\n.notice 3\n.else\n.notice 4\n.endif",
	".if 0\n.notice 1\n.elif 0\n.notice 2\n.else\n.notice 4\n.endif\n.notice 5",
	".if 1\n.if 0\n.notice 1\n.else\n.notice 2\n.endif\n.else\n.notice 3\n.endif",
	".if 0\n.if 1\n.notice 1\n.else\n.notice 2\n.endif\n.else\n.notice 3\n.endif",
	".if 0\nfrontend hidden\n nonsense\n.endif\nfrontend f\n bind :1999", ".if 1\nfrontend f\n.endif\n bind :1999",
	".notice", ".notice a b", ".warning x", ".alert x", ".diag x", ".if 0\n.alert x\n.endif", "  .if 1\n\t.notice x\n .endif", ".endif x", ".if 1\n.endif x",
	".if 0\n.else x\n.endif", "frontend f\n bind :1999\n .if 1\n  .notice \"${.SECTION}\"\n .endif", ".if 1 # c\n.endif # c", but("\".if\" 1\n.endif", "a quoted word is no directive"),
}

var globals = []string{
	"maxconn 10", "maxconn", but("maxconn x", number), "nbthread 1", "nbthread 0", "nbthread 65", "nbthread x", "setenv A b\n.notice \"$A\"", "setenv A", "setenv",
	"setenv A= b", but("setenv A b c", leftover), "presetenv SET other\n.notice \"$SET\"", "presetenv A b\n.notice \"$A\"", "unsetenv SET\n.notice \"x$SET\"",
	"unsetenv", "unsetenv A B SET\n.notice \"${SET-gone}\"", "resetenv\n.notice \"x$SET\"", "resetenv SET\n.notice \"x$SET$ONE\"",
	"setenv A \"b c\"\n.notice \"$A\"", "setenv A 1\n.if defined(A)\n.notice A\n.endif", "setenv A 1\nglobal\n.notice \"$A\"", "zero-warning",
	"hard-stop-after 5s", "hard-stop-after", "hard-stop-after x", "pidfile /tmp/x", "pidfile", "daemon", "master-worker", "no master-worker",
	"log stdout local0", "log stdout", "log stdout nowhere", "log 127.0.0.1 local0 info", "log 127.0.0.1:514 local0 info err", "log /dev/log local0",
	"log stdout format raw local0", "log stdout format cooked local0", "log stdout len 80 local0", "log stdout len 8 local0", "no log",
	"stats socket /tmp/baton-compat.sock level admin", "stats timeout 10s", "unix-bind mode 660", "unix-bind prefix /tmp/x", "nonsense", "no maxconn 10",
	"nbproc 2", "nbproc 1\x00T1: one process is what baton is; the line gets a warning", "localpeer me\n.notice \"$HAPROXY_LOCALPEER\"",
	"ulimit-n 10000", "spread-checks 5", "tune.maxaccept 5", "chroot /var/empty", "description words of mine", "node here",
}

var addresses = []string{
	":1999", "*:1999", "127.0.0.1:1999", "::1:1999", "[::1]:1999", ":::1999", "[::]:1999 v4v6", ":::1999 v6only", "ipv4@:1999", "ipv6@:1999", "ipv4@127.0.0.1:1999",
	"127.0.0.1:1999,127.0.0.1:2000", "127.0.0.1:1999-2003", "127.0.0.1:2003-1999", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:65536",
	"1999", "", "300.1.1.1:1999", "unix@/tmp/baton-compat.sock", "/tmp/baton-compat.sock", "/tmp/baton-compat.sock mode 660", "/tmp/baton-compat.sock user root group root",
	"/tmp/baton-compat.sock user nobody-of-this-name", "abns@baton-compat", "fd@19907", "fd@", "fd@x", ":1999 name web", ":1999 name", ":1999 nonsense", ":1999 id 5",
	":1999 id x", ":1999 backlog 10", ":1999 maxconn 10", ":1999 tfo", ":1999 nice 5", ":1999 thread 1", "\"fd@${UNSET}\"", ":1999\n bind 127.0.0.1:2000",
}

var sections = []string{
	"", "global", "global\nglobal\n maxconn 10\nglobal", "global extra", "defaults", "defaults a", "defaults a\ndefaults b from a", "defaults from a", but("defaults a b", leftover), "defaults a from",
	"defaults a from a", "defaults a\nfrontend f from a\n bind :1999", "frontend f from a\n bind :1999", "defaults a\nfrontend f from b\n bind :1999",
	"defaults a\ndefaults a\nfrontend f\n bind :1999", "defaults a\ndefaults a\nfrontend f from a\n bind :1999", "defaults a\nfrontend f from a b\n bind :1999",
	"frontend f\n bind :1999\ndefaults a", "frontend", "frontend f\nfrontend f", "frontend f\nbackend f", "listen f\nbackend f", "listen f\nfrontend f", "backend b\nbackend b",
	but("frontend f :1999", "HAProxy gave addresses in this place up; the hint names bind"), "frontend a/b", "frontend \"a b\"", "frontend a.b:c-d_e", "backend b\n server s 127.0.0.1:1\n server s 127.0.0.1:2", "nonsense", "  global", "frontend f # comment",
	"defaults\n nonsense", "defaults\n bind :1999", "defaults\n server s 127.0.0.1:1", "defaults\n acl a path /", "defaults a\n mode http\n acl a path /\n http-request deny if a",
	"defaults\n mode http\n http-request deny", "defaults\n mode http\n monitor-uri /x", "defaults a\n mode http\n http-request deny\nlisten l from a\n bind :1999",
	"defaults a\n mode http\n http-request deny\nfrontend f from a\n bind :1999\nbackend b from a", "defaults a\n mode http\n http-request deny\nfrontend f from a\n bind :1999",
	"defaults\n stats admin if TRUE", "defaults\n capture request header x len 5", "defaults\n redirect location /", "defaults\n monitor fail if TRUE", "defaults\n stick on src",
	"defaults\n use_backend b\nbackend b", "defaults\n default_backend b\nbackend b", "defaults\n default_backend b\nfrontend f\n bind :1999", "defaults\n retries 5", but("defaults\n retries x", number),
	"defaults\n maxconn 5", "defaults\n balance source", "defaults\n balance nonsense", "defaults\n option httplog", "defaults\n no option httplog", "defaults\n option nonsense",
	"defaults\n mode tcp\n mode http", "defaults\n mode nonsense", "defaults\n timeout client 5", "defaults\n timeout client 5x", "defaults\n timeout nonsense 5", "defaults\n timeout client",
	"defaults\n log global", "defaults\n no log", "defaults\n errorfile 503 /dev/null", "defaults\n disabled", "backend b\n bind :1999", "frontend f\n server s 127.0.0.1:1",
	"frontend f\n bind :1999\n default_backend none", "frontend f\n bind :1999\n use_backend none", "frontend f\n mode http\n bind :1999\n default_backend b\nbackend b\n mode tcp",
	but("frontend f\n bind :1999\n bind :1999", "haproxy finds out when it starts"),
}
