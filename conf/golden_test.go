package conf

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"baton/internal/diag"
)

var rewrite = flag.Bool("rewrite", false, "write what the code does into the golden files")

// A golden file is a txtar archive. Its comment says what it shows, and may name
// the files to parse as `parse: NAME...` (default: the first) and the node as
// `node: NAME`. The last file, "want", is the tree or the findings.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, p := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(p), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(p)
			if err != nil {
				t.Fatal(err)
			}
			src, names := archiveSource(a)
			tree, errs := Parse(src, names)
			got := dump(tree) + list(t, errs)
			last := &a.Files[len(a.Files)-1]
			if last.Name != "want" {
				a.Files = append(a.Files, txtar.File{Name: "want"})
				last = &a.Files[len(a.Files)-1]
			}
			if *rewrite {
				last.Data = []byte(got)
				if err := os.WriteFile(p, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(last.Data), got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// archiveSource makes a file system in /etc/baton of an archive.
func archiveSource(a *txtar.Archive) (Source, []string) {
	files := fstest.MapFS{}
	var names []string
	for _, f := range a.Files {
		if f.Name == "want" {
			continue
		}
		data := strings.NewReplacer("<NUL>", "\x00", "<CR>", "\r", "<BOM>", "\ufeff").Replace(string(f.Data))
		data = strings.TrimSuffix(data, "<NOEOL>\n")
		files[filepath.Join("etc/baton", f.Name)] = &fstest.MapFile{Data: []byte(data)}
		if len(names) == 0 {
			names = []string{f.Name}
		}
	}
	src := Source{FS: files, Dir: "/etc/baton", Node: "lb1", Env: func(n string) (string, bool) {
		return "value-of-" + n, n == "HOME"
	}}
	for line := range strings.Lines(string(a.Comment)) {
		if rest, ok := strings.CutPrefix(line, "parse:"); ok {
			names = strings.Fields(rest)
		}
		if rest, ok := strings.CutPrefix(line, "node:"); ok {
			src.Node = strings.TrimSpace(rest)
		}
	}
	return src, names
}

func list(t *testing.T, errs diag.List) string {
	var b strings.Builder
	if err := errs.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// dump shows a tree: sections with their lines, blocks with their bodies.
func dump(t *Tree) string {
	var b strings.Builder
	for _, s := range t.Sections {
		fmt.Fprintf(&b, "section %s\n", words(append([]Word{s.Keyword}, s.Args...)))
		for _, l := range s.Lines {
			prefix := ""
			if l.No {
				prefix = "no "
			}
			if l.Default {
				prefix = "default "
			}
			fmt.Fprintf(&b, "    %s%s\n", prefix, words(l.Words))
		}
	}
	var block func(indent string, blk *Block)
	block = func(indent string, blk *Block) {
		fmt.Fprintf(&b, "%s%s", indent, words(blk.Words))
		if blk.HasBody {
			b.WriteString(" {\n")
			for _, c := range blk.Body {
				block(indent+"    ", c)
			}
			b.WriteString(indent + "}")
		}
		b.WriteString("\n")
	}
	for _, blk := range t.Blocks {
		block("", blk)
	}
	return b.String()
}

// words shows each word with its place; text that is not plain is quoted.
func words(ws []Word) string {
	var out []string
	for _, w := range ws {
		text := w.Text
		if w.Quoted || strings.ContainsAny(text, " \t\"'{}\n") {
			text = fmt.Sprintf("%q", text)
		}
		out = append(out, fmt.Sprintf("%s@%d:%d", text, w.Pos.Line, w.Pos.Col))
	}
	return strings.Join(out, " ")
}
