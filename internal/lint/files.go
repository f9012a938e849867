package lint

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

const (
	maxLines   = 700 // a file that a reader still oversees; 400 is the aim
	maxDirect  = 16  // direct requirements of what users run
	lintFolder = "internal/lint/"
)

// testModules are required by tests only, so the budget does not count them.
var testModules = []string{
	"github.com/cockroachdb/datadriven",
	"github.com/google/go-cmp",
	"github.com/rogpeppe/go-internal",
	"github.com/vishvananda/netns",
	"go.uber.org/goleak",
}

// packageDocs: each package says what it is.
func packageDocs(m *Module) []Problem {
	var problems []Problem
	for _, pkg := range m.Packages {
		documented, code := false, false
		for _, file := range pkg.Files {
			documented = documented || file.Syntax.Doc != nil
			code = code || !file.Test
		}
		if code && !documented {
			problems = append(problems, Problem{pkg.Dir, 0, "no package comment"})
		}
	}
	return problems
}

// noInit: nothing registers itself; tables are literals and main wires.
func noInit(m *Module) []Problem {
	var problems []Problem
	for _, pkg := range m.Packages {
		for _, file := range pkg.Files {
			for _, decl := range file.Syntax.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if ok && f.Recv == nil && f.Name.Name == "init" {
					problems = append(problems, Problem{file.Path, m.line(f.Pos()), "func init: wire it where it is used"})
				}
			}
		}
	}
	return problems
}

// fileLength: no Go file over maxLines lines.
func fileLength(m *Module) []Problem {
	var problems []Problem
	for _, pkg := range m.Packages {
		for _, file := range pkg.Files {
			if file.Lines > maxLines {
				problems = append(problems, Problem{file.Path, 0, fmt.Sprintf("%d lines; split it above %d", file.Lines, maxLines)})
			}
		}
	}
	return problems
}

var (
	directiveLine = regexp.MustCompile(`^(require|replace|exclude)\b`)
	requireLine   = regexp.MustCompile(`^(?:require\s+)?([^\s/]+\.[^\s]+/\S+|[^\s/]+\.[^\s/]+)\s+v\S+(\s*// indirect)?$`)
)

// goMod: few direct requirements, no replace.
func goMod(m *Module) []Problem {
	var problems []Problem
	var direct []string
	block := ""
	for i, line := range strings.Split(string(m.Text["go.mod"]), "\n") {
		line = strings.TrimSpace(line)
		if d := directiveLine.FindString(line); d != "" {
			block = d
		}
		if block == "replace" && line != "" && line != ")" && !strings.HasSuffix(line, "(") {
			problems = append(problems, Problem{"go.mod", i + 1, "replace: users who build baton get another module than the one named"})
		}
		if match := requireLine.FindStringSubmatch(line); block == "require" && match != nil && match[2] == "" {
			if !slices.Contains(testModules, match[1]) {
				direct = append(direct, match[1])
			}
		}
		if line == ")" || !strings.HasSuffix(line, "(") && directiveLine.MatchString(line) {
			block = ""
		}
	}
	if len(direct) > maxDirect {
		problems = append(problems, Problem{"go.mod", 0, fmt.Sprintf("%d direct requirements beside those of tests, of %d that are allowed", len(direct), maxDirect)})
	}
	return problems
}

// foreignWords match what belongs to the machine a file was written on. They are
// put together from pieces so that this file does not match itself.
func foreignWords(root string) *regexp.Regexp {
	words := []string{
		`(?:^|[^\w./-])/wor` + `k/`,
		`/tmp/br` + `ief`,
		`/tmp/bash_` + `jobs`,
		`issues sh` + `ow \d`,
		`/root/\.ca` + `che`,
	}
	if strings.Count(root, "/") > 1 { // the checkout itself, when its path is a telling one
		words = append(words, regexp.QuoteMeta(root)+`\b`)
	}
	return regexp.MustCompile(strings.Join(words, "|"))
}

// noForeignPaths: no file names the place of the checkout at root (an absolute
// path) or other things of the machine it was written on.
func noForeignPaths(root string) func(*Module) []Problem {
	return func(m *Module) []Problem {
		words := foreignWords(root)
		var problems []Problem
		for name, text := range m.Text {
			if strings.HasPrefix(name, lintFolder) {
				continue
			}
			for i, line := range strings.Split(string(text), "\n") {
				if word := words.FindString(line); word != "" {
					problems = append(problems, Problem{name, i + 1, fmt.Sprintf("names %q, which is one machine's own", strings.TrimSpace(word))})
				}
			}
		}
		slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
		return problems
	}
}
