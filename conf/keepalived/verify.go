package keepalived

import (
	"maps"
	"path"
	"slices"
	"strings"

	"baton/checkscript"
	"baton/internal/diag"
)

// Link checks the names that point into the balancer's configuration.
func Link(c *Config, backends, frontends map[string]bool) diag.List {
	var errs diag.List
	check := func(p *checkscript.Probe, keyword, kind, name string, known map[string]bool) {
		if known[name] {
			return
		}
		hint := ""
		if near := diag.Nearest(name, slices.Sorted(maps.Keys(known))); near != "" {
			hint = "did you mean `" + near + "`?"
		}
		errs.Errorf(p.Pos, hint, "%s: there is no %s %s", keyword, kind, name)
	}
	for i := range c.Probes {
		switch p := &c.Probes[i]; p.Kind {
		case checkscript.Backend:
			check(p, "track_backend", "backend", p.Backend, backends)
		case checkscript.Traffic:
			check(p, "track_traffic", "frontend", p.Frontend, frontends)
		}
	}
	return errs
}

// searchPath is where a script without a slash is looked for. It is fixed, so
// that a check from a shell and a start by systemd find the same program.
func searchPath() []string {
	return []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
}

// CheckScripts finds each script's program: a script that cannot run is an error,
// because an instance without it would be unguarded, or nobody told. A name without
// a slash is searched for and becomes an absolute path in c. lookup reports why a
// path cannot be executed, or nil.
func CheckScripts(c *Config, lookup func(path string) error) diag.List {
	var errs diag.List
	for i := range c.Probes {
		if p := &c.Probes[i]; p.Kind == checkscript.Script {
			findProgram(&errs, "vrrp_script "+p.Name, p.Argv, p.CommandPos, lookup)
		}
	}
	for _, cmd := range c.Notify.Commands() {
		findProgram(&errs, cmd.Keyword, cmd.Argv, cmd.Pos, lookup)
	}
	return errs
}

func findProgram(errs *diag.List, whose string, argv []string, pos diag.Pos, lookup func(path string) error) {
	if len(argv) == 0 {
		return
	}
	program := argv[0]
	switch {
	case path.IsAbs(program):
		if err := lookup(program); err != nil {
			errs.Errorf(pos, "", "%s cannot run %s: %v", whose, program, err)
		}
	case strings.Contains(program, "/"):
		errs.Errorf(pos, "write the whole path", "%s: %s is a relative path", whose, program)
	default:
		found := slices.IndexFunc(searchPath(), func(dir string) bool { return lookup(path.Join(dir, program)) == nil })
		if found < 0 {
			errs.Errorf(pos, "it was looked for in "+strings.Join(searchPath(), ", "), "%s: there is no program %s", whose, program)
			return
		}
		argv[0] = path.Join(searchPath()[found], program)
	}
}
