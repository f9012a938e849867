package keepalived

import (
	"baton/checkscript"
	"baton/conf"
	"baton/internal/diag"
)

// Lower gives the blocks of a tree their meaning. The configuration is whole only
// if there are no errors. Blocks may stand in any order: unlike keepalived, which
// drops the track of a script that is declared further down, baton finds it.
func Lower(t *conf.Tree) (*Config, diag.List) {
	l := &lowerer{
		tables:    newTables(),
		scripts:   make(map[string]*scriptDraft),
		instances: make(map[string]diag.Pos),
		vrids:     make(map[vridKey]diag.Pos),
		addresses: make(map[addressKey]ownedAddress),
		probes:    make(map[string]*checkscript.Probe),
		isTracked: make(map[string]bool),
		trackers:  make(map[string]*trackerDraft),
		groups:    make(map[string]diag.Pos),
		memberOf:  make(map[string]diag.Pos),
		vmacs:     make(map[string]diag.Pos),
		stations:  make(map[station]diag.Pos),
	}
	lowerBody(l, "", l.top, t.Blocks, l)
	for _, d := range l.scriptOrder {
		l.finishScript(d)
	}
	l.finishFIFOs()
	for _, b := range l.instanceBlocks {
		l.lowerInstance(b)
	}
	for _, b := range l.groupBlocks {
		l.lowerGroup(b)
	}
	l.finishStatic()
	l.finishNotify()
	l.checkLinkDelays()
	l.collectProbes()
	if p := l.config.Pair; p != nil && len(l.config.Instances) == 0 && len(l.instanceBlocks) == 0 {
		l.errs.Warnf(p.Pos, "add a vrrp_instance", "`pair` has no effect: there is no vrrp_instance to speak of")
	}
	l.errs.Sort()
	t.Attach(l.errs)
	return &l.config, l.errs
}

// lowerer is the state of one Lower.
type lowerer struct {
	*tables
	errs   diag.List
	config Config

	globals        globals
	scripts        map[string]*scriptDraft
	scriptOrder    []*scriptDraft
	instanceBlocks []*conf.Block
	groupBlocks    []*conf.Block
	fifos          []checkscript.FIFO
	static         []addressDraft
	staticAt       conf.Word // the last keyword of a static block

	instances    map[string]diag.Pos // names seen
	vmacs        map[string]diag.Pos // names of interfaces of use_vmac
	stations     map[station]diag.Pos
	vrids        map[vridKey]diag.Pos
	addresses    map[addressKey]ownedAddress
	probes       map[string]*checkscript.Probe // every probe that may be tracked, by name
	tracked      []string                      // names of those that are, in order
	isTracked    map[string]bool
	trackers     map[string]*trackerDraft // by the names of their probes
	trackerOrder []*trackerDraft

	groups   map[string]diag.Pos // sync groups seen
	memberOf map[string]diag.Pos // instances that are in one
}

// lowerBody gives each directive of a block to its row in the table.
func lowerBody[T any](l *lowerer, block string, t table[T], body []*conf.Block, into *T) {
	seen := make(map[string]conf.Word)
	var names []string
	for _, b := range body {
		word := b.Words[0]
		e, known := t[word.Text]
		if !known {
			if names == nil {
				names = t.names()
			}
			l.unknown(word, block, names)
			continue
		}
		if !l.supported(e.status, e.doc, word) || b.Broken {
			continue
		}
		if first, twice := seen[word.Text]; twice && !e.many {
			l.errs.Warnf(word.Pos, "", "`%s` stands here again: this one counts, not the one at %s", word.Text, first.Pos)
		}
		seen[word.Text] = word
		if shape(l, e, b, t) {
			e.parse(l, b, into)
		}
	}
}

// lowerStream does the same for keywords that follow each other on one line, or
// on several: `min_servers 1 weight -50`. Each takes a fixed number of words.
func lowerStream[T any](l *lowerer, block string, t table[T], words []conf.Word, into *T) {
	seen := make(map[string]bool)
	for len(words) > 0 {
		word := words[0]
		e, known := t[word.Text]
		if !known {
			l.unknown(word, block, t.names())
			words = words[1:]
			for len(words) > 0 && !t.has(words[0].Text) {
				words = words[1:] // what belonged to it
			}
			continue
		}
		n := 1 + e.max
		if len(words) < n {
			if l.supported(e.status, e.doc, word) {
				l.errs.Errorf(word.Pos, "", "`%s` needs a value", word.Text)
			}
			return
		}
		if l.supported(e.status, e.doc, word) {
			if seen[word.Text] {
				l.errs.Errorf(word.Pos, "", "`%s` stands twice", word.Text)
			}
			seen[word.Text] = true
			e.parse(l, &conf.Block{Words: words[:n]}, into)
		}
		words = words[n:]
	}
}

func (t table[T]) has(name string) bool {
	_, ok := t[name]
	return ok
}

// flatten returns the words of a body as one stream. A block in it is an error.
func (l *lowerer) flatten(body []*conf.Block) []conf.Word {
	var words []conf.Word
	for _, b := range body {
		if b.HasBody {
			l.errs.Errorf(b.Words[0].Pos, "", "`%s` opens no block here", b.Words[0].Text)
			continue
		}
		words = append(words, b.Words...)
	}
	return words
}

// supported reports whether a keyword is to be parsed, and says so if not.
func (l *lowerer) supported(s Status, doc string, word conf.Word) bool {
	switch s {
	case Warned:
		l.errs.Unusedf(word.Pos, doc, "`%s` is accepted and changes nothing", word.Text)
		return false
	case Refused:
		l.errs.Errorf(word.Pos, doc, "`%s` is known, not supported yet", word.Text)
		return false
	}
	return true
}

// unknown complains about a keyword that no table has.
func (l *lowerer) unknown(word conf.Word, block string, names []string) {
	hint := ""
	if near := diag.Nearest(word.Text, names); near != "" {
		hint = "did you mean `" + near + "`?"
	}
	where := "at the top of a file"
	if block != "" {
		where = "in " + block
	}
	l.errs.Errorf(word.Pos, hint, "unknown keyword `%s` %s", word.Text, where)
}

// shape checks the number of words and the braces of a directive.
func shape[T any](l *lowerer, e entry[T], b *conf.Block, t table[T]) bool {
	word, n := b.Words[0], len(b.Words)-1
	switch {
	case n < e.min && e.min == 1:
		l.errs.Errorf(word.Pos, e.doc, "`%s` needs a value", e.name)
	case n < e.min:
		l.errs.Errorf(word.Pos, e.doc, "`%s` needs %d values", e.name, e.min)
	case e.max >= 0 && n > e.max:
		extra := b.Words[1+e.max]
		hint := ""
		if t.has(extra.Text) {
			hint = "a keyword begins on a line of its own"
		}
		l.errs.Errorf(extra.Pos, hint, "unexpected `%s` behind `%s`", extra.Text, e.name)
	case e.body && !b.HasBody:
		l.errs.Errorf(word.Pos, "", "`%s` needs a block in braces", e.name)
	case !e.body && b.HasBody:
		l.errs.Errorf(word.Pos, "", "`%s` opens no block", e.name)
	default:
		return true
	}
	return false
}

// topKeywords is what stands outside any block.
func topKeywords() [][]entry[lowerer] {
	return [][]entry[lowerer]{
		{
			{name: "global_defs", doc: "settings of the whole daemon", body: true, many: true, parse: func(l *lowerer, b *conf.Block, _ *lowerer) {
				lowerBody(l, "global_defs", l.global, b.Body, &l.globals)
			}},
			{name: "pair", doc: "baton's own: the link to the other baton: pair { peer ADDRESS }", body: true, many: true, parse: lowerPair},
			{name: "vrrp_script", doc: "a command whose exit status says whether this node may serve: vrrp_script NAME { ... }", min: 1, max: 1, body: true, many: true, parse: parseScript},
			{name: "vrrp_instance", doc: "a virtual router: vrrp_instance NAME { ... }", min: 1, max: 1, body: true, many: true, parse: func(l *lowerer, b *conf.Block, _ *lowerer) {
				l.instanceBlocks = append(l.instanceBlocks, b)
			}},
		},
		{
			{name: "vrrp_sync_group", doc: "instances that move together: vrrp_sync_group NAME { group { ... } }", min: 1, max: 1, body: true, many: true, parse: func(l *lowerer, b *conf.Block, _ *lowerer) {
				l.groupBlocks = append(l.groupBlocks, b)
			}},
			{name: "track_file", doc: "a file whose number counts: track_file NAME { file PATH }", min: 1, max: 1, body: true, many: true, parse: parseFile},
			{name: "vrrp_track_file", doc: "the same as track_file", min: 1, max: 1, body: true, many: true, parse: parseFile},
			{name: "vrrp_track_process", doc: "a process that must run: vrrp_track_process NAME { process NAME }", min: 1, max: 1, body: true, many: true, parse: parseProcess},
			{name: "track_process", doc: "the same as vrrp_track_process", min: 1, max: 1, body: true, many: true, parse: parseProcess},
			{name: "interface_up_down_delays", doc: "seconds that an interface must be down, or up again, before it counts: lines of NAME DOWN [UP]", body: true, many: true, parse: parseLinkDelays},
		},
		refuse[lowerer]("use a vrrp_script", "bfd_instance"),
		staticKeywords(),
		refuse[lowerer]("", "track_group"),
		refuse[lowerer]("balance with a frontend and a backend instead of IPVS", "virtual_server", "virtual_server_group", "SSL"),
		refuse[lowerer]("", "garp_group", "linkbeat_interfaces"),
		refuse[lowerer]("start baton inside the namespace", "net_namespace", "net_namespace_ipvs"),
		warn[lowerer]("baton is one process and names its files on the command line", "instance", "use_pid_dir", "child_wait_time"),
		warn[lowerer]("baton uses no ipsets", "namespace_with_ipsets"),
		warn[lowerer]("links are watched by netlink", "linkbeat_use_polling"),
	}
}
