package conf

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// parseText parses one file.
func parseText(s string) (*Tree, int) {
	tree, errs := Parse(Source{FS: fstest.MapFS{"f": {Data: []byte(s)}}, Dir: "/"}, []string{"f"})
	return tree, errs.Errors()
}

// What is large or multiplies itself ends: these would take hours or all memory
// if something were quadratic or unbounded.
func TestLarge(t *testing.T) {
	definitions := func(n int, value string) string {
		var b strings.Builder
		b.WriteString("$A0=" + value + "\n")
		for i := 1; i < n; i++ {
			p := string(rune('a' + i - 1))
			if i == 1 {
				p = "A0"
			}
			b.WriteString("$" + string(rune('a'+i)) + "=${" + p + "}${" + p + "}${" + p + "}${" + p + "}\n")
		}
		return b.String() + "global_defs {\n router_id ${" + string(rune('a'+n-1)) + "}\n}\n"
	}
	for name, c := range map[string]struct {
		text   string
		errors int // -1: any number
	}{
		"a long line":               {"vrrp_instance V { virtual_ipaddress { " + strings.Repeat("10.0.0.1 ", 20_000) + "} }", 0},
		"a long word":               {"global_defs { router_id " + strings.Repeat("x", 200_000) + " }", 0},
		"a long HAProxy line":       {"frontend f\n bind " + strings.Repeat("x ", 100_000), 0},
		"many lines":                {"vrrp_script s {\n" + strings.Repeat("  interval 2\n", 100_000) + "}\n", 0},
		"a long continuation":       {"vrrp_script s {\n" + strings.Repeat("  word \\\n", 100_000) + "\n}\n", 0},
		"many braces":               {strings.Repeat("a{", 100_000), -1},
		"many closing braces":       {strings.Repeat("}", 50_000), -1},
		"many conditions":           {strings.Repeat("@^x ", 50_000) + "global_defs { }", 0},
		"many quotes":               {"global_defs { " + strings.Repeat(`"`, 200_000) + " }", 0},
		"definitions that multiply": {definitions(20, strings.Repeat("x", 100)), 1},
		"empty ones that multiply":  {definitions(24, ""), 1},
		"lines that multiply": {"$A= \\\n x \\\n x\n$B= \\\n $A \\\n $A \\\n $A\n$C= \\\n" + strings.Repeat(" $B \\\n", 300) + "\n$D= \\\n" + strings.Repeat(" $C \\\n", 300) +
			"\nglobal_defs {\n" + strings.Repeat(" $D\n", 300) + "}\n", 1},
		"references that are undefined": {"global_defs { x " + strings.Repeat("${a} ", 100_000) + "}", 0},
		"includes that multiply":        {strings.Repeat("include {g,g,g,g,g,g,g,g,g,g}\n", 3000), -1},
		"brace forms that multiply":     {"include " + strings.Repeat("{a,b}", 500) + "\n", 1},
		"open brace forms":              {"include " + strings.Repeat("{a", 1000) + "\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if _, n := parseText(c.text); c.errors >= 0 && n != c.errors {
				t.Errorf("%d errors, want %d", n, c.errors)
			}
		})
	}
}

// brokenFS fails in ways that a map cannot.
type brokenFS struct{ fstest.MapFS }

func (b brokenFS) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, "secret.cfg") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.Open(name)
}

func (b brokenFS) Stat(name string) (fs.FileInfo, error) { return b.MapFS.Stat(name) }

func TestUnreadable(t *testing.T) {
	files := brokenFS{fstest.MapFS{
		"etc/secret.cfg": {Data: []byte("global\n")},
		"etc/main.conf":  {Data: []byte("include secret.cfg\nglobal_defs { }\n")},
		"etc/d/x.cfg":    {Data: []byte("global\n")},
	}}
	_, errs := Parse(Source{FS: files, Dir: "/etc"}, []string{"secret.cfg", "main.conf", "", "../etc/d/nothing", "d/x.cfg/deeper"})
	got := list(t, errs)
	want := "secret.cfg: error: cannot read the configuration: permission denied\n" +
		"main.conf:1:9: error: cannot read the included file secret.cfg: permission denied\n" +
		"    1 | include secret.cfg\n" +
		"      |         ^\n" +
		"-f: error: the name of a configuration file is empty\n" +
		"        name a file or a folder\n" +
		"../etc/d/nothing: error: cannot read the configuration: no such file or folder\n" +
		"d/x.cfg/deeper: error: cannot read the configuration: no such file or folder\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if _, errs := Parse(Source{FS: files, Dir: "/"}, nil); errs.Errors() != 1 {
		t.Errorf("no names: %v", errs)
	}
}

// A folder may be a link, and what is in it too; that is the file system's matter,
// but the root itself must be readable as a folder.
func TestRootFolder(t *testing.T) {
	files := fstest.MapFS{"a.cfg": {Data: []byte("global\n")}}
	tree, errs := Parse(Source{FS: files, Dir: "/"}, []string{"/"})
	if len(errs) > 0 || len(tree.Sections) != 1 {
		t.Errorf("%v, %d sections", errs, len(tree.Sections))
	}
}
