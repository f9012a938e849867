package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse reads anything, in both grammars, with a second file to include.
// Beside not panicking and ending soon: every word and every finding has a place
// that exists, every directive has a word, and printing the findings works.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		a, err := txtar.ParseFile(p)
		if err != nil {
			f.Fatal(err)
		}
		second := ""
		if len(a.Files) > 2 {
			second = string(a.Files[1].Data)
		}
		f.Add(string(a.Files[0].Data), second)
	}
	for _, p := range []string{"keepalived/testdata/examples/002-keepalived-master.conf", "haproxy/testdata/articles/002-basic.cfg"} {
		if data, err := os.ReadFile(p); err == nil {
			f.Add(string(data), "")
		}
	}
	f.Fuzz(func(t *testing.T, main, other string) {
		src := Source{
			FS:  fstest.MapFS{"a.conf": {Data: []byte(main)}, "b.conf": {Data: []byte(other)}},
			Dir: "/", Node: "lb1", Env: func(n string) (string, bool) { return n, len(n)%2 == 0 },
		}
		tree, errs := Parse(src, []string{"a.conf"})
		checkPlace := func(w Word) {
			lines := tree.lines[w.Pos.File]
			if w.Pos.Line < 1 || w.Pos.Line > len(lines) || w.Pos.Col < 1 || w.Pos.Col > len(lines[w.Pos.Line-1])+len("\ufeff") {
				t.Fatalf("%q stands nowhere: %v", w.Text, w.Pos)
			}
		}
		for _, s := range tree.Sections {
			checkPlace(s.Keyword)
			for _, l := range s.Lines {
				if len(l.Words) == 0 {
					t.Fatal("a line without words")
				}
				for _, w := range l.Words {
					checkPlace(w)
				}
			}
		}
		var check func([]*Block)
		check = func(blocks []*Block) {
			for _, b := range blocks {
				if len(b.Words) == 0 {
					t.Fatal("a block without words")
				}
				for _, w := range b.Words {
					checkPlace(w)
				}
				check(b.Body)
			}
		}
		check(tree.Blocks)
		for _, d := range errs {
			if d.Pos.Line > len(tree.lines[d.Pos.File]) {
				t.Fatalf("finding behind the end: %+v", d)
			}
		}
		var b strings.Builder
		if err := errs.Write(&b); err != nil {
			t.Fatal(err)
		}
	})
}
