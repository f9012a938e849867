package keepalived

import (
	"math"
	"net/netip"
	"strconv"
	"strings"

	"baton/conf"
	"baton/vip"
)

// rulePriority is the priority of rules that name none, as with keepalived.
const rulePriority = 16384

// ruleDraft is one line of virtual_rules or static_rules.
type ruleDraft struct {
	rule vip.Rule
	six  bool // `inet6`
	told bool // what it does
}

// ruleKeywords is what a line of rules may hold.
func ruleKeywords() [][]entry[ruleDraft] {
	network := func(set func(*ruleDraft, netip.Prefix)) func(*lowerer, *conf.Block, *ruleDraft) {
		return func(l *lowerer, b *conf.Block, d *ruleDraft) {
			if w := b.Words[1].Text; w == "all" || w == "any" || w == "default" {
				return
			}
			if p, ok := l.network(b.Words[0].Text, b.Words[1]); ok {
				set(d, p)
			}
		}
	}
	device := func(set func(*ruleDraft, string)) func(*lowerer, *conf.Block, *ruleDraft) {
		return func(l *lowerer, b *conf.Block, d *ruleDraft) {
			if l.interfaceName(b.Words[0].Text, b.Words[1]) {
				set(d, b.Words[1].Text)
			}
		}
	}
	priority := func(l *lowerer, b *conf.Block, d *ruleDraft) {
		if n, ok := l.integer(b.Words[0].Text, b.Words[1], 1, math.MaxInt32); ok {
			d.rule.Priority = uint32(n)
		}
	}
	table := func(l *lowerer, b *conf.Block, d *ruleDraft) {
		if n, ok := l.table(b.Words[1]); ok {
			d.rule.Table, d.told = n, true
		}
	}
	in := device(func(d *ruleDraft, s string) { d.rule.In = s })
	kind := func(k vip.RouteKind) entry[ruleDraft] {
		return entry[ruleDraft]{name: k.String(), doc: "what matches is not forwarded", parse: func(_ *lowerer, _ *conf.Block, d *ruleDraft) {
			d.rule.Kind, d.told = k, true
		}}
	}
	return [][]entry[ruleDraft]{
		{
			{name: "from", doc: "source address, a network or `all`", min: 1, max: 1, parse: network(func(d *ruleDraft, p netip.Prefix) { d.rule.From = p })},
			{name: "to", doc: "destination address, a network or `all`", min: 1, max: 1, parse: network(func(d *ruleDraft, p netip.Prefix) { d.rule.To = p })},
			{name: "table", doc: "the table to look in: main, default, local or a number", min: 1, max: 1, parse: table},
			{name: "lookup", doc: "the same as table", min: 1, max: 1, parse: table},
			{name: "priority", doc: "the lowest comes first; 16384 by default", min: 1, max: 1, parse: priority},
			{name: "preference", doc: "the same as priority", min: 1, max: 1, parse: priority},
			{name: "pref", doc: "the same as priority", min: 1, max: 1, parse: priority},
			{name: "order", doc: "the same as priority", min: 1, max: 1, parse: priority},
			{name: "iif", doc: "the interface that it came in on", min: 1, max: 1, parse: in},
			{name: "dev", doc: "the same as iif", min: 1, max: 1, parse: in},
			{name: "oif", doc: "the interface that the sending socket is bound to", min: 1, max: 1, parse: device(func(d *ruleDraft, s string) { d.rule.Out = s })},
			{name: "fwmark", doc: "MARK[/MASK] of the firewall", min: 1, max: 1, parse: parseMark},
			{name: "tos", doc: "type of service, a number", min: 1, max: 1, parse: parseTOS},
			{name: "dsfield", doc: "the same as tos", min: 1, max: 1, parse: parseTOS},
			{name: "not", doc: "the rule is for what does not match", parse: func(_ *lowerer, _ *conf.Block, d *ruleDraft) { d.rule.Not = true }},
			{name: "inet6", doc: "an IPv6 rule, where the addresses do not say so", parse: func(_ *lowerer, _ *conf.Block, d *ruleDraft) { d.six = true }},
			{name: "suppress_prefixlength", doc: "pass over routes of at most this prefix length", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *ruleDraft) {
				if n, ok := l.integer("suppress_prefixlength", b.Words[1], 0, 128); ok {
					d.rule.Suppress = uint32(n) + 1
				}
			}},
			kind(vip.Blackhole), kind(vip.Unreachable), kind(vip.Prohibit),
			{name: "protocol", status: Warned, doc: "baton's rules carry a protocol number of its own, 66, by which it knows them", min: 1, max: 1},
			{name: "no_track", status: Warned, doc: "a rule that someone removes is put back"},
		},
		refuseWords[ruleDraft](1, "realms", "goto", "uidrange", "ip_proto", "ipproto", "sport", "dport", "tun_id", "suppress_ifgroup", "track_group"),
		refuseWords[ruleDraft](0, "l3mdev", "nop"),
	}
}

func parseMark(l *lowerer, b *conf.Block, d *ruleDraft) {
	w := b.Words[1]
	mark, mask, masked := strings.Cut(w.Text, "/")
	n, err := strconv.ParseUint(mark, 0, 32)
	m := uint64(math.MaxUint32)
	if masked && err == nil {
		m, err = strconv.ParseUint(mask, 0, 32)
	}
	if err != nil || n == 0 || m == 0 {
		l.errs.Errorf(w.Pos, "such as 1 or 0x10/0xff", "`fwmark` must be MARK[/MASK] in numbers other than 0, not `%s`", w.Text)
		return
	}
	d.rule.Mark, d.rule.Mask = uint32(n), uint32(m)
}

func parseTOS(l *lowerer, b *conf.Block, d *ruleDraft) {
	w := b.Words[1]
	n, err := strconv.ParseUint(w.Text, 0, 8)
	if err != nil || n&^0x1e != 0 {
		l.errs.Errorf(w.Pos, "even, up to 0x1e: the kernel's rules know no other", "`tos` must be a number, not `%s`", w.Text)
		return
	}
	d.rule.TOS = uint8(n)
}

// ruleLines reads the lines of a block of rules.
func (l *lowerer) ruleLines(b *conf.Block) (out []vip.Rule) {
	block := b.Words[0].Text
	for _, line := range b.Body {
		first := line.Words[0]
		if line.HasBody {
			l.errs.Errorf(first.Pos, "", "`%s` opens no block in %s", first.Text, block)
			continue
		}
		before := l.errs.Errors()
		d := ruleDraft{rule: vip.Rule{Kind: vip.Unicast}}
		lowerStream(l, block, l.rule, line.Words, &d)
		if l.errs.Errors() == before && l.finishRule(first, &d) {
			out = append(out, d.rule)
		}
	}
	return out
}

// finishRule finds the family of a rule and checks it as a whole.
func (l *lowerer) finishRule(first conf.Word, d *ruleDraft) bool {
	r := &d.rule
	r.IPv6 = d.six || r.From.Addr().Is6() || r.To.Addr().Is6()
	for _, p := range []netip.Prefix{r.From, r.To} {
		if p.IsValid() && p.Addr().Is6() != r.IPv6 {
			l.errs.Errorf(first.Pos, "", "the rule mixes IPv4 and IPv6")
			return false
		}
	}
	if !d.told {
		l.errs.Errorf(first.Pos, "add table NUMBER", "the rule does not say in which table to look")
		return false
	}
	if r.Kind != vip.Unicast && r.Table != 0 {
		l.errs.Errorf(first.Pos, "", "the rule has `table` and `%s`", r.Kind)
		return false
	}
	if r.Priority == 0 {
		r.Priority = rulePriority
		l.errs.Warnf(first.Pos, "add priority NUMBER", "the rule has no priority and gets %d, as with keepalived", rulePriority)
	}
	return true
}
