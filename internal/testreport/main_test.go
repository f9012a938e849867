package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const events = `
{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"noise\n"}
{"Action":"pass","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestSkipped","Output":"=== RUN   TestSkipped\n"}
{"Action":"output","Package":"a","Test":"TestSkipped","Output":"    a_test.go:7: needs root\n"}
{"Action":"skip","Package":"a","Test":"TestSkipped"}
{"Action":"pass","Package":"a","Elapsed":1.5}
{"Action":"skip","Package":"notests"}
`

const failure = `
{"Action":"output","Package":"b","Test":"TestBad","Output":"    b_test.go:3: 1 is not 2\n"}
{"Action":"fail","Package":"b","Test":"TestBad"}
{"Action":"fail","Package":"b","Elapsed":0.25}
`

func TestRun(t *testing.T) {
	skips := filepath.Join(t.TempDir(), "skips")
	var out strings.Builder
	if err := run(strings.NewReader(strings.TrimSpace(events)), &out, skips); err != nil {
		t.Fatal(err)
	}
	want := "   ok    a                                   1.5 s\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	got, err := os.ReadFile(skips)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("   a TestSkipped: needs root\n", string(got)); diff != "" {
		t.Errorf("skips (-want +got):\n%s", diff)
	}
}

func TestRunFails(t *testing.T) {
	for name, c := range map[string]struct{ in, out string }{
		"a failed test shows its output": {failure, "1 is not 2"},
		"no input is not success":        {"", ""},
		"a package that does not build":  {`{"ImportPath":"c","Action":"build-output","Output":"syntax error\n"}` + "\n" + `{"ImportPath":"c","Action":"build-fail"}`, "syntax error"},
		"words of the go command":        {"go: no such tool\n", "no such tool"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := run(strings.NewReader(c.in), &out, ""); err == nil {
				t.Error("no error")
			}
			if !strings.Contains(out.String(), c.out) {
				t.Errorf("%q is not in the output:\n%s", c.out, &out)
			}
		})
	}
}
