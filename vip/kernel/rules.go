package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
)

// ruleHeader is the length of struct fib_rule_hdr, which is laid out like rtmsg.
const ruleHeader = 12

// listRules reads our rules: those of our protocol number, which the kernel keeps
// since Linux 4.17. The library's own list does not tell what a rule does.
func listRules() ([]vip.Rule, error) {
	var out []vip.Rule
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		req := nl.NewNetlinkRequest(sys.MsgGetRule, sys.NetlinkDump)
		head := &nl.RtMsg{}
		head.Family = uint8(family)
		req.AddData(head)
		msgs, err := req.Execute(sys.NetlinkRoute, sys.MsgNewRule)
		if err != nil {
			return nil, fmt.Errorf("list rules: %w", err)
		}
		for _, msg := range msgs {
			if ruleProtocol(msg) != Protocol {
				continue
			}
			r, err := parseRule(msg)
			if err != nil {
				return nil, fmt.Errorf("list rules: %w", err)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// parseRule reads a rule as the kernel tells it.
func parseRule(msg []byte) (vip.Rule, error) {
	head := nl.DeserializeRtMsg(msg)
	attrs, err := nl.ParseRouteAttr(msg[ruleHeader:])
	if err != nil {
		return vip.Rule{}, err
	}
	r := vip.Rule{
		IPv6: head.Family == netlink.FAMILY_V6, Not: head.Flags&netlink.FibRuleInvert != 0,
		TOS: head.Tos, Kind: vip.RouteKind(head.Type),
	}
	mask := uint32(0)
	for _, a := range attrs {
		number := uint32(0)
		if len(a.Value) >= 4 {
			number = nl.NativeEndian().Uint32(a.Value)
		}
		switch a.Attr.Type {
		case nl.FRA_SRC:
			r.From = netip.PrefixFrom(addrOf(a.Value), int(head.Src_len))
		case nl.FRA_DST:
			r.To = netip.PrefixFrom(addrOf(a.Value), int(head.Dst_len))
		case nl.FRA_IIFNAME:
			r.In = strings.TrimRight(string(a.Value), "\x00")
		case nl.FRA_OIFNAME:
			r.Out = strings.TrimRight(string(a.Value), "\x00")
		case nl.FRA_PRIORITY:
			r.Priority = number
		case nl.FRA_FWMARK:
			r.Mark = number
		case nl.FRA_FWMASK:
			mask = number
		case nl.FRA_TABLE:
			r.Table = number
		case nl.FRA_SUPPRESS_PREFIXLEN:
			r.Suppress = number + 1 // all ones: none
		}
	}
	if r.Mark != 0 {
		r.Mask = mask
	}
	if r.Kind != vip.Unicast {
		r.Table = 0
	}
	return r, nil
}

func requestRule(r vip.Rule) *netlink.Rule {
	k := netlink.NewRule()
	k.Protocol, k.Type, k.Invert = Protocol, uint8(r.Kind), r.Not
	k.Family = netlink.FAMILY_V4
	if r.IPv6 {
		k.Family = netlink.FAMILY_V6
	}
	k.Table = int(r.Table)
	if r.Priority != 0 {
		k.Priority = int(r.Priority)
	}
	k.IifName, k.OifName, k.Tos = r.In, r.Out, uint(r.TOS)
	if r.Mark != 0 {
		k.Mark, k.Mask = r.Mark, &r.Mask
	}
	if r.Suppress != 0 {
		k.SuppressPrefixlen = int(r.Suppress) - 1
	}
	network := func(p netip.Prefix) *net.IPNet {
		if !p.IsValid() {
			return nil
		}
		return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
	}
	k.Src, k.Dst = network(r.From), network(r.To)
	return k
}

func addRule(h *netlink.Handle, r vip.Rule) error {
	err := h.RuleAdd(requestRule(r))
	if errors.Is(err, syscall.EEXIST) {
		return fmt.Errorf("add rule %s: %w: it is there already and was not put there by baton: remove it, or give this one another priority", r, err)
	}
	if err != nil {
		return fmt.Errorf("add rule %s: %w", r, explain(err))
	}
	return nil
}

func deleteRule(h *netlink.Handle, r vip.Rule) error {
	err := h.RuleDel(requestRule(r))
	if err != nil && !errors.Is(err, syscall.ENOENT) {
		return fmt.Errorf("remove rule %s: %w", r, explain(err))
	}
	return nil
}

// ruleProtocol reads who made the rule that a message tells of; 0: unknown.
func ruleProtocol(data []byte) byte {
	if len(data) < ruleHeader {
		return 0
	}
	attrs, err := nl.ParseRouteAttr(data[ruleHeader:])
	if err != nil {
		return 0
	}
	for _, a := range attrs {
		if a.Attr.Type == sys.AttrRuleProtocol && len(a.Value) > 0 {
			return a.Value[0]
		}
	}
	return 0
}
