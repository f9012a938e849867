package haproxy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/pattern"
	"baton/lb/spec"
)

var rewrite = flag.Bool("rewrite", false, "write what the code does into the golden files")

const separator = "----------\n"

// A golden file holds a configuration, a line of ten dashes, and what becomes of
// it: the findings as a user sees them, then the spec unless there were errors.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(data), separator)
			got := outcome(input)
			if *rewrite {
				if err := os.WriteFile(path, []byte(input+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// lower parses and lowers one file named t.cfg.
func lower(input string) (*spec.Config, diag.List) {
	src := conf.Source{
		FS: fstest.MapFS{
			"t.cfg":          {Data: []byte(input)},
			"pages/503.http": {Data: []byte("HTTP/1.0 503 Sorry\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nback soon\n")},
			"pages/404.http": {Data: []byte("HTTP/1.1 404 Gone\nContent-Length: 3\n\nabc")},
			"pages/empty":    {},
			"states/b":       {Data: []byte("1\n3 b 1 s 192.0.2.9 0 8 5 10 4 6 3 1 6 0 0 0 - 80 - 0 0 - - 0\n3 c 1 s 192.0.2.9 2 0 1 1 4 6 3 4 6 0 0\nnonsense\n")},
			"lists/hosts":    {Data: []byte("# ours\nwww.example.com\n\n  api.example.com\n")},
			"lists/nets":     {Data: []byte("10.0.0.0/8\n192.0.2.300\n")},
			"lists/map":      {Data: []byte("www.example.com web 1\n/img static\n")},
			"lists/numbers":  {Data: []byte("10 1\n")},
			"lists/subnets":  {Data: []byte("10.0.0.0/8 192.0.2.1\n")},
			"lists/counts":   {Data: []byte("10.0.0.0/8 5\n")},
			"lists/places":   {Data: []byte("10 192.0.2.1\n")},
			"pages/names":    {Data: []byte("# for old clients\nx-b X-B\n\n  host HOST # and this\n")},
			"pages/garbage":  {Data: []byte("garbage\n\n")},
			"pages/short":    {Data: []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")},
			"pages/chunked":  {Data: []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
			"pages/nohead":   {Data: []byte("HTTP/1.1 200 OK\r\n")},
		},
		Dir: "/",
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"PORT": "8080", "EMPTY": "", "OPTS": "check backup"}[name]
			return v, ok
		},
	}
	tree, errs := conf.Parse(src, []string{"t.cfg"})
	cfg, more := Lower(tree)
	errs = append(errs, more...)
	errs.Sort()
	return cfg, errs
}

func outcome(input string) string {
	cfg, errs := lower(input)
	var b strings.Builder
	if err := errs.Write(&b); err != nil {
		panic(err)
	}
	if errs.Errors() == 0 {
		dump(&b, "", reflect.ValueOf(cfg).Elem())
	}
	return b.String()
}

// dump prints the fields of a struct that are not zero, places and numbers apart.
func dump(b *strings.Builder, indent string, v reflect.Value) {
	for i := range v.NumField() {
		f, val := v.Type().Field(i), v.Field(i)
		if val.IsZero() || f.Type == reflect.TypeFor[diag.Pos]() || f.Type == reflect.TypeFor[spec.ProxyNumber]() {
			continue
		}
		switch {
		case f.Anonymous:
			dump(b, indent, val)
		case val.Kind() == reflect.Slice:
			for j := range val.Len() {
				dumpValue(b, indent, f.Name, val.Index(j))
			}
		default:
			dumpValue(b, indent, f.Name, val)
		}
	}
}

func dumpValue(b *strings.Builder, indent, name string, v reflect.Value) {
	if list, ok := v.Interface().(*pattern.List); ok {
		fmt.Fprintf(b, "%s%s %s\n", indent, name, list.Name)
		return
	}
	if p, ok := v.Interface().(*spec.LogProfile); ok && name == "Profile" { // its contents stand in LogProfiles
		fmt.Fprintf(b, "%s%s %s\n", indent, name, p.Name)
		return
	}
	if _, simple := v.Interface().(fmt.Stringer); !simple && v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case fmt.Stringer:
		fmt.Fprintf(b, "%s%s %s\n", indent, name, x)
	case string:
		fmt.Fprintf(b, "%s%s %q\n", indent, name, x)
	case spec.IntRange:
		fmt.Fprintf(b, "%s%s %d..%d\n", indent, name, x.Lo, x.Hi)
	case []spec.Term:
		fmt.Fprintf(b, "%s%s\n", indent, name)
		for _, t := range x {
			dumpValue(b, indent+"    ", "Term", reflect.ValueOf(t))
		}
	case spec.Test:
		fmt.Fprintf(b, "%s%s %s -m %s\n", indent, name, x.Expr, x.Match)
		x.Expr, x.Match = nil, 0
		dump(b, indent+"    ", reflect.ValueOf(x))
	case spec.Patterns:
		fold, file := "", ""
		if x.FoldCase {
			fold = " -i"
		}
		if x.File != "" {
			file = " -f " + x.File
		}
		fmt.Fprintf(b, "%s%s%s%s %q\n", indent, name, fold, file, x.Words)
	default:
		if v.Kind() == reflect.Struct {
			fmt.Fprintf(b, "%s%s\n", indent, name)
			dump(b, indent+"    ", v)
			return
		}
		fmt.Fprintf(b, "%s%s %v\n", indent, name, x)
	}
}

// The articles' files as their authors wrote them; 000, 002-ops and
// 004-no-failback hold words that are refused, and must point at those alone.
func TestArticles(t *testing.T) {
	refused := map[string]int{
		"000-cookie-allbackups.cfg": 3, // stats x3
		"001-elb.cfg":               0,
		"002-basic.cfg":             0,
		"002-ops.cfg":               12,
		"004-failback.cfg":          0,
		"004-no-failback.cfg":       3, // peers, stick-table, stick
	}
	for name, want := range refused {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "articles", name))
			if err != nil {
				t.Fatal(err)
			}
			_, errs := lower(string(data))
			for _, d := range errs {
				if d.Severity == diag.Error && !strings.Contains(d.Msg, "known, not supported yet") {
					t.Errorf("%v", d)
				}
			}
			if got := errs.Errors(); got != want {
				var b strings.Builder
				errs.Write(&b)
				t.Errorf("%d errors, want %d:\n%s", got, want, b.String())
			}
		})
	}
}

// 001 and 002-basic pass once the words that the issue exempts are gone.
func TestArticlesWithoutCookies(t *testing.T) {
	cookies := regexp.MustCompile(`(?m)^ *cookie .*$| cookie \S+`)
	for _, name := range []string{"001-elb.cfg", "002-basic.cfg"} {
		data, err := os.ReadFile(filepath.Join("testdata", "articles", name))
		if err != nil {
			t.Fatal(err)
		}
		_, errs := lower(cookies.ReplaceAllString(string(data), ""))
		if errs.Errors() > 0 {
			t.Errorf("%s: %v", name, errs)
		}
	}
}
