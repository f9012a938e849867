package haproxy

import (
	"cmp"
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/spec"
)

// Lower turns the HAProxy sections of a tree into the balancer's configuration.
// All mistakes of all lines are reported. The Config is complete as far as it
// could be read (other grammars' references may be checked against it), but it
// may only be run when the list holds no error.
func Lower(t *conf.Tree) (*spec.Config, diag.List) {
	l := &lowerer{cfg: &spec.Config{}, tree: t, maps: make(map[string]bool)}
	for _, s := range t.Sections {
		l.section(s)
	}
	l.finish()
	l.errs.Attach(t.Line)
	l.errs.Sort()
	return l.cfg, l.errs
}

// lowerer holds what outlives a section.
type lowerer struct {
	cfg  *spec.Config
	tree *conf.Tree
	errs diag.List

	defaults []*proxy // in order; proxies inherit from the latest or a named one
	proxies  []*proxy // frontends, backends and listens in order
	refs     []exprRef
	maps     map[string]bool // by the name of a list: it is a map
	listRefs []*listRef      // lists that rules changed before a map or an ACL named them
	unixBind unixBind
	file     string // of the line being read
	defaultPath
	chroot string // "": none
	// experimental says that expose-experimental-directives came before.
	experimental bool
	resolverRefs []resolverRef
	logTag       string // global

	stateBase, stateFile string // global: server-state-base, server-state-file

	errorGroups []*httpErrors
	userlists   []*userlistSection // those named and those there
	groupRefs   []groupRef

	logs        []logLine     // global
	logProfiles []*logProfile // those named and those there
	rings       []*ring       // the same
}

// sectionKeyword is a word that starts a section.
type sectionKeyword struct {
	name   string
	status Status
	doc    string
}

var sections = []sectionKeyword{
	{"global", Done, "settings of the whole process"},
	{"defaults", Done, "presets for the proxies that follow"},
	{"frontend", Done, "accepts connections"},
	{"backend", Done, "owns servers"},
	{"listen", Done, "a frontend and a backend in one"},
	{"acme", Refused, "certificates from an ACME server"},
	{"cache", Refused, "HTTP cache"},
	{"crt-store", Refused, "named certificates"},
	{"fcgi-app", Refused, "FastCGI applications"},
	{"http-errors", Done, "groups of error files"},
	{"log-forward", Refused, "syslog forwarding; run a syslog daemon for it"},
	{"log-profile", Done, "how lines are made for the targets that name it"},
	{"mailers", Refused, "mail alerts"},
	{"peers", Refused, "stick-table replication"},
	{"program", Refused, "programs run beside the balancer; use a systemd unit"},
	{"resolvers", Done, "name servers for names followed at run time"},
	{"ring", Done, "buffers of log lines before a syslog server over TCP"},
	{"traces", Refused, "debugging traces"},
	{"userlist", Done, "users and passwords for http_auth"},
}

func (l *lowerer) section(s *conf.Section) {
	i := slices.IndexFunc(sections, func(k sectionKeyword) bool { return k.name == s.Keyword.Text })
	switch {
	case i < 0:
		var names []string
		for _, k := range sections {
			names = append(names, k.name)
		}
		l.errs.Errorf(s.Keyword.Pos, didYouMean(s.Keyword.Text, names), "unknown section '%s'", s.Keyword.Text)
	case sections[i].status == Refused:
		l.errs.Errorf(s.Keyword.Pos, sections[i].doc, "section '%s' is known, not supported yet", s.Keyword.Text)
	case s.Keyword.Text == "global":
		l.global(s)
	case s.Keyword.Text == "resolvers":
		l.resolvers(s)
	case s.Keyword.Text == "userlist":
		l.userlist(s)
	case s.Keyword.Text == "http-errors":
		l.httpErrors(s)
	case s.Keyword.Text == "log-profile":
		l.logProfileSection(s)
	case s.Keyword.Text == "ring":
		l.ringSection(s)
	default:
		l.proxy(s)
	}
}

// lines applies every line of a section to target.
func lines[T any](l *lowerer, s *conf.Section, table []keyword[T], target T, fits func(*keyword[T], *args) bool) {
	for _, line := range s.Lines {
		if len(line.Words) == 0 || hasEmpty(&l.errs, line.Words) {
			continue
		}
		l.file = line.Words[0].Pos.File
		// `default option x` is `no option x`: all options are off by default.
		a := &args{words: line.Words, no: line.No || line.Default, errs: &l.errs}
		k, n := find(table, a.words)
		if k == nil {
			where := "section '" + s.Keyword.Text + "'"
			unknown(&l.errs, table, a.words, where, func(k *keyword[T]) bool { return k.in == 0 || k.in&kindOf(s) != 0 })
			continue
		}
		a.i = n
		if !fits(k, a) {
			continue
		}
		k.run(target, a)
		a.end()
	}
}

// hasEmpty refuses empty words: HAProxy takes one for the end of the line and
// ignores the rest without a word, which an unset variable makes happen.
func hasEmpty(errs *diag.List, words []conf.Word) bool {
	for _, w := range words {
		if w.Text == "" {
			errs.Errorf(w.Pos, "is an environment variable unset?", "empty argument")
			return true
		}
	}
	return false
}

func kindOf(s *conf.Section) section {
	switch s.Keyword.Text {
	case "defaults":
		return inDefaults
	case "frontend":
		return inFrontend
	case "backend":
		return inBackend
	case "listen":
		return inFrontend | inBackend
	}
	return 0
}

// proxy reads a defaults, frontend, backend or listen section.
func (l *lowerer) proxy(s *conf.Section) {
	p := &proxy{l: l, kind: kindOf(s), word: s.Keyword.Text, pos: s.Keyword.Pos, settings: builtin(), serverNames: make(map[string]diag.Pos)}
	before := l.errs.Errors()
	l.header(p, s)
	if p.kind == inDefaults {
		l.defaults = append(l.defaults, p)
	} else {
		l.duplicate(p)
		l.proxies = append(l.proxies, p)
	}
	lines(l, s, proxyKeywords(), p, func(k *keyword[*proxy], a *args) bool { return p.admits(k, a) })
	p.resolveConds()
	p.broken = l.errs.Errors() > before
}

// header reads `frontend NAME [from DEFAULTS]` and copies the presets.
func (l *lowerer) header(p *proxy, s *conf.Section) {
	words := s.Args
	if hasEmpty(&l.errs, words) {
		words = nil
	} else if len(words) > 0 && !(words[0].Text == "from" && p.kind == inDefaults) {
		p.name, words = words[0], words[1:]
	}
	if p.name.Text == "" && p.kind != inDefaults {
		l.errs.Errorf(s.Keyword.Pos, "", "'%s' expects a name", s.Keyword.Text)
	}
	if bad := badNameByte(p.name.Text); bad != "" {
		l.errs.Errorf(p.name.Pos, "letters, digits and - _ . : are allowed",
			"character '%s' is not permitted in %s name '%s'", bad, s.Keyword.Text, p.name.Text)
	}

	switch {
	case len(words) == 0:
		if p.kind != inDefaults && len(l.defaults) > 0 {
			p.inherit(l.defaults[len(l.defaults)-1])
		}
	case words[0].Text != "from":
		hint := ""
		if p.kind&inFrontend != 0 {
			hint = "listening addresses go to `bind` lines"
		}
		l.errs.Errorf(words[0].Pos, hint, "unexpected argument '%s'", words[0].Text)
	case len(words) == 1:
		l.errs.Errorf(words[0].Pos, "", "'from' expects the name of a defaults section")
	default:
		if len(words) > 2 {
			l.errs.Errorf(words[2].Pos, "", "unexpected argument '%s'", words[2].Text)
		}
		if d := l.namedDefaults(words[1]); d != nil {
			p.inherit(d)
		}
	}
}

func (l *lowerer) namedDefaults(name conf.Word) *proxy {
	var found *proxy
	var names []string
	for _, d := range l.defaults {
		names = append(names, d.name.Text)
		if d.name.Text != name.Text {
			continue
		}
		if found != nil {
			l.errs.Errorf(name.Pos, "give each its own name",
				"ambiguous defaults section '%s': it exists at %s and %s", name.Text, found.pos, d.pos)
			return found
		}
		found = d
	}
	if found == nil {
		l.errs.Errorf(name.Pos, didYouMean(name.Text, names), "defaults section '%s' not found; it must stand before its use", name.Text)
	}
	return found
}

// duplicate refuses a second proxy of one name and capability. A frontend and a
// backend may share a name, a listen is both.
func (l *lowerer) duplicate(p *proxy) {
	for _, q := range l.proxies {
		if q.name.Text == p.name.Text && p.name.Text != "" && q.kind&p.kind != 0 {
			l.errs.Errorf(p.name.Pos, "", "%s '%s' has the same name as %s '%s' at %s", p.word, p.name.Text, q.word, q.name.Text, q.pos)
			return
		}
	}
}

// backend returns the proxy of that name that can be a backend.
func (l *lowerer) backend(name string) *proxy {
	for _, p := range l.proxies {
		if p.kind&inBackend != 0 && p.name.Text == name {
			return p
		}
	}
	return nil
}

// finish checks what needs all sections, and fills the Config.
func (l *lowerer) finish() {
	l.checkRings()
	l.resolveLogProfiles()
	for i := range l.logs {
		l.cfg.Global.Logs = append(l.cfg.Global.Logs, l.logs[i].targets()...)
	}
	for _, p := range l.proxies {
		p.validate()
		l.linkResolvers(p)
		l.loadStates(p)
		l.jailSockets(p)
	}
	l.checkResolverRefs()
	l.resolveTracks()
	l.checkBinds()
	l.checkRefs()
	l.checkListRefs()
	l.checkGroupRefs()
	l.number()
	for _, p := range l.proxies {
		if p.name.Text == "" {
			continue
		}
		if p.kind&inFrontend != 0 {
			l.cfg.Frontends = append(l.cfg.Frontends, p.frontend())
		}
		if p.kind&inBackend != 0 {
			l.cfg.Backends = append(l.cfg.Backends, p.backend())
		}
	}
}

// number gives the proxies without `id` the first ones that are free.
func (l *lowerer) number() {
	taken := make(map[int]bool)
	for _, p := range l.proxies {
		taken[p.common.ID] = true
	}
	next := 1
	for _, p := range l.proxies {
		p.common.Number = spec.ProxyNumber(p.common.ID)
		if p.common.ID == 0 {
			for taken[next] {
				next++
			}
			p.common.Number = spec.ProxyNumber(next)
			next++
		}
	}
}

func (l *lowerer) nearBackend(name string) string {
	var names []string
	for _, p := range l.proxies {
		if p.kind&inBackend != 0 {
			names = append(names, p.name.Text)
		}
	}
	slices.SortFunc(names, cmp.Compare)
	return didYouMean(name, names)
}

// quoted joins words for messages: 'client', 'server'.
func quoted(words []string) string {
	return "'" + strings.Join(words, "', '") + "'"
}
