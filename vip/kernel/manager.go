package kernel

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink"
)

// Protocol is the IFA_PROTO of our addresses: 'B'. The kernel uses 1 to 3;
// daemons use their route protocol number (keepalived 18), and 66 is free there.
const Protocol = 'B'

// patience bounds the wait for an answer of the kernel, which as a rule is there
// before the request returns.
const patience = time.Second

// Manager holds the addresses of all instances on this host.
type Manager struct {
	alsoWatched []string // interfaces beside those of the configuration

	cfgs    []vip.Config   // as completed by New; never changed
	byName  map[string]int // where an instance stands there; never changed
	owners  map[key]string // which instance an address belongs to; never changed
	keeper  *vip.Keeper
	nl      *netlink.Handle
	links   map[string]int        // interface name -> index, forgotten when stale
	sockets map[string]*announcer // by interface name
	ports   map[string]*port      // by interface name, forgotten when stale
	ours    map[[6]byte]bool      // what hardware has found; nil when stale
	promote map[int]bool          // interfaces whose promote_secondaries is known to be set
	changed []inetConf            // sysctls to set back at the end
	failed  map[string]string     // what was logged last about a thing that fails, by thing
	errs    map[key]error         // of the last sync
	sent    []atomic.Uint64       // frames per instance, in the order of cfgs

	batch     *sys.RouteBatch
	round     mono.Time       // when the present round of renewals began
	renewedAt mono.Time       // when the last piece of one was done
	renewals  []vip.Address   // what it is about
	renewed   int             // how many of them have had their turn
	listedAll bool            // have is of all interfaces
	listed    map[string]bool // interfaces whose addresses are in have
	listedAt  mono.Time       // when they were read; 0: they have to be read again
	pause     func()          // Set's; else nil
	outbox    []vip.Action    // announcements and questions that wait for their turn; zero when done
	turn      int             // whose turn it is
	queue     []vip.Action    // reused
	want      vip.Set         // reused
	have      present         // as listed, and changed since
	settle    []vip.Address   // reused

	routing routing
	notes   *notes
	asker   *asker
	lost    atomic.Bool              // Watch saw a held address go
	stale   atomic.Bool              // Watch saw interfaces change
	watched atomic.Bool              // Watch would see it
	status  []atomic.Pointer[Status] // one for each of cfgs
}

// key is what makes an address one of its own to the kernel.
type key struct {
	ifname string
	prefix netip.Prefix
}

func keyOf(a vip.Address) key { return key{a.Interface, a.Prefix} }

// New makes the Manager of the instances' addresses. It changes nothing on the
// host. log is written by Watch only.
func New(cfgs []vip.Config, log *slog.Logger) (*Manager, error) {
	cfgs, err := complete(cfgs)
	if err != nil {
		return nil, err
	}
	h, err := open()
	if err != nil {
		return nil, err
	}
	batch, err := sys.OpenRouteBatch()
	if err != nil {
		_ = h.Close()
		return nil, err
	}
	m := &Manager{
		batch:   batch,
		byName:  map[string]int{},
		owners:  map[key]string{},
		listed:  map[string]bool{},
		cfgs:    cfgs,
		keeper:  vip.NewKeeper(cfgs),
		nl:      h,
		links:   map[string]int{},
		sockets: map[string]*announcer{},
		promote: map[int]bool{},
		failed:  map[string]string{},
		errs:    map[key]error{},
		ports:   map[string]*port{},
		sent:    make([]atomic.Uint64, len(cfgs)),
		notes:   newNotes(log),
	}
	m.routing.init(cfgs)
	m.asker = newAsker(cfgs, m.notes)
	m.status = make([]atomic.Pointer[Status], len(cfgs))
	for i, c := range cfgs {
		m.byName[c.Instance] = i
		for _, a := range c.Addresses {
			m.owners[keyOf(a)] = c.Instance
		}
	}
	m.publishAll()
	return m, nil
}

// open makes a netlink handle in the calling thread's network namespace.
func open() (*netlink.Handle, error) {
	h, err := netlink.NewHandleWithOptions(netlink.HandleOptions{
		DisableVFInfoCollection: true,
		RetryInterrupted:        true,
	}, sys.NetlinkRoute)
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	if err := h.SetSocketTimeout(patience); err != nil {
		_ = h.Close()
		return nil, fmt.Errorf("set timeout of netlink: %w", err)
	}
	// Lets the kernel choose the addresses of one interface. Kernels before 4.20
	// do not know it and send those of all; the list is filtered then.
	_ = h.SetStrictCheck(true)
	return h, nil
}

// complete fills in default interfaces and refuses what cannot be held.
func complete(cfgs []vip.Config) ([]vip.Config, error) {
	out := make([]vip.Config, 0, len(cfgs))
	owner := map[key]string{}
	for _, c := range cfgs {
		var list []vip.Address
		for _, a := range c.Addresses {
			if !a.Prefix.IsValid() || a.Prefix.Addr().Is4In6() {
				return nil, fmt.Errorf("vrrp_instance %s: %s cannot be a virtual address", c.Instance, a.Prefix)
			}
			if a.Prefix.Addr().Is6() {
				// The kernel has no labels there and finds the scope itself.
				a.Label, a.Scope = "", sys.ScopeUniverse
				if a.Prefix.Addr().IsLinkLocalUnicast() {
					a.Scope = sys.ScopeLink
				}
			}
			if a.Interface == "" {
				a.Interface = c.Interface
			}
			if a.Label == a.Interface {
				a.Label = "" // the kernel's default, which it does not tell from none
			}
			if other, ok := owner[keyOf(a)]; ok {
				return nil, fmt.Errorf("vrrp_instance %s: virtual address %s on %s belongs to vrrp_instance %s already", c.Instance, a.Prefix, a.Interface, other)
			}
			owner[keyOf(a)] = c.Instance
			list = append(list, a)
		}
		c.Addresses = list
		out = append(out, c)
	}
	return out, nil
}

// Close gives the sockets back. Addresses that are still there run out.
func (m *Manager) Close() error {
	m.asker.close()
	for _, s := range m.sockets {
		s.close()
	}
	m.batch.Close()
	return m.nl.Close()
}

// Set adds (up) or removes (down) all addresses of an instance and returns when
// the kernel has confirmed each. On an error some addresses may be
// in place; the Manager goes on trying until the next Set. Both directions are
// idempotent. pause, unless nil, is called after every setBatch addresses: the caller
// has other things to do, too.
func (m *Manager) Set(instance string, up bool, now mono.Time, pause func()) error {
	m.pause = pause
	defer func() { m.pause = nil }()
	h := m.holding(instance)
	if h == nil {
		return fmt.Errorf("no vrrp_instance %s has virtual addresses here", instance)
	}
	ev := vip.Event{Kind: vip.Down, Instance: instance}
	if up {
		ev.Kind = vip.Up
	}
	var errs []error
	for v := range h.Config.VMACs() {
		if up {
			errs = append(errs, m.raiseVMAC(v))
		} else {
			errs = append(errs, m.lowerVMAC(v))
		}
	}
	m.run(now, ev)
	if up && h.Config.Promote {
		m.promoteAll(h.Config)
	}
	if !up && !h.Config.Static {
		m.prepare(h.Config.Addresses)
	}
	for _, a := range h.Config.Addresses {
		errs = append(errs, m.errs[keyOf(a)])
	}
	return errors.Join(errs...)
}

// Announce broadcasts gratuitous ARP and unsolicited neighbour advertisements for
// all addresses that the instance holds and plans the repetitions.
func (m *Manager) Announce(instance string, conflict bool, now mono.Time) {
	m.run(now, vip.Event{Kind: vip.Announce, Instance: instance, Conflict: conflict})
}

// Deadline is when Tick has something to do. An address that Watch saw go makes
// it 0, so it should be asked for after each wake-up.
func (m *Manager) Deadline() mono.Time {
	if m.renewed < len(m.renewals) || len(m.outbox) > 0 || m.lost.Load() || m.routing.lost.Load() {
		return 0
	}
	return min(m.keeper.Deadline(), m.routing.retry)
}

// Tick renews leases, puts back what has vanished, and announces, as far as it
// is due. After a standstill the state machine must have seen the time first: it
// may order the addresses off.
func (m *Manager) Tick(now mono.Time) {
	ev := vip.Event{Kind: vip.Timer}
	routes := m.routing.lost.Swap(false) || now >= m.routing.retry
	if m.lost.Swap(false) {
		ev.Kind = vip.Missing
		m.listedAt = 0
	}
	switch {
	case ev.Kind == vip.Missing || m.keeper.Due(now):
		m.run(now, ev)
	case m.renewed < len(m.renewals):
		q := m.queue[:0]
		if m.stale.Load() { // the round goes on with what is ours still
			q = m.sync(now, "", q)
		} else {
			q = m.renewSome(now, q)
		}
		m.perform(now, q)
		if m.renewed == len(m.renewals) {
			m.publishAll()
		}
	case len(m.outbox) > 0:
		m.announceSome()
	}
	if routes {
		m.syncRouting(now)
		m.publishAll()
	}
}

// run lets the keeper take an event and does all that it asks for.
func (m *Manager) run(now mono.Time, ev vip.Event) {
	q := m.keeper.Step(now, ev, m.queue[:0])
	if ev.Instance != "" {
		m.publish(ev.Instance) // Watch must know what is wanted before the kernel reports it
	}
	if ev.Kind == vip.Down { // what points to the addresses goes before them
		m.syncRouting(now)
	}
	all := m.perform(now, q)
	if ev.Kind == vip.Up { // and comes after them
		m.syncRouting(now)
	}
	switch {
	case all:
		m.publishAll()
	case ev.Instance != "":
		m.publish(ev.Instance)
	}
}

// perform carries out the keeper's actions and those that follow from them. It reports
// whether the status of all instances may have changed.
func (m *Manager) perform(now mono.Time, q []vip.Action) (all bool) {
	for i := 0; i < len(q); i++ {
		switch a := q[i]; a.Kind {
		case vip.Sync:
			if a.Instance == "" {
				all, m.round = true, now
			}
			q = m.sync(now, a.Instance, q)
		case vip.Returned:
			m.notes.add(slog.LevelWarn, "virtual address had vanished from the interface, put back and announced", "address", a.Address.Prefix, "interface", a.Address.Interface)
		case vip.Send, vip.Ask:
			m.outbox = append(m.outbox, a)
		}
	}
	m.queue = q
	m.announceSome()
	return all
}

// holding returns what an instance holds; nil if there is no such instance.
func (m *Manager) holding(instance string) *vip.Holding {
	if i, ok := m.byName[instance]; ok {
		return &m.keeper.Holdings()[i]
	}
	return nil
}

// instanceOf names the instance that an address belongs to; "" if none.
func (m *Manager) instanceOf(a vip.Address) string { return m.owners[keyOf(a)] }
