package keepalived

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"baton/conf"
)

// Every keyword of the manual has a row, so that none is taken for a typing mistake.
func TestManualKeywords(t *testing.T) {
	data, err := os.ReadFile("testdata/manual-keywords")
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, k := range Keywords() {
		known[k.Block+" "+k.Name] = true
		if k.Status == Done && k.Doc == "" {
			t.Errorf("%s %s: no doc", k.Block, k.Name)
		}
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		n++
		if key := strings.TrimPrefix(line, "-"); !strings.HasPrefix(line, "-") && !known[line] || strings.HasPrefix(line, "- ") && !known[key] {
			t.Errorf("no row for %q", line)
		}
	}
	if n < 200 {
		t.Fatalf("only %d keywords in the list", n)
	}
}

// conf recognises by name the words that begin a block; the table here must be
// the same, or a block would be taken for lines of an HAProxy section.
func TestTopWordsAreRecognised(t *testing.T) {
	top := make(map[string]bool)
	for _, k := range Keywords() {
		if k.Block != "" {
			continue
		}
		top[k.Name] = true
		src := conf.Source{FS: fstest.MapFS{"f": {Data: []byte("frontend web\n" + k.Name + " x { }\n")}}, Dir: "/"}
		tree, errs := conf.Parse(src, []string{"f"})
		if len(tree.Blocks) != 1 || len(errs) > 0 {
			t.Errorf("%s is not recognised: %v", k.Name, errs)
		}
	}
	for _, w := range conf.TopWords() {
		src := conf.Source{FS: fstest.MapFS{"f": {Data: []byte(w + " x { }\n")}}, Dir: "/"}
		tree, _ := conf.Parse(src, []string{"f"})
		if len(tree.Blocks) == 1 && !top[w] {
			t.Errorf("conf reads a block %s, which has no row", w)
		}
	}
}
