package vrrp

import (
	"net/netip"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/vrrp/packet"
)

// FuzzSyncGroup throws arbitrary events at a sync group of two: its members are in
// the same state after every step, and hold addresses in MASTER only.
func FuzzSyncGroup(f *testing.F) {
	f.Add(uint8(0), []byte{6, 0, 1, 7, 1, 1, 0, 1, 90, 8, 2, 200, 2, 0, 3, 3, 0, 0})
	f.Add(uint8(3), []byte{6, 0, 1, 7, 1, 1, 1, 40, 1, 40, 5, 0, 1, 255})
	f.Fuzz(func(t *testing.T, flags uint8, script []byte) {
		c := Config{
			VRID: 1, Priority: 100, AdvertInterval: time.Second, NoPreempt: flags&2 != 0,
			HigherPrioSendAdvert: flags&4 != 0, DontTrackPrimary: flags&8 != 0,
		}
		if flags&1 != 0 {
			c.Priority, c.StartAsMaster = 255, true
		}
		if flags&16 != 0 {
			c.PreemptDelay, c.StartDelay = 3*time.Second, time.Second
		}
		g, now, holds := NewSyncGroup(c, c), mono.Time(0), [2]bool{}
		arg := func() byte {
			if len(script) == 0 {
				return 0
			}
			b := script[0]
			script = script[1:]
			return b
		}
		for len(script) > 0 {
			b := arg()
			ev := Event{Kind: EventKind(b % uint8(Shutdown+1)), Member: int(b>>3) % 2}
			if b&0x80 != 0 {
				ev.Kind = PeerGone + EventKind(b%uint8(Resign-PeerGone+1))
				ev.From, ev.Priority = netip.AddrFrom4([4]byte{10, 0, 0, arg()}), arg()
			}
			switch ev.Kind {
			case Timer:
				now = now.Add(time.Duration(arg()) * 100 * time.Millisecond)
			case Heard:
				ev.From = netip.AddrFrom4([4]byte{10, 0, 0, arg()})
				ev.Advert = &packet.Advert{VRID: 1, Priority: arg(), Interval: time.Second}
			case Link:
				b := arg()
				ev.Faults = Faults(b >> 2)
				if b&1 != 0 {
					ev.Source = netip.AddrFrom4([4]byte{10, 0, 0, 5})
				}
			case Health:
				b := arg()
				ev.Delta, ev.Fault, ev.Pending = int(int8(arg())), b&1 != 0, b&2 != 0
			}
			for _, a := range g.Step(now, ev, nil) {
				if a.Kind == SetVIPs {
					holds[a.Member] = a.Up
				}
			}
			for i := range holds {
				s := g.Member(i).State()
				if s != g.Member(0).State() {
					t.Fatalf("members in %v and %v after %v", g.Member(0).State(), s, ev.Kind)
				}
				if holds[i] != (s == Master) {
					t.Fatalf("addresses of %d up %v in %v", i, holds[i], s)
				}
				if (s == Master || s == Backup) && g.Member(i).Deadline() == mono.Never {
					t.Fatalf("no timer in %v", s)
				}
			}
			if g.State() != g.Member(0).State() {
				t.Fatalf("the group is told as %v, its members are %v", g.State(), g.Member(0).State())
			}
		}
	})
}
