package haproxy

import (
	"path"

	"baton/conf"
	"baton/lb/spec"
)

// stateKeywords are the lines about state files.
var stateKeywords = []keyword[*proxy]{
	{"load-server-state-from-file", back, false, Done, parseLoadState, "where servers go on from: global, local, none (default)"},
	{"server-state-file-name", back, false, Done, parseStateName, "the state file of `local`, default the backend's name"},
}

// stateFile is what a proxy says of its state file.
type stateFile struct {
	from string    // "", global, local, none
	at   conf.Word // where that is said
	name string    // "": the backend's name
}

func parseLoadState(p *proxy, a *args) {
	p.state.at = a.words[0]
	p.state.from = a.oneOf("a source", "global", "local", "none")
}

func parseStateName(p *proxy, a *args) {
	p.state.name = ""
	if a.more() && !a.accept("use-backend-name") {
		w, _ := a.next("")
		p.state.name = w.Text
	}
}

func parseStateBase(l *lowerer, a *args) {
	if w, ok := a.next("a folder"); ok {
		l.stateBase = w.Text
	}
}

func parseStateFile(l *lowerer, a *args) {
	if w, ok := a.next("a file name"); ok {
		l.stateFile = w.Text
	}
}

// loadStates gives servers the states that were saved. A file that is not there is no
// more than a warning: the first start has none.
func (l *lowerer) loadStates(p *proxy) {
	name := p.state.name
	switch {
	case p.broken, p.kind&inBackend == 0, p.state.from == "", p.state.from == "none":
		return
	case p.state.from == "global" && l.stateFile == "":
		l.errs.Warnf(p.state.at.Pos, "write `server-state-file FILE` in the global section", "%s '%s': there is no global state file", p.word, p.name.Text)
		return
	case p.state.from == "global":
		name = l.stateFile
	case name == "":
		name = p.name.Text
	}
	if l.stateBase != "" && !path.IsAbs(name) {
		name = path.Join(l.stateBase, name)
	}
	text, err := l.tree.ReadFile(name)
	if err != nil {
		l.errs.Warnf(p.state.at.Pos, "", "state file '%s' cannot be read: %v", name, err)
		return
	}
	states, errs := spec.ReadServerStates(string(text))
	for _, err := range errs {
		l.errs.Warnf(p.state.at.Pos, "", "state file '%s': %v", name, err)
	}
	for _, s := range states {
		if s.Backend != p.name.Text {
			continue
		}
		for _, server := range p.servers {
			if server.Name == s.Server {
				server.Saved = &s
			}
		}
	}
}
