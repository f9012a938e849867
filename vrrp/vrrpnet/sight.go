package vrrpnet

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"
)

const (
	// maxSights bounds how many other nodes of a virtual router are remembered.
	maxSights = 4

	// A node that has been silent for so long says nothing about its settings: it is
	// backup, or gone.
	sightHolds = time.Minute

	// tellSights bounds how often a node that changes its mind is told of.
	tellSights = time.Second
)

// Sight is what the adverts of another node show of its settings.
type Sight struct {
	From     netip.Addr
	Version  uint8
	Interval time.Duration // what follows is zero with another version
	Priority uint8
	Differs  vrrp.Differences
}

// Tell puts a sight into sentences, one for each difference.
func (s Sight) Tell(c *vrrp.Config) []string {
	var out []string
	s.Differs.Each(func(one vrrp.Differences) {
		refused := ""
		if one.Refused(max(c.Version, 2)) {
			refused = ": its adverts are refused"
		}
		switch one {
		case vrrp.OtherVersion:
			out = append(out, fmt.Sprintf("%v speaks VRRP version %d, this node version %d%s", s.From, s.Version, max(c.Version, 2), refused))
		case vrrp.OtherAuth:
			out = append(out, fmt.Sprintf("%v has another authentication type%s", s.From, refused))
		case vrrp.OtherPassword:
			out = append(out, fmt.Sprintf("%v has another auth_pass%s", s.From, refused))
		case vrrp.OtherInterval:
			if refused == "" {
				refused = ": as long as it is master its interval counts"
			}
			out = append(out, fmt.Sprintf("advert_int of %v is %v, here %v%s", s.From, s.Interval, c.AdvertInterval, refused))
		case vrrp.OtherAddresses:
			out = append(out, fmt.Sprintf("%v advertises other addresses than this node has: what only one of them has goes away with it", s.From))
		case vrrp.OtherSum:
			out = append(out, fmt.Sprintf("%v makes its checksums otherwise (v3_checksum_as_v2): baton takes both, it may refuse this node's adverts", s.From))
		case vrrp.SamePriority:
			out = append(out, fmt.Sprintf("%v has the same priority, %d: when two masters meet the higher address decides", s.From, s.Priority))
		}
	})
	return out
}

// sights remembers the other nodes of a virtual router. The VRRP thread writes,
// others read; an entry is replaced only when something is another.
type sights struct {
	list [maxSights]struct {
		seen  atomic.Pointer[Sight]
		heard atomic.Int64 // mono.Time of the last advert
		told  limiter
	}
}

// see notes an advert whose form is right, or whose version is another (ad is nil
// then). It returns what is to be told: once for each change.
func (s *sights) see(now mono.Time, from netip.Addr, version uint8, i *vrrp.Instance, ad *packet.Advert) (sight Sight, news bool) {
	sight = Sight{From: from, Version: version, Differs: vrrp.OtherVersion}
	if ad != nil {
		if ad.Priority == 0 {
			return sight, false // the last word of a master: it says nothing about the next one
		}
		sight = Sight{From: from, Version: version, Interval: ad.Interval, Priority: ad.Priority, Differs: i.Differs(ad)}
	}
	free := -1
	for n := range s.list {
		e := &s.list[n]
		old := e.seen.Load()
		if old == nil || old.From != from {
			if free < 0 && (old == nil || now.Sub(mono.Time(e.heard.Load())) > sightHolds) {
				free = n
			}
			continue
		}
		e.heard.Store(int64(now))
		if *old == sight {
			return sight, false
		}
		if news = old.Differs != sight.Differs; news {
			if _, ok := e.told.pass(now, tellSights); !ok {
				return sight, false // what was told stands until then
			}
		}
		e.seen.Store(new(sight))
		return sight, news
	}
	if free < 0 {
		return sight, false // more nodes than anybody runs
	}
	e := &s.list[free]
	e.heard.Store(int64(now))
	e.seen.Store(new(sight))
	if sight.Differs != 0 {
		_, news = e.told.pass(now, tellSights)
	}
	return sight, news
}

// present returns those that have been heard of late.
func (s *sights) present(now mono.Time) []Sight {
	var out []Sight
	for n := range s.list {
		e := &s.list[n]
		if seen := e.seen.Load(); seen != nil && now.Sub(mono.Time(e.heard.Load())) <= sightHolds {
			out = append(out, *seen)
		}
	}
	return out
}

// see tells what an advert shows of its sender's settings, when that is news.
func (l *loop) see(now mono.Time, m *member, from netip.Addr, version uint8, ad *packet.Advert) {
	if from == m.instance().Source() {
		return
	}
	s, news := m.sights.see(now, from, version, m.instance(), ad)
	if !news {
		return
	}
	text := fmt.Sprintf("the settings of %v agree with this node's now", from)
	if s.Differs != 0 {
		text = strings.Join(s.Tell(&m.cfg), "; ")
	}
	l.s.queue.put(Event{Kind: PeerDiffers, Time: now, Instance: m.cfg.Name, Interface: m.cfg.Interface, Peer: from, Differs: s.Differs, Text: text})
}

// toldBySight reports whether a refusal is told by PeerDiffers, once for each change.
func toldBySight(e Event) bool {
	switch e.Reason {
	case packet.Version, packet.AuthKind, packet.AuthData, packet.Interval, packet.Addresses:
		return e.Kind == Refused && e.Instance != ""
	}
	return false
}
