package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// modulePath is the path in go.mod: imports that start with it are our own.
const modulePath = "baton"

// Module is the parsed source of a module.
type Module struct {
	Fset     *token.FileSet
	Packages []*Package        // in order of Dir
	Text     map[string][]byte // every file that is text, by path, Go or not
}

// Package is one folder of Go files; tests of package x_test are among them.
type Package struct {
	Dir   string // slash separated, relative to the module's root
	Files []*File
}

// File is one Go file.
type File struct {
	Path   string
	Test   bool
	Lines  int
	Syntax *ast.File
}

// Problem is one breach of a law.
type Problem struct {
	Path string
	Line int // 0: the file as a whole
	Text string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Path + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Text)
}

// Load parses the module whose root is fsys. Hidden folders, what the build
// writes and the tools module are left out; testdata counts as text only.
func Load(fsys fs.FS) (*Module, error) {
	m := &Module{Fset: token.NewFileSet(), Text: map[string][]byte{}}
	packages := map[string]*Package{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || name == "bin" || name == "dist") {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || name == ".git" { // a file in a linked working tree
			return nil
		}
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if bytes.IndexByte(b, 0) < 0 {
			m.Text[name] = b
		}
		if path.Ext(name) != ".go" || strings.HasPrefix(name, "tools/") || inTestdata(name) {
			return nil
		}
		syntax, err := parser.ParseFile(m.Fset, name, b, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if packages[dir] == nil {
			packages[dir] = &Package{Dir: dir}
			m.Packages = append(m.Packages, packages[dir])
		}
		packages[dir].Files = append(packages[dir].Files, &File{
			Path:   name,
			Test:   strings.HasSuffix(name, "_test.go"),
			Lines:  bytes.Count(b, []byte("\n")),
			Syntax: syntax,
		})
		return nil
	})
	slices.SortFunc(m.Packages, func(a, b *Package) int { return cmp.Compare(a.Dir, b.Dir) })
	return m, err
}

func inTestdata(name string) bool {
	return strings.HasPrefix(name, "testdata/") || strings.Contains(name, "/testdata/")
}

// line is the line of pos, a position in a file of m.
func (m *Module) line(pos token.Pos) int { return m.Fset.Position(pos).Line }

// imports calls f for each import of file: the path without quotes.
func (file *File) imports(f func(spec *ast.ImportSpec, path string)) {
	for _, spec := range file.Syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			f(spec, p)
		}
	}
}

// ours is the folder of an import of this module, and false for other imports.
func ours(importPath string) (dir string, ok bool) {
	return strings.CutPrefix(importPath, modulePath+"/")
}

// under reports whether dir is root or below it.
func under(dir, root string) bool {
	return dir == root || strings.HasPrefix(dir, root+"/")
}
