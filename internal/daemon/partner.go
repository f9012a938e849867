package daemon

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"baton/conf/keepalived"
	"baton/pair"
	pairlink "baton/pair/link"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

// partner is what this node knows of the other baton, and tells it. It turns what
// comes by the pair link into hints for the VRRP instances; whether they follow is
// theirs to decide.
type partner struct {
	log     *slog.Logger
	cfg     *keepalived.Pair
	link    *pairlink.Link
	hello   pair.Hello
	keys    []pair.Key // of the instances, in the order of the configuration
	look    func() pair.State
	vrrp    func() []vrrpnet.Status
	hint    func(instance string, ev vrrp.Event)
	changes chan struct{} // this node's state may have changed

	mu      sync.Mutex
	up      bool
	peer    *pair.Hello // of the peer, while the link is up and after
	state   *pair.State // its last one
	reborn  bool        // the next state comes from another process than the last
	back    bool        // and it is the first of a connection
	asked   map[uint32]chan pair.Answer
	lastID  uint32
	changed chan struct{} // closed and replaced when an instance has changed its state
}

// refreshPartner is how often the state is compared with what the peer was told,
// beside when something happens: priorities and servers have many causes.
const refreshPartner = time.Second

// buildPartner makes the link to the other baton, where the configuration asks for
// one.
func (d *process) buildPartner() {
	c := d.half.Load().cfg.Pair
	if c == nil {
		return
	}
	p := &partner{
		log: d.Log, cfg: c, hello: d.pairHello(), look: d.pairState, vrrp: d.speaker.Status, hint: d.speaker.Hint,
		changes: make(chan struct{}, 1), asked: map[uint32]chan pair.Answer{}, changed: make(chan struct{}),
	}
	p.keys = p.hello.ConfigKeys()
	p.link = pairlink.New(pairlink.Options{
		Key: c.Key, PeerKey: c.PeerKey, Peer: c.Peer, Listen: c.Listen, Hello: p.hello, Log: d.Log, On: p.on,
	})
	d.partner = p
}

// pairHello is what this node says of itself once.
func (d *process) pairHello() pair.Hello {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	h := pair.Hello{Incarnation: binary.BigEndian.Uint64(random[:]), Version: d.Version, Node: d.cfg.Name}
	for _, in := range d.half.Load().cfg.Instances {
		v := in.VRRP
		var addresses []netip.Prefix
		for _, a := range in.VIP.Addresses {
			addresses = append(addresses, a.Prefix)
		}
		slices.SortFunc(addresses, func(a, b netip.Prefix) int { return bytes.Compare(fmt.Append(nil, a), fmt.Append(nil, b)) })
		h.Instances = append(h.Instances, pair.InstanceConfig{
			Key: instanceKey(v.Name, v.VRID, v.IPv6), Interval: v.AdvertInterval,
			Addresses: digest(addresses), Protocol: digest([]any{max(v.Version, 2), v.Auth}),
		})
	}
	return h
}

func instanceKey(name string, vrid uint8, v6 bool) pair.Key {
	k := pair.Key{Name: name, VRID: vrid, Family: 4}
	if v6 {
		k.Family = 6
	}
	return k
}

func digest(v any) (d pair.Digest) {
	sum := sha256.Sum256(fmt.Append(nil, v))
	copy(d[:], sum[:])
	return d
}

// run keeps the link and tells the peer what this node is doing, until ctx ends.
func (p *partner) run(ctx context.Context) error {
	p.link.Publish(p.look())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.publish(ctx)
	}()
	err := p.link.Run(ctx)
	<-done
	return err
}

func (p *partner) publish(ctx context.Context) {
	tick := time.NewTicker(refreshPartner)
	defer tick.Stop()
	var last []byte
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.changes:
		case <-tick.C:
		}
		s := p.look()
		if b := pair.Append(nil, s); !bytes.Equal(b, last) {
			last = b
			p.link.Publish(s)
		}
	}
}

// touch says that this node's state may have changed. It does not block.
func (p *partner) touch() {
	if p == nil {
		return
	}
	select {
	case p.changes <- struct{}{}:
	default:
	}
}

// onVRRP takes the speaker's events.
func (p *partner) onVRRP(e vrrpnet.Event) {
	if p == nil || e.Kind != vrrpnet.StateChanged && e.Kind != vrrpnet.Resync {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
	if e.State == vrrp.Backup && p.up && p.state != nil {
		p.waits(*p.state) // the peer may have told long ago that it waits
	}
}

// on takes what the link says, on the link's goroutine.
func (p *partner) on(a pair.Action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch a.Kind {
	case pair.Up:
		p.up, p.peer = true, &a.Hello
		p.reborn, p.back = !a.Again, true
		p.log.Info("pair link up", "peer", a.Hello.Node, "version", a.Hello.Version)
		for _, text := range pair.Differences(p.hello, a.Hello) {
			p.log.Warn("the nodes of the pair differ: " + text)
		}
	case pair.Down:
		p.up = false
		level := slog.LevelWarn
		if a.Why == pair.PeerLeft {
			level = slog.LevelInfo
			if p.state != nil {
				p.hintAll(*p.state, vrrp.Withdraw, wasMaster)
			}
		}
		p.log.Log(context.Background(), level, "pair link down: "+a.Why.String(), "peer", p.cfg.Peer.Addr())
	case pair.Gone:
		if p.state != nil {
			p.hintAll(*p.state, vrrp.PeerGone, func(pair.InstanceState) bool { return true })
		}
	case pair.Heard:
		p.heard(a.Message)
	}
}

func (p *partner) heard(m pair.Message) {
	switch m := m.(type) {
	case pair.State:
		was := p.state
		if was != nil {
			p.left(*was, m)
		}
		if p.back {
			p.hintAll(m, vrrp.PeerBack, func(is pair.InstanceState) bool { return is.Role != pair.Master })
		}
		p.state, p.reborn, p.back = &m, false, false
		p.waits(m)
	case pair.Takeover:
		p.link.Say(p.consider(m))
	case pair.Cancel:
		if i := pair.Match([]pair.Key{m.Key}, 0, p.keys); i >= 0 {
			p.hint(p.keys[i].Name, vrrp.Event{Kind: vrrp.Withdraw})
		}
	case pair.Answer:
		if c := p.asked[m.ID]; c != nil {
			c <- m // has room for the one answer
			delete(p.asked, m.ID)
		}
	}
}

// left finds the instances that the peer was master of and says it is not any
// more. MASTER to BACKUP is no such case: the election that took it away goes on
// by adverts. Unless the process is another one, which has lost none.
func (p *partner) left(was, is pair.State) {
	now := is.StateKeys()
	p.hintAll(was, vrrp.Withdraw, func(old pair.InstanceState) bool {
		n := slices.Index(now, old.Key)
		return wasMaster(old) && (n < 0 || is.Instances[n].Role != pair.Master)
	})
	p.hintAll(was, vrrp.PeerLeft, func(old pair.InstanceState) bool {
		if old.Role != pair.Master {
			return false
		}
		n := slices.Index(now, old.Key)
		switch {
		case n < 0:
			return p.reborn
		case p.reborn:
			return is.Instances[n].Role != pair.Master
		}
		return is.Instances[n].Role == pair.Fault || is.Instances[n].Role == pair.Init
	})
}

// wasMaster: one that has let go asks for no successor any more. Else what it says
// when it is started again at once would still be passed over.
func wasMaster(old pair.InstanceState) bool { return old.Role == pair.Master }

// waits finds the instances of which the peer is no master either, and has heard
// none. One in FAULT ranks below all.
func (p *partner) waits(s pair.State) {
	for _, in := range s.Instances {
		ev := vrrp.Event{Kind: vrrp.PeerWaits, From: in.Source, Priority: in.Priority}
		switch {
		case in.Master.IsValid():
			continue
		case in.Role == pair.Fault:
			ev.Priority = 0
		case in.Role != pair.Backup:
			continue
		}
		if i := pair.Match([]pair.Key{in.Key}, 0, p.keys); i >= 0 {
			p.hint(p.keys[i].Name, ev)
		}
	}
}

// hintAll gives a hint to the counterpart of each of the peer's instances that is
// meant.
func (p *partner) hintAll(s pair.State, kind vrrp.EventKind, meant func(pair.InstanceState) bool) {
	theirs := s.StateKeys()
	for i, k := range p.keys {
		n := pair.Match(p.keys, i, theirs)
		if n >= 0 && s.Instances[n].Source.IsValid() && meant(s.Instances[n]) {
			p.hint(k.Name, vrrp.Event{Kind: kind, From: s.Instances[n].Source})
		}
	}
}

// consider answers a request to take over, and takes over.
func (p *partner) consider(t pair.Takeover) pair.Answer {
	no := func(format string, args ...any) pair.Answer {
		return pair.Answer{ID: t.ID, Reason: fmt.Sprintf(format, args...)}
	}
	i := pair.Match([]pair.Key{t.Key}, 0, p.keys)
	if i < 0 {
		return no("there is no instance %s with VRID %d", t.Key.Name, t.Key.VRID)
	}
	state := p.look()
	n := slices.Index(state.StateKeys(), p.keys[i])
	if n < 0 {
		return no("instance %s is being reloaded", t.Key.Name)
	}
	ours := state.Instances[n]
	switch {
	case ours.Role == pair.Master:
		return no("it is MASTER already")
	case ours.Role != pair.Backup:
		return no("%s", ours.Reason)
	case ours.Reason != "" && !t.Force:
		return no("%s", ours.Reason)
	}
	ev := vrrp.Event{Kind: vrrp.Succeed}
	if p.state != nil {
		if n := slices.Index(p.state.StateKeys(), t.Key); n >= 0 {
			ev.From = p.state.Instances[n].Source
		}
	}
	p.hint(p.keys[i].Name, ev)
	return pair.Answer{ID: t.ID, Accepted: true}
}

// reload goes on with the instances of another configuration. The peer learns what
// the hello says of them with the next connection; the states tell at once which
// there are.
func (p *partner) reload(d *process) {
	if p == nil {
		return
	}
	hello := d.pairHello()
	p.mu.Lock()
	hello.Incarnation = p.hello.Incarnation
	p.hello, p.keys = hello, hello.ConfigKeys()
	p.mu.Unlock()
	p.touch()
}
