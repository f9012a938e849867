package haproxy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"baton/internal/diag"
	"baton/lb/sample"
	"baton/lb/spec"
)

// FuzzLower reads arbitrary text as a configuration. Whatever it is, every
// finding has a place in it, and a configuration without errors keeps what lb
// relies on: references lead somewhere and values are in range.
func FuzzLower(f *testing.F) {
	for _, pattern := range []string{"testdata/*.txt", "testdata/articles/*.cfg"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			input, _, _ := strings.Cut(string(data), separator)
			f.Add(input)
		}
	}
	f.Fuzz(func(t *testing.T, input string) {
		cfg, errs := lower(input)
		checkFindings(t, errs)
		if errs.Errors() == 0 {
			checkConfig(t, cfg)
		}
	})
}

func checkFindings(t *testing.T, errs diag.List) {
	for _, d := range errs {
		if d.Pos.File != "t.cfg" || d.Msg == "" || d.Pos.Line < 0 {
			t.Errorf("a finding without a place or a message: %#v", d)
		}
		if d.Pos.Line > 0 && d.Pos.Col > len(d.Source)+1 {
			t.Errorf("the caret stands behind the line: %#v", d)
		}
	}
}

func checkConfig(t *testing.T, cfg *spec.Config) {
	backends := make(map[string]bool)
	for _, b := range cfg.Backends {
		if b.Name == "" || backends[b.Name] {
			t.Errorf("backend name %q", b.Name)
		}
		backends[b.Name] = true
	}
	for _, f := range cfg.Frontends {
		if f.DefaultBackend != "" && !backends[f.DefaultBackend] {
			t.Errorf("frontend %s: default_backend %q", f.Name, f.DefaultBackend)
		}
		for _, u := range f.UseBackends {
			if !backends[u.Backend] {
				t.Errorf("frontend %s: use_backend %q", f.Name, u.Backend)
			}
			checkCond(t, backends, u.Cond)
		}
		for i := range f.MonitorFail {
			checkCond(t, backends, &f.MonitorFail[i])
		}
		for _, b := range f.Binds {
			if b.Kind == spec.BindIP && (!b.Addr.IsValid() || b.Addr.Port() == 0) {
				t.Errorf("frontend %s: bind %v", f.Name, b)
			}
		}
		checkCommon(t, backends, &f.Common)
	}
	for _, b := range cfg.Backends {
		names := make(map[string]bool)
		for _, s := range b.Servers {
			if s.Name == "" || names[s.Name] || s.Host == "" || s.Weight < 0 || s.Weight > 256 || s.Maxconn < 0 || s.Maxqueue < 0 {
				t.Errorf("backend %s: server %+v", b.Name, s)
			}
			names[s.Name] = true
			if c := s.Check; c != nil && (c.Inter <= 0 || c.FastInter <= 0 || c.DownInter <= 0 || c.Rise < 1 || c.Fall < 1 || c.Port == 0 && s.Port == 0 && s.Naming == nil && s.Socket == "" && !plansPort(b.Checks)) {
				t.Errorf("backend %s: server %s: check %+v", b.Name, s.Name, c)
			}
		}
		checkCommon(t, backends, &b.Common)
	}
}

func checkCommon(t *testing.T, backends map[string]bool, c *spec.Common) {
	timeouts := c.Timeouts
	for _, d := range []int64{int64(timeouts.Client), int64(timeouts.Connect), int64(timeouts.Server), int64(timeouts.Queue)} {
		if d < 0 || d > int64(maxTime) {
			t.Errorf("%s: timeout %d", c.Name, d)
		}
	}
	switches := slices.ContainsFunc(c.TCPContent, func(r spec.HTTPRule) bool { return r.Action == spec.ActionSwitchMode })
	for _, rules := range [][]spec.HTTPRule{c.HTTPReq, c.HTTPRes, c.Redirects} {
		for _, r := range rules {
			if c.Mode != spec.HTTP && !switches {
				t.Errorf("%s: HTTP rules in mode tcp", c.Name)
			}
			if strings.ContainsAny(r.Name+r.Value+r.Target, "\r\n\x00") {
				t.Errorf("%s: a rule could split a header: %+v", c.Name, r)
			}
			checkCond(t, backends, r.Cond)
		}
	}
	for _, l := range c.Logs {
		if l.Len < 80 || l.Facility < 0 || l.Facility > 23 || l.Level < 0 || l.Level > 7 || l.MinLevel < 0 || l.MinLevel > 7 {
			t.Errorf("%s: log %+v", c.Name, l)
		}
	}
}

func checkCond(t *testing.T, backends map[string]bool, c *spec.Cond) {
	if c == nil {
		return
	}
	for _, terms := range c.Or {
		if len(terms) == 0 {
			t.Error("an empty alternative in a condition")
		}
		for _, term := range terms {
			if len(term.Any) == 0 {
				t.Error("a term without tests")
			}
			for _, test := range term.Any {
				for _, r := range test.Expr.Refs() {
					if r.Kind == sample.RefBackend && !backends[r.Name] {
						t.Errorf("%s(%s)", test.Expr.Fetch(), r.Name)
					}
				}
			}
		}
	}
}
