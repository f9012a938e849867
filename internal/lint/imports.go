package lint

import (
	"fmt"
	"go/ast"
	"slices"
)

// A layer says which packages of this module a part of the tree may import,
// beside the leaves and what is under the same root.
type layer struct {
	root string   // the folder and all below it
	may  []string // roots; "..." at the end of a root means all below it as well
	why  string
}

const (
	noSideways = "the domains do not know each other; internal/daemon alone joins them"
	leafOnly   = "a leaf imports leaves only"
	confWhy    = "conf makes specs and configurations with the pure languages of the balancer; it knows no runtime"
)

// leaves may be imported from everywhere, but they import only each other.
var leaves = []string{"internal/mono", "internal/diag", "internal/wheel", "internal/sys"}

// layers is DESIGN's table of directions; the longest root that holds a package
// applies. A package that no row holds is a problem: a new folder at the top is
// a decision.
var layers = []layer{
	{"vrrp", nil, noSideways},
	{"vip", nil, noSideways},
	{"pair", nil, noSideways},
	{"checkscript", nil, noSideways},
	{"lb", nil, noSideways},
	{"conf", nil, confWhy},
	{"conf/haproxy", []string{"conf", "lb/spec", "lb/logfmt", "lb/http1", "lb/sample", "lb/pattern", "lb/userlist", "lb/uri"}, confWhy},
	{"conf/keepalived", []string{"conf", "vrrp", "vrrp/packet", "vip", "checkscript"}, confWhy},
	{"internal/mono", nil, leafOnly},
	{"internal/diag", nil, leafOnly},
	{"internal/wheel", nil, leafOnly},
	{"internal/sys", nil, leafOnly},
	{"internal/nettest", nil, leafOnly},
	{"internal/lint", nil, leafOnly},
	{"internal/testreport", nil, leafOnly},
	{"internal", []string{"vrrp...", "vip...", "pair...", "checkscript...", "lb...", "conf...", "internal..."}, "nothing imports cmd"},
	{"cmd", []string{"vrrp...", "vip...", "pair...", "checkscript...", "lb...", "conf...", "internal..."}, ""},
	{"test", []string{"vrrp...", "vip...", "pair...", "checkscript...", "lb...", "conf...", "internal..."}, ""},
	{"bench", []string{"vrrp...", "vip...", "pair...", "checkscript...", "lb...", "conf...", "internal..."}, ""},
}

// onlyFrom lists packages that a single part of the tree may import.
var onlyFrom = []struct{ dir, from, why string }{
	{"internal/daemon", "cmd", "the composition root is on top"},
	{"lb", "internal/daemon", "the balancer's assembly stands above its parts"},
}

// importDirections: nothing points up, nothing sideways between the domains.
// Tests may import what they like.
func importDirections(m *Module) []Problem {
	var problems []Problem
	for _, pkg := range m.Packages {
		l, ok := layerOf(pkg.Dir)
		if !ok {
			problems = append(problems, Problem{pkg.Dir, 0, "no layer holds this package: add a row to internal/lint"})
			continue
		}
		for _, file := range pkg.Files {
			if file.Test {
				continue
			}
			file.imports(func(spec *ast.ImportSpec, path string) {
				dir, ok := ours(path)
				if !ok {
					return
				}
				if why, ok := forbidden(pkg.Dir, dir, l); ok {
					problems = append(problems, Problem{
						file.Path, m.line(spec.Pos()),
						fmt.Sprintf("%s must not import %s: %s", pkg.Dir, dir, why),
					})
				}
			})
		}
	}
	return problems
}

func layerOf(dir string) (layer, bool) {
	var best layer
	for _, l := range layers {
		if under(dir, l.root) && len(l.root) > len(best.root) {
			best = l
		}
	}
	return best, best.root != ""
}

func forbidden(from, dir string, l layer) (why string, ok bool) {
	for _, o := range onlyFrom {
		if dir == o.dir && !under(from, o.from) {
			return o.why, true
		}
	}
	if under(dir, l.root) {
		return "", false
	}
	if slices.Contains(leaves, dir) {
		return "", false
	}
	for _, may := range l.may {
		if root, all := cutDots(may); dir == root || all && under(dir, root) {
			return "", false
		}
	}
	return l.why, true
}

func cutDots(root string) (string, bool) {
	if n := len(root) - len("..."); n > 0 && root[n:] == "..." {
		return root[:n], true
	}
	return root, false
}

// onlySysCalls: golang.org/x/sys/unix has one home, tests included, so that a
// reader finds every system call in one folder.
func onlySysCalls(m *Module) []Problem {
	var problems []Problem
	for _, pkg := range m.Packages {
		if under(pkg.Dir, "internal/sys") {
			continue
		}
		for _, file := range pkg.Files {
			file.imports(func(spec *ast.ImportSpec, path string) {
				if path == "golang.org/x/sys/unix" {
					problems = append(problems, Problem{file.Path, m.line(spec.Pos()), "golang.org/x/sys/unix belongs into internal/sys"})
				}
			})
		}
	}
	return problems
}
