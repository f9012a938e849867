package daemon

import (
	"io"
	"os"
	"regexp"
	"strings"

	"baton/checkscript"
	"baton/checkscript/runner"
	"baton/conf/keepalived"
	"baton/internal/diag"
)

// checkScripts finds the programs of the scripts, and then looks closer at those
// that are there.
func checkScripts(cfg *Config) diag.List {
	c := cfg.VRRP
	errs := keepalived.CheckScripts(c, runner.Exists)
	for _, p := range c.Probes {
		if p.Kind != checkscript.Script || len(p.Argv) == 0 || runner.Exists(p.Argv[0]) != nil {
			continue
		}
		if err := runner.Validate(p, c.ScriptSecurity); err != nil {
			errs.Errorf(p.CommandPos, "", "vrrp_script %s: %v", p.Name, err)
			continue
		}
		if cfg.Balancer == nil {
			continue
		}
		if line := asksForHAProxy(p.Argv); line != "" {
			errs.Warnf(p.CommandPos, "ask baton itself: `script \"pidof haproxy\"`, a track_backend or a track_traffic",
				"vrrp_script %s looks for HAProxy, but it is baton that balances here: %s", p.Name, line)
		}
	}
	for _, cmd := range c.Notify.Commands() {
		if len(cmd.Argv) == 0 || runner.Exists(cmd.Argv[0]) != nil {
			continue
		}
		if err := runner.ValidateCommand(*cmd, c.ScriptSecurity); err != nil {
			errs.Errorf(cmd.Pos, "", "%s: %v", cmd.Keyword, err)
		}
	}
	for _, f := range c.Notify.FIFOs {
		if _, _, err := runner.Owner(f.User, f.Group); err != nil {
			errs.Errorf(f.Pos, "", "%s: %v", f.Keyword, err)
		}
	}
	return errs
}

// useRealScripts undoes the short cut of `killall -0 haproxy` where this process
// balances nothing: the files are a keepalived's beside a real HAProxy then, and
// the command must look for that one.
func useRealScripts(cfg *Config) {
	if cfg.Balancer != nil {
		return
	}
	for i := range cfg.VRRP.Probes {
		if p := &cfg.VRRP.Probes[i]; p.Kind == checkscript.Self && len(p.Argv) > 0 {
			p.Kind = checkscript.Script
		}
	}
}

// maxScript bounds what is read of a script. Programs are larger, and say nothing.
const maxScript = 64 << 10

// asksForHAProxy returns the command by which a script looks for a process, a
// service or a pid file of HAProxy, or "". Where one process does both jobs such a
// check fails for ever, which is found out at a bad time.
func asksForHAProxy(argv []string) string {
	asks := regexp.MustCompile(`\b(killall|pidof|pgrep|ps|kill|systemctl|service|rc-service)\b.*\bhaproxy\b`)
	if line := strings.Join(argv, " "); asks.MatchString(line) {
		return line
	}
	f, err := os.Open(argv[0])
	if err != nil {
		return "" // it can be run all the same
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScript))
	if err != nil || !strings.HasPrefix(string(text), "#!") {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && asks.MatchString(line) {
			return line
		}
	}
	return ""
}
