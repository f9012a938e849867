package compat

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"baton/conf"
	"baton/conf/haproxy"
	"baton/internal/diag"
	"baton/lb"
)

// verdict is what a program makes of a file: whether it would run it, and what
// its `.notice` lines say.
type verdict struct {
	Accepted bool
	Notices  []string
}

// environment is what both programs see. PATH is there for haproxy's sake.
var environment = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SET=value", "EMPTY=", "LIST=one two  three", "COMMA=a,b", "ONE=1", "QUOTE=a\"b"}

var noticeLine = regexp.MustCompile(`(?m)^\[NOTICE\] .*: config : parsing \[[^\]]*\]: '(.*)'\.$`)

func byHAProxy(t *testing.T, file string) verdict {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "haproxy", "-c", "-f", file)
	cmd.Env = environment
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	v := verdict{Accepted: cmd.ProcessState.ExitCode() != 1} // 2: right, and nothing listens
	for _, m := range noticeLine.FindAllSubmatch(out, -1) {
		v.Notices = append(v.Notices, string(m[1]))
	}
	return v
}

// byBaton also reports whether the file was refused for words that baton names as
// not supported yet, and for nothing else.
func byBaton(t *testing.T, file string) (v verdict, notYet bool, found diag.List) {
	t.Helper()
	env := func(name string) (string, bool) {
		for _, e := range environment {
			if k, v, _ := strings.Cut(e, "="); k == name {
				return v, true
			}
		}
		return "", false
	}
	root, err := os.OpenRoot("/")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tree, found := conf.Parse(conf.Source{FS: root.FS(), Dir: "/", Env: env, CfgOnly: true}, []string{file})
	cfg, more := haproxy.Lower(tree)
	found = append(found, more...)
	found = append(found, lb.CheckBinds(cfg)...)
	notYet = found.Errors() > 0
	for _, d := range found {
		switch {
		case d.Severity == diag.Notice:
			v.Notices = append(v.Notices, strings.TrimSuffix(strings.TrimPrefix(d.Msg, "'"), "'"))
		case d.Severity == diag.Error && !strings.Contains(d.Msg, "known, not supported yet"):
			notYet = false
		}
	}
	v.Accepted = found.Errors() == 0
	return v, notYet, found
}

// TestVerdicts compares all cases. HAProxy stops at the first mistake of some
// kinds and baton never does: what a refused file says is not compared.
func TestVerdicts(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	dir := t.TempDir()
	seen := make(map[string]bool)
	counts := make(map[string]int)
	for n, c := range cases() {
		if seen[c.text] {
			t.Errorf("%s stands twice", c.text)
		}
		seen[c.text] = true
		file := filepath.Join(dir, fmt.Sprintf("%d.cfg", n))
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := byHAProxy(t, file)
		got, notYet, found := byBaton(t, file)
		if !want.Accepted {
			want.Notices = nil
		}
		if !got.Accepted {
			got.Notices = nil
		}
		same := cmp.Equal(want, got)
		switch {
		case same && c.differs == "":
			counts["same"]++
		case same:
			t.Errorf("no difference any more (%s):\n%s", c.differs, c.text)
		case c.differs != "":
			counts["different for a reason"]++
		case notYet && want.Accepted:
			counts["not supported yet"]++
		default:
			t.Errorf("haproxy %+v, baton %+v\n%s\n%v", want, got, c.text, found)
		}
	}
	t.Log(counts)
}
