package kernel

import (
	"net/netip"
	"slices"

	"baton/vip"
)

// present is what the kernel has. What concerns one address is found without a look at
// the hundreds of others: a takeover asks for each of them.
type present struct {
	list    vip.Set // in the kernel's order
	at      map[key]vip.Entry
	foreign map[host]vip.Entry
}

// host is an address on an interface, whatever its length.
type host struct {
	ifname string
	addr   netip.Addr
}

func (p *present) clear() {
	p.list = p.list[:0]
	clear(p.at)
	clear(p.foreign)
}

func (p *present) add(e vip.Entry) {
	if p.at == nil {
		p.at, p.foreign = map[key]vip.Entry{}, map[host]vip.Entry{}
	}
	p.list = append(p.list, e)
	if _, twice := p.at[keyOf(e.Address)]; !twice {
		p.at[keyOf(e.Address)] = e
	}
	if e.Foreign {
		p.foreign[host{e.Interface, e.Prefix.Addr()}] = e
	}
}

func (p *present) remove(a vip.Address) {
	p.list = slices.DeleteFunc(p.list, func(e vip.Entry) bool { return keyOf(e.Address) == keyOf(a) })
	delete(p.at, keyOf(a))
}

// about returns the entries that matter for addresses: they themselves, and what
// somebody else has put there of the same address at any length.
func (p *present) about(addresses []vip.Address) (set vip.Set) {
	for _, a := range addresses {
		if e, ok := p.at[keyOf(a)]; ok {
			set = append(set, e)
		}
		if e, ok := p.foreign[host{a.Interface, a.Prefix.Addr()}]; ok && keyOf(e.Address) != keyOf(a) {
			set = append(set, e)
		}
	}
	return set
}
