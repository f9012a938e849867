package keepalived

import (
	"strings"
	"time"

	"baton/checkscript"
	"baton/conf"
	"baton/internal/diag"
	"baton/vip"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// instanceDraft is one vrrp_instance on its way.
type instanceDraft struct {
	name        conf.Word
	vrrp        vrrp.Config
	prioritySet bool
	nopreempt   diag.Pos // of the keyword
	seen        map[string]bool
	advert      conf.Word
	vrid        conf.Word
	authType    conf.Word
	authPass    conf.Word
	version     uint8     // as the file says it; 0: it does not
	versionAt   conf.Word // where, if in this instance
	nativeIPv6  conf.Word
	source      conf.Word
	peers       []conf.Word // the same as vrrp.Peers
	paths       []pathDraft
	announce    announceDraft
	addresses   []addressDraft
	excluded    []addressDraft
	vmac        vmacDraft
	promote     bool
	strict      bool
	accept      bool
	acceptAt    diag.Pos // of accept or no_accept
	routes      []vip.Route
	rules       []vip.Rule
	tracks      []checkscript.Track

	preemptDelay diag.Pos // of the keyword
	notify       notifyDraft
	group        groupDraft // of a vrrp_sync_group, which shares this type
}

// vridKey is what must be unique: adverts of one VRID on one link are one virtual router's.
type vridKey struct {
	iface string
	six   bool
	vrid  uint8
}

// instanceKeywords is vrrp_instance.
func instanceKeywords() [][]entry[instanceDraft] {
	return [][]entry[instanceDraft]{
		{
			{name: "state", doc: "MASTER or BACKUP; only with priority 255 does MASTER begin as such", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				switch w := b.Words[1]; w.Text {
				case "MASTER":
					d.vrrp.StartAsMaster = true
				case "BACKUP":
					d.vrrp.StartAsMaster = false
				default:
					hint := ""
					if near := diag.Nearest(strings.ToUpper(w.Text), []string{"MASTER", "BACKUP"}); near != "" {
						hint = "did you mean `" + near + "`?"
					}
					l.errs.Errorf(w.Pos, hint, "`state` must be MASTER or BACKUP, not `%s`", w.Text)
				}
			}},
			{name: "interface", doc: "where adverts are sent and heard", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				if l.interfaceName("interface", b.Words[1]) {
					d.vrrp.Interface = b.Words[1].Text
				}
			}},
			{name: "virtual_router_id", doc: "1..255, the same on every node, different for every virtual router of the link", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				if n, ok := l.integer("virtual_router_id", b.Words[1], 1, 255); ok {
					d.vrrp.VRID, d.vrid = uint8(n), b.Words[1]
				}
			}},
			{name: "priority", doc: "1..255, 100 by default; the highest wins, 255 owns the addresses", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				d.prioritySet = true
				if n, ok := l.integer("priority", b.Words[1], 1, 255); ok {
					d.vrrp.Priority = uint8(n)
				}
			}},
			{name: "advert_int", doc: "seconds between adverts, 1 by default; the same on every node", min: 1, max: 1, parse: func(_ *lowerer, b *conf.Block, d *instanceDraft) {
				d.advert = b.Words[1]
			}},
			{name: "authentication", doc: "auth_type and auth_pass", body: true, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				lowerBody(l, "authentication", l.auth, b.Body, d)
				l.authentication(b, d)
			}},
			{name: "virtual_ipaddress", doc: "the addresses that move, one per line, all of one family", body: true, many: true, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				d.addresses = append(d.addresses, l.addressLines(b)...)
			}},
			{name: "virtual_ipaddress_excluded", doc: "addresses of either family that move too but do not stand in adverts", body: true, many: true, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				d.excluded = append(d.excluded, l.addressLines(b)...)
			}},
			{name: "virtual_routes", doc: "routes that move, one per line", body: true, many: true, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				d.routes = append(d.routes, l.routeLines(b)...)
			}},
			{name: "virtual_rules", doc: "rules of the routing policy that move, one per line", body: true, many: true, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				d.rules = append(d.rules, l.ruleLines(b)...)
			}},
			{name: "promote_secondaries", doc: "set it on the interfaces of the addresses; baton does so by itself where an address of its own comes first", parse: func(_ *lowerer, _ *conf.Block, d *instanceDraft) {
				d.promote = true
			}},
			{name: "nopreempt", doc: "do not take over from a master of lower priority", parse: func(_ *lowerer, b *conf.Block, d *instanceDraft) {
				d.vrrp.NoPreempt, d.nopreempt = true, b.Words[0].Pos
			}},
			{name: "preempt", doc: "the default: the higher priority takes over", parse: func(_ *lowerer, _ *conf.Block, d *instanceDraft) {
				d.vrrp.NoPreempt = false
			}},
			{name: "mcast_src_ip", doc: "source address of adverts; by default the interface's first, link-local with IPv6", min: 1, max: 1, parse: parseSource},
			{name: "unicast_src_ip", doc: "the same as mcast_src_ip", min: 1, max: 1, parse: parseSource},
			{name: "unicast_peer", doc: "adverts go to these addresses and not to the group: ADDRESS [min_ttl N] [max_ttl N]", body: true, many: true, parse: parsePeers},
			{name: "heartbeat_path", doc: "baton's own: a further way for adverts; a backup takes over when all are silent: heartbeat_path { interface NAME }", body: true, many: true, parse: parsePath},
			{name: "unicast_ttl", doc: "TTL or hop limit of unicast adverts, 255 by default", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				if n, ok := l.integer("unicast_ttl", b.Words[1], 1, 255); ok {
					d.vrrp.TTL = uint8(n)
				}
			}},
			{name: "check_unicast_src", doc: "refuse unicast adverts of others than the peers", max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				d.vrrp.CheckPeers = l.on(b)
			}},
			{name: "native_ipv6", doc: "IPv6 also without addresses that say so", parse: func(_ *lowerer, b *conf.Block, d *instanceDraft) {
				d.nativeIPv6 = b.Words[0]
			}},
			{name: "v3_checksum_as_v2", doc: "leave the pseudo header out of version 3's checksum over IPv4, as other makers do", max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				d.vrrp.PlainSum = l.on(b)
			}},
			{name: "version", doc: "2 (the default) or 3; with IPv6 addresses always 3", min: 1, max: 1, parse: parseVersion},
			{name: "vrrp_version", doc: "the same as version", min: 1, max: 1, parse: parseVersion},
		},
		vmacKeywords(),
		trackRows(),
		stateKeywords(),
		notifyKeywords(),
		notifyInstanceKeywords(),
		only[instanceDraft]("group that adverts are sent to", "224.0.0.18", "mcast_dst_ip"),
		announceKeywords("", func(d *instanceDraft) *announceDraft { return &d.announce }),
		acceptKeywords(),
		refuse[instanceDraft]("an instance speaks on an interface", "vrf"),
		refuse[instanceDraft]("use_vmac is what there is, and where switches refuse further hardware addresses, none: gratuitous ARP moves the addresses", "use_ipvlan"),
		refuse[instanceDraft]("", "track_src_ip",
			"lvs_sync_daemon_interface"),
		warn[instanceDraft]("an empty unicast_peer is an error", "unicast_fault_no_peer"),
		refuse[instanceDraft]("it is for keepalived before 1.3.7", "old_unicast_checksum"),
		warn[instanceDraft]("it does nothing in keepalived either", "debug"),
		warn[instanceDraft]("baton sizes its buffers itself", "kernel_rx_buf_size"),
		warn[instanceDraft]("links are watched by netlink", "linkbeat_use_polling"),
	}
}

// authKeywords is the authentication block.
func authKeywords() []entry[instanceDraft] {
	return []entry[instanceDraft]{
		{name: "auth_type", doc: "PASS; AH is not supported", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			switch w := b.Words[1]; w.Text {
			case "PASS":
			case "AH":
				l.errs.Errorf(w.Pos, "use PASS", "auth_type AH is known, not supported yet")
			default:
				l.errs.Errorf(w.Pos, "", "`auth_type` must be PASS, not `%s`", w.Text)
			}
			d.authType = b.Words[1]
		}},
		{name: "auth_pass", doc: "the password, of which 8 characters count; it is sent in clear", min: 1, max: 1, parse: func(_ *lowerer, b *conf.Block, d *instanceDraft) {
			d.authPass = b.Words[1]
		}},
	}
}

func parseVersion(l *lowerer, b *conf.Block, d *instanceDraft) {
	d.version, d.versionAt = l.version(b), b.Words[1]
}

// authentication turns type and password into what adverts carry.
func (l *lowerer) authentication(b *conf.Block, d *instanceDraft) {
	at := b.Words[0].Pos
	has := make(map[string]bool)
	for _, c := range b.Body {
		for _, w := range c.Words {
			has[w.Text] = true // also where it is misplaced, which was said
		}
	}
	switch {
	case !has["auth_type"]:
		l.errs.Errorf(at, "add auth_type PASS", "`authentication` has no `auth_type`")
	case !has["auth_pass"]:
		l.errs.Errorf(at, "add auth_pass PASSWORD, the same on every node", "`authentication` has no `auth_pass`")
	}
	pass := d.authPass
	if d.authType.Text != "PASS" || pass.Pos.Line == 0 {
		return
	}
	if pass.Text == "" {
		l.errs.Errorf(pass.Pos, "", "`auth_pass` is empty")
		return
	}
	d.vrrp.Auth.Type = packet.AuthSimple
	if n := copy(d.vrrp.Auth.Data[:], pass.Text); n < len(pass.Text) {
		l.errs.Warnf(pass.Pos, "every VRRP router does the same; the other nodes need the same first 8 characters",
			"`auth_pass` is cut to its first 8 characters: an advert holds no more")
	}
}

// lowerInstance reads a vrrp_instance block and checks it as a whole.
func (l *lowerer) lowerInstance(b *conf.Block) {
	name := b.Words[1]
	d := &instanceDraft{name: name, version: l.globals.version, strict: l.globals.strict, seen: make(map[string]bool)}
	d.vrrp = vrrp.Config{
		Name: name.Text, AdvertInterval: time.Second,
		CheckPeers: l.globals.checkUnicastSource, PlainSum: l.globals.plainSum,
	}
	l.applyStates(&d.vrrp)
	for _, c := range b.Body {
		d.seen[c.Words[0].Text] = true
	}
	lowerBody(l, "vrrp_instance", l.instance, b.Body, d)

	if first, twice := l.instances[name.Text]; twice {
		l.errs.Errorf(name.Pos, "", "vrrp_instance %s stands twice: it is also at %s", name.Text, first)
	} else {
		l.instances[name.Text] = name.Pos
	}
	if !d.seen["interface"] {
		l.errs.Errorf(name.Pos, "add interface NAME", "vrrp_instance %s has no `interface`", name.Text)
	}
	if !d.seen["virtual_router_id"] {
		l.errs.Errorf(name.Pos, "add virtual_router_id 1..255, the same on every node", "vrrp_instance %s has no `virtual_router_id`", name.Text)
	}
	d.tracks = l.withoutOwn(d.tracks, &d.vrrp)
	l.family(d)
	l.uniqueVRID(d)
	l.finishPaths(d)
	l.priority(d)
	l.advertInterval(d)
	l.checkPreemption(d)
	l.transport(d)
	l.strictMode(d)
	noAccept := l.finishAccept(d)
	vmac := l.finishVMAC(d)
	others := l.addressVMACs(d, vmac)
	advertised, excluded := l.finishAddresses(d, vmac)
	inst := Instance{
		Pos: name.Pos, VRRP: d.vrrp, Tracks: d.tracks, At: places(b.Body),
		VIP: vip.Config{
			Instance: name.Text, Interface: d.vrrp.Interface, Addresses: append(advertised, excluded...),
			Routes: d.routes, Rules: d.rules, VMAC: vmac, Others: others, NoAccept: noAccept, Promote: d.promote, Announce: d.announce.schedule(l.globals.announce),
		},
	}
	if d.strict {
		inst.VIP.Announce = strictSchedule(inst.VIP.Announce)
	}
	for _, a := range advertised {
		inst.VRRP.Advertised = append(inst.VRRP.Advertised, a.Prefix.Addr())
	}
	l.config.Instances = append(l.config.Instances, inst)
	l.addTarget(false, d)
}

// places notes where each keyword of a block stands, the last one if it stands there
// again: that one counts.
func places(body []*conf.Block) map[string]diag.Pos {
	at := make(map[string]diag.Pos)
	for _, c := range body {
		w := c.Words[0]
		if len(c.Words) > 1 && !c.HasBody {
			w = c.Words[1]
		}
		at[c.Words[0].Text] = w.Pos
	}
	return at
}

// uniqueVRID refuses two virtual routers of one id on one link.
func (l *lowerer) uniqueVRID(d *instanceDraft) {
	key := vridKey{d.vrrp.Interface, d.vrrp.IPv6, d.vrrp.VRID}
	if key.iface == "" || key.vrid == 0 {
		return
	}
	if first, twice := l.vrids[key]; twice {
		l.errs.Errorf(d.vrid.Pos, "give each virtual router of a link its own", "virtual_router_id %d on %s is taken at %s", key.vrid, key.iface, first)
		return
	}
	l.vrids[key] = d.vrid.Pos
}

// priority applies the default and what depends on it.
func (l *lowerer) priority(d *instanceDraft) {
	switch {
	case !d.prioritySet && d.vrrp.StartAsMaster:
		// keepalived 2.2 does so too, and the other node may count on it.
		d.vrrp.Priority = 255
		l.errs.Warnf(d.name.Pos, "add the priority that you mean, such as 150", "vrrp_instance %s is `state MASTER` without `priority`, which makes it 255", d.name.Text)
	case !d.prioritySet:
		d.vrrp.Priority = 100
	}
	if d.vrrp.NoPreempt && d.vrrp.StartAsMaster {
		d.vrrp.NoPreempt = false
		l.errs.Warnf(d.nopreempt, "use `state BACKUP` on every node", "`nopreempt` has no effect with `state MASTER`")
	}
	if d.vrrp.Priority != 255 {
		return
	}
	for _, t := range d.tracks {
		if t.Weight != 0 {
			l.errs.Warnf(t.Pos, "use a priority below 255", "the weight of %s has no effect: priority 255 never changes", t.Probe)
		}
	}
}

// advertInterval reads advert_int: VRRPv2 has 8 bits of whole seconds for it,
// VRRPv3 12 bits of hundredths.
func (l *lowerer) advertInterval(d *instanceDraft) {
	w := d.advert
	if w.Pos.Line == 0 {
		return
	}
	const least, most = 10 * time.Millisecond, 4095 * 10 * time.Millisecond
	v, ok := parseSeconds(w.Text)
	switch {
	case d.vrrp.Version == 3 && (!ok || v < least || v > most || v%least != 0):
		l.errs.Errorf(w.Pos, "seconds in hundredths, such as 1, 0.1 or 0.01", "`advert_int` must be from 0.01 to 40.95 with VRRP version 3, not `%s`", w.Text)
	case d.vrrp.Version == 3:
		d.vrrp.AdvertInterval = v
	case ok && v > 0 && v%time.Second != 0:
		l.errs.Errorf(w.Pos, "fractions need `version 3`, on every node", "`advert_int %s`: VRRP version 2 counts whole seconds", w.Text)
	case !ok || v < time.Second || v > 255*time.Second:
		l.errs.Errorf(w.Pos, "", "`advert_int` must be a whole number from 1 to 255, not `%s`", w.Text)
	default:
		d.vrrp.AdvertInterval = v
	}
}

// interfaceName checks what the kernel would refuse: dev_valid_name.
func (l *lowerer) interfaceName(keyword string, w conf.Word) bool {
	if n := w.Text; n == "" || len(n) > 15 || n == "." || n == ".." || strings.ContainsAny(n, "/: \t") {
		l.errs.Errorf(w.Pos, "at most 15 characters, none of them a slash, a colon or a blank", "`%s`: `%s` is no name of an interface", keyword, n)
		return false
	}
	return true
}
