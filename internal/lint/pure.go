package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// pure lists the packages without goroutine, clock, randomness, file, socket or
// logger: their whole behaviour follows from their arguments, so a text script
// in virtual time tests it.
var pure = []string{
	"vrrp", "vrrp/packet", "vip", "pair", "checkscript",
	"conf", "conf/haproxy", "conf/keepalived", "conf/keepalived/pairlint",
	"lb/spec", "lb/hash", "lb/http1", "lb/h2", "lb/balance", "lb/pattern", "lb/stick", "lb/stick/peers", "lb/sample", "lb/rules",
	"lb/health", "lb/logfmt", "lb/proxyproto", "lb/userlist", "lb/resolve", "lb/cookie", "lb/uri",
	"internal/diag", "internal/wheel",
}

// impureImports must not appear in a pure package. What is below them is meant too.
var impureImports = []string{
	"os", "log", "syscall", "net/http", "net/rpc", "math/rand", "crypto/rand", "crypto/tls", "plugin", "testing",
	"golang.org/x/sys", "golang.org/x/net/ipv4", "golang.org/x/net/ipv6",
	"github.com/vishvananda", "github.com/mdlayher/packet", "github.com/mdlayher/arp", "github.com/coreos",
	modulePath + "/internal/sys", modulePath + "/internal/nettest",
}

// impureNames are functions of packages that a pure package may import otherwise.
var impureNames = map[string][]string{
	"time":                        {"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"},
	"net":                         {"Dial", "Listen", "Lookup", "Resolve", "Interface", "FileConn", "DefaultResolver"},
	"path/filepath":               {"Walk", "Glob", "Abs", "EvalSymlinks"},
	modulePath + "/internal/mono": {"Now"},
}

// purity: pure packages do nothing but compute.
func purity(m *Module) []Problem {
	var problems []Problem
	for _, pkg := range purePackages(m) {
		for _, file := range pkg.Files {
			if file.Test {
				continue
			}
			report := func(pos token.Pos, format string, args ...any) {
				problems = append(problems, Problem{file.Path, m.line(pos), fmt.Sprintf(format, args...)})
			}
			names := map[string]string{} // local name of an import -> its path
			file.imports(func(spec *ast.ImportSpec, p string) {
				name := path.Base(p)
				if spec.Name != nil {
					name = spec.Name.Name
				}
				names[name] = p
				for _, bad := range impureImports {
					if under(p, bad) {
						report(spec.Pos(), "a pure package must not import %s", p)
					}
				}
				if dir, ok := ours(p); ok && !isPure(dir) && dir != "internal/mono" {
					report(spec.Pos(), "a pure package must not import %s, which is not pure", dir)
				}
			})
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					report(n.Pos(), "a pure package starts no goroutine")
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && isImpure(names[x.Name], n.Sel.Name) {
						report(n.Pos(), "a pure package must not use %s.%s: take it as an argument", x.Name, n.Sel.Name)
					}
				}
				return true
			})
		}
	}
	return problems
}

// isImpure compares net's names as prefixes (DialTimeout, ListenPacket, ...) and
// the others in full (time.AfterFunc stands beside time.After).
func isImpure(importPath, name string) bool {
	for _, bad := range impureNames[importPath] {
		if name == bad || importPath == "net" && strings.HasPrefix(name, bad) {
			return true
		}
	}
	return false
}

func isPure(dir string) bool { return slices.Contains(pure, dir) }

func purePackages(m *Module) []*Package {
	var list []*Package
	for _, pkg := range m.Packages {
		if isPure(pkg.Dir) {
			list = append(list, pkg)
		}
	}
	return list
}

// noMutableState: a package-level variable of a pure package is a table, a
// sentinel error or a compile-time assertion: it has its value from the start,
// and no code of the package assigns to it, to a part of it, or takes its address.
func noMutableState(m *Module) []Problem {
	var problems []Problem
	for _, pkg := range purePackages(m) {
		var files []*ast.File
		byFile := map[*ast.File]*File{}
		for _, file := range pkg.Files {
			if !file.Test {
				files = append(files, file.Syntax)
				byFile[file.Syntax] = file
			}
		}
		uses := resolve(m.Fset, files)
		for _, f := range files {
			file := byFile[f]
			report := func(pos token.Pos, format string, args ...any) {
				problems = append(problems, Problem{file.Path, m.line(pos), fmt.Sprintf(format, args...)})
			}
			for _, sel := range syncValues(f) {
				report(sel.Pos(), "package-level %s.%s is state that goroutines share", sel.X, sel.Sel.Name)
			}
			for _, name := range withoutValue(f) {
				report(name.Pos(), "package-level variable %s has no value at its declaration, so something sets it later", name.Name)
			}
			global := func(e ast.Expr) (string, bool) {
				id := rootIdent(e)
				if id == nil {
					return "", false
				}
				v, ok := uses[id].(*types.Var)
				return id.Name, ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					for _, lhs := range n.Lhs {
						if name, ok := global(lhs); ok {
							report(lhs.Pos(), "assignment to package-level variable %s", name)
						}
					}
				case *ast.IncDecStmt:
					if name, ok := global(n.X); ok {
						report(n.Pos(), "assignment to package-level variable %s", name)
					}
				case *ast.UnaryExpr:
					if name, ok := global(n.X); ok && n.Op == token.AND {
						// &table[i] is how one reads a big row without copying it.
						if !hasIndex(n.X) {
							report(n.Pos(), "address of package-level variable %s taken", name)
						}
					}
				}
				return true
			})
		}
	}
	return problems
}

// resolve finds what each identifier means. Imports stay unresolved on purpose:
// types of other packages do not matter here, and errors about them are ignored.
func resolve(fset *token.FileSet, files []*ast.File) map[*ast.Ident]types.Object {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Error: func(error) {}, Importer: noImports{}}
	_, _ = config.Check("p", fset, files, info)
	return info.Uses
}

type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	return nil, fmt.Errorf("%s is not looked at", path)
}

// withoutValue lists the package-level variables of f that are declared bare.
func withoutValue(f *ast.File) []*ast.Ident {
	var names []*ast.Ident
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && len(v.Values) == 0 {
				names = append(names, v.Names...)
			}
		}
	}
	return names
}

// syncValues finds sync.Pool, atomic.Int64 and their like in the package-level
// variables of f: they change by method calls, which the other checks don't see.
func syncValues(f *ast.File) []*ast.SelectorExpr {
	var found []*ast.SelectorExpr
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		ast.Inspect(gen, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
					found = append(found, sel)
				}
			}
			return true
		})
	}
	return found
}

// hasIndex reports whether e is an element of something, or a part of one.
func hasIndex(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, ok := n.(*ast.IndexExpr)
		found = found || ok
		return !found
	})
	return found
}

// rootIdent is x of x, x.f, x[i], x[i:j], *x and (x).
func rootIdent(e ast.Expr) *ast.Ident {
	for {
		switch t := e.(type) {
		case *ast.Ident:
			return t
		case *ast.SelectorExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.SliceExpr:
			e = t.X
		case *ast.StarExpr:
			e = t.X
		case *ast.ParenExpr:
			e = t.X
		default:
			return nil
		}
	}
}
