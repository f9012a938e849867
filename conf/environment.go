package conf

import (
	"slices"
	"strings"
)

// environment is what "$NAME" sees: the process's variables, under those that
// HAProxy predefines, under what the lines of global sections did so far.
type environment struct {
	base func(string) (string, bool)
	set  map[string]*string // nil: unset
	// reset hides what base knows; what a resetenv line keeps is in set.
	reset bool
}

func newEnvironment(base func(string) (string, bool)) *environment {
	return &environment{base: base, set: make(map[string]*string)}
}

func (e *environment) lookup(name string) (string, bool) {
	if v, ok := e.set[name]; ok {
		if v == nil {
			return "", false
		}
		return *v, true
	}
	if e.reset {
		return "", false
	}
	return e.base(name)
}

func (e *environment) setenv(name, value string) { e.set[name] = &value }

// keep forgets every variable but those named.
func (e *environment) keep(names []string) {
	kept := make(map[string]*string)
	for _, n := range names {
		if v, ok := e.lookup(n); ok {
			kept[n] = &v
		}
	}
	e.set, e.reset = kept, true
}

// predefine sets the variables of chapter 2.3 that every file may use, and those
// that the caller knows (Source.Predefined).
func (r *reader) predefine(names []string) {
	r.env.setenv("HAPROXY_BRANCH", haproxyBranch)
	r.env.setenv("HAPROXY_STARTUP_VERSION", HAProxyVersion)
	r.env.setenv("HAPROXY_CFGFILES", strings.Join(names, ";"))
	r.env.setenv("HAPROXY_TCP_LOG_FMT", "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq")
	r.env.setenv("HAPROXY_HTTP_LOG_FMT", "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r")
	r.env.setenv("HAPROXY_HTTP_CLF_LOG_FMT", `%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl`)
	r.env.setenv("HAPROXY_HTTPS_LOG_FMT", "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r "+
		"%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc")
	for name, value := range r.src.Predefined {
		r.env.setenv(name, value)
	}
}

// lookup is what the lexer asks for a variable. Pseudo-variables of the line are
// the lexer's own; the section is known here.
func (r *reader) lookup(name string) (string, bool) {
	switch {
	case name != ".SECTION":
		return r.env.lookup(name)
	case r.section == nil:
		return "", true
	case len(r.section.Args) > 0:
		return r.section.Args[0].Text, true
	}
	return r.section.Keyword.Text, true
}

// environmentLine does what a line of a global section does to the variables of
// the lines that follow. conf/haproxy complains about one that is not right.
func (r *reader) environmentLine(words []Word) {
	if r.section.Keyword.Text != "global" {
		return
	}
	args := make([]string, 0, len(words)-1)
	for _, w := range words[1:] {
		args = append(args, w.Text)
	}
	switch words[0].Text {
	case "setenv", "presetenv":
		if len(args) < 2 || !ValidVariable(args[0]) {
			return
		}
		if _, known := r.env.lookup(args[0]); words[0].Text == "setenv" || !known {
			r.env.setenv(args[0], args[1])
		}
	case "unsetenv":
		for _, n := range args {
			r.env.set[n] = nil
		}
	case "resetenv":
		r.env.keep(slices.Clip(args))
	case "localpeer":
		if len(args) == 1 {
			r.env.setenv("HAPROXY_LOCALPEER", args[0])
		}
	}
}

// ValidVariable tells whether a variable can have this name (setenv(3)).
func ValidVariable(name string) bool { return name != "" && !strings.Contains(name, "=") }
