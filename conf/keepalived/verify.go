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
// because an instance without it would be unguarded. A name without a slash is
// searched for and becomes an absolute path in c. lookup reports why a path
// cannot be executed, or nil.
func CheckScripts(c *Config, lookup func(path string) error) diag.List {
	var errs diag.List
	for i := range c.Probes {
		p := &c.Probes[i]
		if p.Kind != checkscript.Script || len(p.Argv) == 0 {
			continue
		}
		program := p.Argv[0]
		switch {
		case path.IsAbs(program):
			if err := lookup(program); err != nil {
				errs.Errorf(p.CommandPos, "", "vrrp_script %s cannot run %s: %v", p.Name, program, err)
			}
		case strings.Contains(program, "/"):
			errs.Errorf(p.CommandPos, "write the whole path", "vrrp_script %s: %s is a relative path", p.Name, program)
		default:
			found := slices.IndexFunc(searchPath(), func(dir string) bool { return lookup(path.Join(dir, program)) == nil })
			if found < 0 {
				errs.Errorf(p.CommandPos, "it was looked for in "+strings.Join(searchPath(), ", "), "vrrp_script %s: there is no program %s", p.Name, program)
				continue
			}
			p.Argv[0] = path.Join(searchPath()[found], program)
		}
	}
	return errs
}
