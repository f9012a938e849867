package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// laws by the name of their sample, testdata/NAME.txtar.
func laws(root string) map[string]func(*Module) []Problem {
	return map[string]func(*Module) []Problem{
		"imports":  importDirections,
		"sys":      onlySysCalls,
		"purity":   purity,
		"state":    noMutableState,
		"docs":     packageDocs,
		"init":     noInit,
		"length":   fileLength,
		"gomod":    goMod,
		"machines": noForeignPaths(root),
	}
}

// TestLaws holds the repository to the laws.
func TestLaws(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for name, law := range laws(root) {
		t.Run(name, func(t *testing.T) {
			for _, p := range law(m) {
				t.Error(p)
			}
		})
	}
}

// TestLawsBite shows each law a module that breaks it. The sample's comment
// lists the problems that must be found, one a line.
func TestLawsBite(t *testing.T) {
	for name, law := range laws("/srv/here/checkout") {
		t.Run(name, func(t *testing.T) {
			sample, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			fsys := fstest.MapFS{}
			for _, f := range sample.Files {
				// A line of a hundred dots stands for 701 lines.
				data := strings.ReplaceAll(string(f.Data), strings.Repeat(".", 100)+"\n", strings.Repeat("//\n", maxLines+1))
				fsys[f.Name] = &fstest.MapFile{Data: []byte(data)}
			}
			m, err := Load(fsys)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, p := range law(m) {
				got.WriteString(p.String() + "\n")
			}
			if diff := cmp.Diff(string(sample.Comment), got.String()); diff != "" {
				t.Errorf("problems of %s.txtar (-want +got):\n%s", name, diff)
			}
		})
	}
}
