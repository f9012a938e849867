package proxy

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"time"

	"baton/internal/sys"
	"baton/lb/sample"
	"baton/lb/spec"
)

// world is what expressions see of the process, on one loop.
type world struct {
	set *Set
	w   *Worker
}

var _ sample.World = (*world)(nil)

func (*world) Wall() time.Time                   { return time.Now() }
func (*world) Rand() uint64                      { return rand.Uint64() }
func (*world) Getenv(name string) (string, bool) { return os.LookupEnv(name) }
func (o *world) Hostname() string                { return o.set.hostname }
func (o *world) Stopping() bool                  { return o.set.draining.Load() }
func (o *world) Threads() (this, all int)        { return o.w.Loop.ID + 1, len(o.set.Workers) }
func (*world) IsLocal(a netip.Addr) bool         { return sys.IsLocal(a) }
func (o *world) PID() int                        { return o.set.PID }
func (o *world) Uptime() time.Duration           { return time.Since(o.set.started) }

func (o *world) FrontendCount(name string, what sample.Count) (int64, bool) {
	for _, fe := range o.set.Frontends {
		if fe.Spec.Name != name {
			continue
		}
		switch now := o.w.Loop.Now(); what {
		case sample.CountConns:
			return int64(fe.Conns.Load()), true
		case sample.CountSessRate:
			return fe.sessionRate.per(now), true
		case sample.CountReqRate:
			return fe.requestRate.per(now), true
		}
	}
	return 0, false
}

func (o *world) BackendCount(name string, what sample.Count) (int64, bool) {
	b := o.set.byName[name]
	if b == nil {
		return 0, false
	}
	switch what {
	case sample.CountConns:
		return int64(b.Conns.Load()), true
	case sample.CountUsable:
		return int64(b.Usable()), true
	case sample.CountQueue:
		return b.queued(), true
	case sample.CountFree:
		return b.free(), true
	case sample.CountSlots:
		return b.places(), true
	case sample.CountSessRate:
		return b.sessionRate.per(o.w.Loop.Now()), true
	}
	return 0, false
}

// queued counts who waits in the backend's queue and in those of its servers.
func (b *Backend) queued() int64 {
	n := b.Queued()
	for _, s := range b.Servers {
		n += s.Queued()
	}
	return int64(n)
}

// free adds up the connections that the servers in use have left, -1 when one of
// them has no limit.
func (b *Backend) free() int64 {
	n := int64(0)
	for _, slot := range b.Slots() {
		s := b.Servers[slot.ID]
		if s.maxconn.Load() == 0 {
			return -1
		}
		n += int64(max(s.maxconn.Load()-s.Load.Load(), 0))
	}
	return n
}

// places adds up the free connections and queue places of all usable servers, -1
// when one of them has no limit.
func (b *Backend) places() int64 {
	n := int64(0)
	for _, s := range b.Servers {
		if !s.Usable() {
			continue
		}
		if s.maxconn.Load() == 0 || s.Spec.Maxqueue == 0 {
			return -1
		}
		n += int64(s.maxconn.Load()-s.Load.Load()) + int64(s.Spec.Maxqueue-s.Queued())
	}
	return n
}

func (o *world) ServerCount(backend, server string, what sample.Count) (int64, bool) {
	b := o.set.byName[backend]
	if b == nil {
		return 0, false
	}
	for _, s := range b.Servers {
		if s.Spec.Name == server {
			if what == sample.CountSessRate {
				return s.sessionRate.per(o.w.Loop.Now()), true
			}
			return s.count(what)
		}
	}
	return 0, false
}

func (s *Server) count(what sample.Count) (int64, bool) {
	switch what {
	case sample.CountConns:
		return int64(s.Load.Load()), true
	case sample.CountUsable:
		if s.Usable() {
			return 1, true
		}
		return 0, true
	case sample.CountFree:
		if s.maxconn.Load() == 0 {
			return -1, true
		}
		return int64(max(s.maxconn.Load()-s.Load.Load(), 0)), true
	case sample.CountQueue:
		return int64(s.Queued()), true
	case sample.CountIWeight:
		return int64(s.Spec.Weight), true
	case sample.CountWeight, sample.CountUWeight:
		return int64(s.Weight()), true
	}
	return 0, false
}

// factsOf is what expressions can tell about a proxy.
func factsOf(c *spec.Common) sample.Proxy {
	to := &c.Timeouts
	return sample.Proxy{
		Name: c.Name, ID: int(c.Number), ClientTimeout: to.Client, ServerTimeout: to.Server, TunnelTimeout: to.Tunnel,
		ConnectTimeout: to.Connect, QueueTimeout: to.Queue, TarpitTimeout: to.Tarpit, CheckTimeout: to.Check,
	}
}

// World is what expressions see of the process outside of its loops.
func (s *Set) World() sample.World { return &world{set: s, w: s.Workers[0]} }

// ProcVars are the variables of the process.
func (s *Set) ProcVars() *sample.ProcVars { return &s.procVars }

// Facts is what expressions see of the backend.
func (b *Backend) Facts() *sample.Proxy { return &b.facts }

// Facts is what expressions see of the server.
func (s *Server) Facts() *sample.Target { return &s.facts }
