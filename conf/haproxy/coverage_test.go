package haproxy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"baton/internal/diag"
)

// Every keyword that baton does is used by a golden file, once rightly and once
// wrongly. What fails here names the line to add to a file of testdata; `go test
// ./conf/haproxy -rewrite` then writes what becomes of it.
func TestEveryKeywordHasGoldens(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	var lines []goldenLine
	for _, path := range paths {
		lines = append(lines, goldenLines(t, path)...)
	}
	for _, k := range Keywords() {
		if k.Status != Done {
			continue // TestKeywordStatuses writes each of them
		}
		var right, wrong bool
		use := useOf(k)
		for _, l := range lines {
			at := use(l)
			if at == nil || l.ignored {
				continue
			}
			bad := slices.ContainsFunc(l.errors, func(col int) bool { return col == 0 || at[0] < col && col <= at[1]+1 })
			right, wrong = right || !bad, wrong || bad
		}
		if !right {
			t.Errorf("no golden file uses %s `%s` rightly: %s", k.Table, k.Name, k.Doc)
		}
		if why, ok := neverWrong[k.Table+" "+k.Name]; wrong == ok {
			if ok {
				t.Errorf("a golden file has %s `%s` wrong: take it off the list of what is never wrong (%s)", k.Table, k.Name, why)
			} else {
				t.Errorf("no golden file has a mistake in %s `%s`", k.Table, k.Name)
			}
		}
	}
}

// neverWrong are keywords of which nothing can be wrong.
var neverWrong = map[string]string{
	"global resetenv": "any words are names of variables",
}

// goldenLine is a line of a golden file's configuration.
type goldenLine struct {
	section string // the word that began its section
	text    string
	errors  []int // columns, from 1, of the mistakes found in it
	ignored bool  // nobody has read more than its first words
}

func goldenLines(t *testing.T, path string) []goldenLine {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	input, _, _ := strings.Cut(string(data), separator)
	_, errs := lower(input)
	var lines []goldenLine
	section := ""
	for n, text := range strings.Split(input, "\n") {
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if slices.ContainsFunc(sections, func(s sectionKeyword) bool { return s.name == words[0] }) {
			section = words[0]
		}
		l := goldenLine{section: section, text: text}
		for _, d := range errs {
			if d.Pos.Line != n+1 {
				continue
			}
			if d.Severity == diag.Error {
				l.errors = append(l.errors, d.Pos.Col)
			}
			l.ignored = l.ignored || strings.Contains(d.Msg, "' ignored because ")
		}
		lines = append(lines, l)
	}
	return lines
}

// useOf returns how to find a keyword in a line: where it begins, and where what
// belongs to it ends.
func useOf(k Keyword) func(goldenLine) []int {
	name := strings.ReplaceAll(regexp.QuoteMeta(k.Name), " ", `\s+`)
	// A whole word, and the next two words with it.
	option := regexp.MustCompile(`(?:^|[ \t])` + name + `(?:[ \t(][^ \t]*)?(?:$|[ \t]+[^ \t]*)(?:[ \t]+[^ \t]*)?`)
	within := func(sections []string, lead string, pattern *regexp.Regexp) func(goldenLine) []int {
		head := regexp.MustCompile(`^\s*` + lead)
		return func(l goldenLine) []int {
			if len(sections) > 0 && !slices.Contains(sections, l.section) || !head.MatchString(l.text) {
				return nil
			}
			return pattern.FindStringIndex(l.text)
		}
	}
	line := func(lead string) *regexp.Regexp { return regexp.MustCompile(`^\s*` + lead + name + `(?:$|[ \t(].*)`) }
	proxies := []string{"defaults", "frontend", "backend", "listen"}
	switch k.Table {
	case "section":
		return within(nil, "", line(""))
	case "global", "resolvers", "http-errors", "userlist", "log-profile", "ring":
		return within([]string{k.Table}, "", line(`(?:no\s+)?`))
	case "proxy":
		return within(proxies, "", line(`(?:no\s+)?`))
	case "bind":
		return within(proxies, "bind ", option)
	case "server":
		return within([]string{"defaults", "backend", "listen"}, "(?:default-)?server(?:-template)? ", option)
	case "cookie":
		return within(proxies, "cookie ", option)
	case "ring server":
		return within([]string{"ring"}, "server ", option)
	case "fetch":
		return within(nil, "", regexp.MustCompile(`(?:^|[ \t\[,("-])`+name+`(?:$|[^\w.-].*)`))
	case "log-format":
		return within(nil, "", regexp.MustCompile(`%(?:\(\w*\))?(?:\{[^}]*\})?`+name[1:]+`(?:$|[^A-Za-z0-9])`))
	case ".if":
		return within(nil, "\\.(?:el)?if ", regexp.MustCompile(`\b`+name+`(?:$|\W.*)`))
	case "converter":
		return within(nil, "", regexp.MustCompile(`,`+name+`(?:$|[^\w.-].*)`))
	}
	if strings.HasSuffix(k.Table, " expect") {
		return within(nil, strings.ReplaceAll(k.Table, " ", `\s+`), option)
	}
	return within(nil, "", line(strings.ReplaceAll(k.Table, " ", `\s+`)+`\s+`))
}
