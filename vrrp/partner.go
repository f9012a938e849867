package vrrp

import (
	"net/netip"
	"time"

	"baton/internal/mono"
	"baton/vrrp/packet"
)

const (
	// HandoverTime is how long a master that has asked another node to succeed it
	// waits for that node's advert. After it, it counts as not having asked.
	HandoverTime = time.Second

	// successionTime is how long a successor passes over the adverts of the one
	// that asked it: longer than HandoverTime, so that of the two the master gives
	// up first; bounded, so that a master that never let go wins by its rank.
	successionTime = 3 * HandoverTime / 2

	// lingerTime is how long the kernel of a dead node may still answer for its
	// addresses, until their lease ends; meanwhile the new master repeats its
	// announcement every lingerRepeat, for who asked the wrong one.
	lingerTime   = 4 * time.Second
	lingerRepeat = 500 * time.Millisecond

	// claimTime is how long a claim lasts at least: time for a living master's answer.
	claimTime = 500 * time.Millisecond

	// distrustTime is how long no end is believed after one that was none.
	distrustTime = 10 * time.Minute
)

// partner is what an instance knows from the pair link, where there is one. VRRP
// stays the authority: everything here ends by itself, and is settled by adverts.
type partner struct {
	// MASTER: the next advert of successor ends it, until yieldUntil.
	successor  netip.Addr
	yieldUntil mono.Time

	// MASTER: adverts of predecessor that would win are passed over until graceUntil.
	predecessor netip.Addr
	graceUntil  mono.Time

	// MASTER: taken over because the kernel of presumed, the present master, said
	// that its process is gone. Whoever cuts or forges a TCP connection can say
	// that, so until claimUntil the instance ranks below presumed, which proves
	// itself alive by one advert and wins.
	presumed   netip.Addr
	claim      uint8
	claimUntil mono.Time

	// MASTER: the announcement is repeated with adverts, next at announceNext, until
	// announceUntil.
	announceNext, announceUntil mono.Time

	distrustUntil mono.Time
	yielded       bool // BACKUP: has handed over, so takes from nobody who lives
}

// Yielded reports whether the instance has handed its addresses over and leaves
// them where they are as long as there is a master.
func (i *Instance) Yielded() bool { return i.partner.yielded }

// claims reports whether a takeover is provisional.
func (i *Instance) claims(now mono.Time) bool {
	return i.partner.claim != 0 && now < i.partner.claimUntil
}

// rank is the priority that the instance says it has, and is measured by.
func (i *Instance) rank(now mono.Time) uint8 {
	if i.claims(now) {
		return min(i.partner.claim, i.Priority())
	}
	return i.Priority()
}

// confirm ends a claim that nobody has contradicted.
func (p *partner) confirm(now mono.Time) {
	if p.claim != 0 && now >= p.claimUntil {
		p.claim, p.yielded = 0, false
	}
}

// announces reports whether an advert is to be followed by another announcement.
func (p *partner) announces(now mono.Time) bool {
	if now < p.announceNext || now >= p.announceUntil {
		return false
	}
	p.announceNext = now.Add(lingerRepeat)
	return true
}

// preempts reports whether a lower master is to be taken over from.
func (i *Instance) preempts() bool { return !i.cfg.NoPreempt && !i.partner.yielded }

// hint handles what the pair link knows.
func (i *Instance) hint(now mono.Time, ev Event, out []Action) []Action {
	p := &i.partner
	switch ev.Kind {
	case PeerGone:
		// Below a master of priority 1 there is no rank for a claim: silence decides.
		if i.state == Backup && i.isMaster(ev.From) && i.peerPriority > 1 && now >= p.distrustUntil {
			i.presume(now)
			return i.take(now, ProcessGone, out)
		}
	case PeerLeft:
		if i.state == Backup && i.isMaster(ev.From) {
			return i.take(now, Resigned, out)
		}
	case PeerWaits:
		if i.state == Backup && !i.peer.IsValid() && i.preempts() && i.outranks(ev.From, ev.Priority) {
			return i.take(now, NoneYet, out)
		}
	case Succeed:
		if i.state == Backup {
			p.predecessor, p.graceUntil = ev.From, now.Add(successionTime)
			return i.take(now, Asked, out)
		}
	case Withdraw:
		if p.graceUntil = now; i.wantWhy == Asked {
			i.wants = false
		}
	case Yield:
		p.successor, p.yieldUntil = ev.From, now.Add(HandoverTime)
	case Keep:
		p.yielded = false
		if p.yieldUntil = now; i.state == Master {
			// The one that was asked may have come forward unheard.
			return i.advertise(now, out)
		}
	case Resign:
		if i.state == Master {
			out = i.backup(now, HandedOver, i.resign(now, out))
			p.yielded = true
		}
	case PeerBack:
		if i.state == Master && i.answers(now) {
			return append(out, Action{Kind: Announce, Conflict: true})
		}
	}
	return out
}

// presume prepares a takeover from a master that is thought dead: a claim below
// its priority, and announcements for as long as its kernel may answer for it.
func (i *Instance) presume(now mono.Time) {
	p := &i.partner
	p.presumed, p.claimUntil = i.peer, now.Add(max(3*i.interval()/2, claimTime))
	p.claim = max(i.peerPriority, 2) - 1
	p.announceNext, p.announceUntil = now.Add(lingerRepeat), now.Add(lingerTime+lingerRepeat)
}

// take enters MASTER now, or in a sync group as soon as all members want to.
func (i *Instance) take(now mono.Time, why Why, out []Action) []Action {
	if i.grouped {
		i.want(now, why)
		return out
	}
	return i.rise(now, why, out)
}

// rise enters MASTER in the order that the reason asks for.
func (i *Instance) rise(now mono.Time, why Why, out []Action) []Action {
	if now < i.partner.graceUntil {
		return i.succeed(now, why, out)
	}
	return i.master(now, why, out)
}

// isMaster reports whether a is the source of the last master's adverts.
func (i *Instance) isMaster(a netip.Addr) bool { return same(a, i.peer) }

// outranks reports whether this instance wins an election against another.
func (i *Instance) outranks(addr netip.Addr, priority uint8) bool {
	ours := i.Priority()
	return ours > priority || ours == priority && addr.IsValid() && i.Source().Compare(addr) > 0
}

// succeed enters MASTER at the wish of the present master. It goes on serving
// until it hears our advert, so here the advert comes last: the addresses stand
// and are announced when the other lets go, and if they cannot be set up, it
// never does.
func (i *Instance) succeed(now mono.Time, why Why, out []Action) []Action {
	out = append(out, Action{Kind: SetVIPs, Up: true}, Action{Kind: Announce})
	i.deadline = now
	out = i.advertise(now, out)
	i.partner.yielded = false
	i.masterInterval = 0
	i.resigned, i.lowerHeard, i.owes = false, false, false
	return i.enter(now, Master, why, out)
}

// hearPartner handles an advert that means something else to a MASTER than its
// rank says, because of what came by the link. done is false for all others.
func (i *Instance) hearPartner(now mono.Time, from netip.Addr, ad *packet.Advert, out []Action) (_ []Action, done bool) {
	p := &i.partner
	switch {
	case ad.Priority == 0:
		return out, false
	case same(from, p.successor) && now < p.yieldUntil:
		i.peer, i.peerPriority = from, ad.Priority
		out = i.backup(now, HandedOver, out)
		p.yielded = true
		return out, true
	case same(from, p.predecessor) && now < p.graceUntil:
		// A lower rank is answered as ever: it may have let go, and be misled since.
		return out, ad.Priority >= i.rank(now)
	case same(from, p.presumed) && i.claims(now) && ad.Priority >= i.rank(now):
		// A lower rank than the claim is no sign of that master, but of a node that
		// thinks the same of this one.
		i.peer, i.peerPriority = from, ad.Priority
		p.distrustUntil = now.Add(distrustTime)
		return i.backup(now, StillAlive, out), true
	}
	return out, false
}

// same compares addresses of nodes. That of a link-local one has a zone where it
// was heard, and none where it came by the link.
func same(a, b netip.Addr) bool { return a.IsValid() && a.WithZone("") == b.WithZone("") }

// leaveMaster forgets what was agreed with the partner while MASTER.
func (p *partner) leaveMaster() {
	*p = partner{distrustUntil: p.distrustUntil, yielded: p.yielded}
}
