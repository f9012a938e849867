package keepalived

import (
	"cmp"
	"slices"

	"baton/conf"
	"baton/vip"
	"baton/vrrp"
)

// Status says what baton does with a keyword.
type Status uint8

// The statuses.
const (
	Done    Status = iota // does what the manual says
	Warned                // accepted: it cannot change anything here
	Refused               // known, not supported yet
)

func (s Status) String() string { return [...]string{"yes", "warned", "refused"}[s] }

// Keyword is one row of the support matrix.
type Keyword struct {
	Block  string // "vrrp_instance"; "" for the top of a file
	Name   string
	Status Status
	Doc    string // what it means, why it changes nothing, or what to do instead
}

// Keywords returns the support matrix, sorted by block and name.
func Keywords() []Keyword {
	t := newTables()
	var all []Keyword
	all = append(all, rows("", t.top)...)
	all = append(all, rows("global_defs", t.global)...)
	all = append(all, rows("pair", t.pair)...)
	all = append(all, rows("vrrp_script", t.script)...)
	all = append(all, rows("vrrp_instance", t.instance)...)
	all = append(all, rows("vrrp_sync_group", t.group)...)
	all = append(all, rows("authentication", t.auth)...)
	all = append(all, rows("virtual_ipaddress", t.address)...)
	all = append(all, rows("static_ipaddress", t.address)...)
	for _, block := range []string{"virtual_routes", "static_routes"} {
		all = append(all, rows(block, t.route)...)
	}
	for _, block := range []string{"virtual_rules", "static_rules"} {
		all = append(all, rows(block, t.rule)...)
	}
	all = append(all, rows("unicast_peer", t.peer)...)
	all = append(all, rows("heartbeat_path", t.path)...)
	all = append(all, rows("track_script", t.trackScript)...)
	all = append(all, rows("track_interface", t.trackScript)...)
	all = append(all, rows("track_process", t.trackFile)...)
	all = append(all, rows("track_file", t.file)...)
	all = append(all, rows("vrrp_track_process", t.process)...)
	all = append(all, rows("track_backend", t.trackBackend)...)
	all = append(all, rows("track_traffic", t.trackTraffic)...)
	slices.SortStableFunc(all, func(a, b Keyword) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// entry is one keyword of a block whose meaning is collected in a T.
type entry[T any] struct {
	name   string
	status Status
	doc    string
	parse  func(l *lowerer, b *conf.Block, into *T) // nil unless Done
	many   bool                                     // may be repeated

	min, max int  // words behind the keyword; max -1: any number
	body     bool // braces follow
}

// table is the keywords of one block.
type table[T any] map[string]entry[T]

func newTable[T any](entries ...[]entry[T]) table[T] {
	t := make(table[T])
	for _, list := range entries {
		for _, e := range list {
			if _, twice := t[e.name]; twice || (e.parse == nil) == (e.status == Done) {
				panic("BUG: bad table row " + e.name)
			}
			t[e.name] = e
		}
	}
	return t
}

func (t table[T]) names() []string {
	names := make([]string, 0, len(t))
	for n := range t {
		names = append(names, n)
	}
	slices.Sort(names) // so that the nearest of several is always the same
	return names
}

func rows[T any](block string, t table[T]) []Keyword {
	var out []Keyword
	for _, n := range t.names() {
		out = append(out, Keyword{Block: block, Name: n, Status: t[n].status, Doc: t[n].doc})
	}
	return out
}

// refuse makes rows of keywords that share a reason.
func refuse[T any](doc string, names ...string) []entry[T] {
	return same[T](Refused, doc, names)
}

// warn makes rows of keywords that change nothing here for one reason.
func warn[T any](doc string, names ...string) []entry[T] {
	return same[T](Warned, doc, names)
}

func same[T any](s Status, doc string, names []string) []entry[T] {
	out := make([]entry[T], len(names))
	for i, n := range names {
		out[i] = entry[T]{name: n, status: s, doc: doc, many: true}
	}
	return out
}

// tables holds every keyword. It is made once per call of Lower: there is no
// package-level state.
type tables struct {
	top          table[lowerer]
	global       table[globals]
	pair         table[pairDraft]
	script       table[scriptDraft]
	instance     table[instanceDraft]
	group        table[instanceDraft]
	auth         table[instanceDraft]
	address      table[addressDraft]
	route        table[routeDraft]
	hop          table[vip.Hop]
	rule         table[ruleDraft]
	peer         table[vrrp.Peer]
	path         table[pathDraft]
	trackScript  table[trackDraft]
	trackFile    table[trackDraft]
	file         table[trackerDraft]
	process      table[trackerDraft]
	trackBackend table[probeDraft]
	trackTraffic table[probeDraft]
}

func newTables() *tables {
	return &tables{
		top:          newTable(topKeywords()...),
		global:       newTable(globalKeywords()...),
		pair:         newTable(pairKeywords()),
		script:       newTable(scriptKeywords()),
		instance:     newTable(instanceKeywords()...),
		group:        newTable(groupKeywords()...),
		auth:         newTable(authKeywords()),
		address:      newTable(addressKeywords()...),
		route:        newTable(routeKeywords()...),
		hop:          newTable(hopKeywords()),
		rule:         newTable(ruleKeywords()...),
		peer:         newTable(peerKeywords()),
		path:         newTable(pathKeywords()),
		trackScript:  newTable(trackKeywords(maxWeight)),
		trackFile:    newTable(trackKeywords(maxFileWeight)),
		file:         newTable(fileKeywords()),
		process:      newTable(processKeywords()),
		trackBackend: newTable(backendKeywords()),
		trackTraffic: newTable(trafficKeywords()),
	}
}
