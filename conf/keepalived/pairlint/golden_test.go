package pairlint

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"baton/conf"
	"baton/conf/keepalived"
	"baton/internal/diag"
)

var rewrite = flag.Bool("rewrite", false, "write what the code does into the golden files")

const (
	peerLine = "---------- peer\n"
	wantLine = "---------- findings\n"
)

// TestPair: a golden file is a node's configuration, a line, its peer's, a line, and
// the findings. One whose name ends in _right has none, one that ends in _wrong has
// one, and it is told from the other side as well.
func TestPair(t *testing.T) {
	for _, path := range files(t, "testdata/*.txt") {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(data), wantLine)
			one, other, ok := strings.Cut(input, peerLine)
			if !ok {
				t.Fatalf("no line %q", peerLine)
			}
			a, treeA := lower(t, "node-a.conf", one)
			b, treeB := lower(t, "node-b.conf", other)
			found := Pair(Node{"node-a.conf", a}, Node{"node-b.conf", b})
			treeA.Attach(found)
			treeB.Attach(found)
			compare(t, path, input+wantLine, want, found)

			back := Pair(Node{"node-b.conf", b}, Node{"node-a.conf", a})
			switch {
			case strings.HasSuffix(name, "_right") && len(found)+len(back) > 0:
				t.Errorf("findings where nothing is wrong:\n%v\nfrom the other side:\n%v", found, back)
			case strings.HasSuffix(name, "_wrong") && len(found) != 1:
				t.Errorf("%d findings, want one", len(found))
			case strings.HasSuffix(name, "_wrong") && (len(back) != 1 || back[0].Severity != found[0].Severity):
				t.Errorf("from the other side: %v", back)
			}
		})
	}
}

// TestAlone: a golden file is a configuration, a line, and the findings.
func TestAlone(t *testing.T) {
	for _, path := range files(t, "testdata/alone/*.txt") {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(data), wantLine)
			c, tree := lower(t, "node-a.conf", input)
			found := Alone(c)
			tree.Attach(found)
			compare(t, path, input+wantLine, want, found)
			if n := found.Errors(); n > 0 {
				t.Errorf("%d errors: one node alone is not wrong", n)
			}
			if wrong := strings.HasSuffix(name, "_wrong"); wrong != (len(found) > 0) {
				t.Errorf("%d findings", len(found))
			}
		})
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files %s: %v", pattern, err)
	}
	return paths
}

// lower makes a configuration of a text, which must be free of errors by itself.
func lower(t *testing.T, name, text string) (*keepalived.Config, *conf.Tree) {
	t.Helper()
	tree, errs := conf.Parse(conf.Source{FS: fstest.MapFS{"etc/" + name: {Data: []byte(text)}}, Dir: "/etc"}, []string{name})
	c, more := keepalived.Lower(tree)
	if errs = append(errs, more...); errs.Errors() > 0 {
		t.Fatal(errs)
	}
	return c, tree
}

func compare(t *testing.T, path, input, want string, found diag.List) {
	t.Helper()
	var b strings.Builder
	if err := found.Write(&b); err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(input+b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
