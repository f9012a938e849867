package sample

import (
	"strings"
	"time"
)

// sessionFetches are the fetches of chapters 7.3.3 and 7.3.6 about the session as a
// whole: its timers, how it was forwarded, what the kernel knows of its connections.
var sessionFetches = []fetch{
	{"accept_date", []argKind{argStr}, 0, Int, session, fact(func(f *Facts, a []Arg) (int64, bool) { return sinceEpoch(f.Accepted, a), true }), checkDateUnit, "when the connection was accepted; unit s, ms or us"},
	{"bc.timer.connect", nil, 0, Int, server, timer(func(f *Facts) time.Duration { return f.Tc }), nil, "time to connect to the server, in milliseconds: %Tc"},
	{"bc_reused", nil, 0, Bool, server, runReused, nil, "the server's connection had served before"},
	{"bc_rtt", []argKind{argStr}, 0, Int, server, roundTrip(true, func(i *TCPInfo) time.Duration { return i.RTT }), checkRoundTrip, "round-trip time to the server, in ms or us"},
	{"bc_rttvar", []argKind{argStr}, 0, Int, server, roundTrip(true, func(i *TCPInfo) time.Duration { return i.RTTVar }), checkRoundTrip, "its variance"},
	{"be_check_timeout", nil, 0, Int, inBackend, backendTimeout(func(p *Proxy) time.Duration { return p.CheckTimeout }), nil, "the backend's timeout check, in milliseconds"},
	{"be_connect_timeout", nil, 0, Int, inBackend, backendTimeout(func(p *Proxy) time.Duration { return p.ConnectTimeout }), nil, "the backend's timeout connect, in milliseconds"},
	{"be_id", nil, 0, Int, inBackend, func(c *Ctx, _ []Arg, s *Sample) bool { return c.Backend != nil && s.setInt(int64(c.Backend.ID)) }, nil, "number of the backend"},
	{"be_queue_timeout", nil, 0, Int, inBackend, backendTimeout(func(p *Proxy) time.Duration { return p.QueueTimeout }), nil, "the backend's timeout queue, in milliseconds"},
	{"be_sess_rate", []argKind{argBackend}, 0, Int, running, backendCount(CountSessRate), nil, "new sessions of a backend in the last second"},
	{"be_tarpit_timeout", nil, 0, Int, inBackend, backendTimeout(func(p *Proxy) time.Duration { return p.TarpitTimeout }), nil, "the backend's timeout tarpit, in milliseconds"},
	{"bytes_in", nil, 0, Int, session, fact(func(f *Facts, _ []Arg) (int64, bool) { return f.In, true }), nil, "bytes that came from the client"},
	{"bytes_out", nil, 0, Int, session, fact(func(f *Facts, _ []Arg) (int64, bool) { return f.Out, true }), nil, "bytes that went to the client"},
	{"cur_client_timeout", nil, 0, Int, session, timer(func(f *Facts) time.Duration { return f.ClientTimeout }), nil, "timeout client as rules have left it, in milliseconds"},
	{"cur_server_timeout", nil, 0, Int, inBackend, timer(func(f *Facts) time.Duration { return f.ServerTimeout }), nil, "timeout server as rules have left it"},
	{"cur_tunnel_timeout", nil, 0, Int, inBackend, timer(func(f *Facts) time.Duration { return f.TunnelTimeout }), nil, "timeout tunnel as rules have left it"},
	{"fc.timer.handshake", nil, 0, Int, session, timer(func(f *Facts) time.Duration { return f.Th }), nil, "time for handshakes with the client, in milliseconds: %Th"},
	{"fc.timer.total", nil, 0, Int, session, timer(func(f *Facts) time.Duration { return f.Tt() }), nil, "time since the connection was accepted: %Tt"},
	{"fc_fackets", nil, 0, Int, session, kernelCount(func(i *TCPInfo) uint32 { return i.Fackets }), nil, "the kernel's fack counter of the client's connection"},
	{"fc_lost", nil, 0, Int, session, kernelCount(func(i *TCPInfo) uint32 { return i.Lost }), nil, "segments to the client that the kernel takes for lost"},
	{"fc_reordering", nil, 0, Int, session, kernelCount(func(i *TCPInfo) uint32 { return i.Reordering }), nil, "reordering that the kernel sees to the client"},
	{"fc_retrans", nil, 0, Int, session, kernelCount(func(i *TCPInfo) uint32 { return i.Retrans }), nil, "segments to the client on their way again"},
	{"fc_rtt", []argKind{argStr}, 0, Int, session, roundTrip(false, func(i *TCPInfo) time.Duration { return i.RTT }), checkRoundTrip, "round-trip time to the client, in ms or us"},
	{"fc_rttvar", []argKind{argStr}, 0, Int, session, roundTrip(false, func(i *TCPInfo) time.Duration { return i.RTTVar }), checkRoundTrip, "its variance"},
	{"fc_sacked", nil, 0, Int, session, kernelCount(func(i *TCPInfo) uint32 { return i.Sacked }), nil, "segments to the client that were acknowledged selectively"},
	{"fc_unacked", nil, 0, Int, session, kernelCount(func(i *TCPInfo) uint32 { return i.Unacked }), nil, "segments to the client that are not acknowledged"},
	{"fe_id", nil, 0, Int, session, func(c *Ctx, _ []Arg, s *Sample) bool { return c.Frontend != nil && s.setInt(int64(c.Frontend.ID)) }, nil, "number of the frontend"},
	{"fe_req_rate", []argKind{argFrontend}, 0, Int, running, frontendCount(CountReqRate), nil, "requests to a frontend in the last second"},
	{"fe_sess_rate", []argKind{argFrontend}, 0, Int, running, frontendCount(CountSessRate), nil, "new connections to a frontend in the last second"},
	{"fe_tarpit_timeout", nil, 0, Int, session, func(c *Ctx, _ []Arg, s *Sample) bool {
		return c.Frontend != nil && s.setInt(c.Frontend.TarpitTimeout.Milliseconds())
	}, nil, "the frontend's timeout tarpit, in milliseconds"},
	{"fs.aborted", nil, 0, Bool, session, aborted('C'), nil, "the client broke off"},
	{"bs.aborted", nil, 0, Bool, session, aborted('S'), nil, "the server broke off"},
	{"last_rule_file", nil, 0, Str, session, name(func(f *Facts) string { return f.RuleFile }), nil, "file of the last rule that ended an evaluation of rules"},
	{"last_rule_line", nil, 0, Int, session, fact(func(f *Facts, _ []Arg) (int64, bool) { return int64(f.RuleLine), f.RuleLine > 0 }), nil, "and its line"},
	{"pid", nil, 0, Int, anywhere, func(c *Ctx, _ []Arg, s *Sample) bool { return c.World != nil && s.setInt(int64(c.World.PID())) }, nil, "number of the process"},
	{"prio_class", nil, 0, Int, persistent, fact(func(f *Facts, _ []Arg) (int64, bool) { return int64(f.PriorityClass), true }), nil, "class in queues: set-priority-class"},
	{"prio_offset", nil, 0, Int, persistent, fact(func(f *Facts, _ []Arg) (int64, bool) { return f.PriorityOffset.Milliseconds(), true }), nil, "offset in queues, in milliseconds: set-priority-offset"},
	{"quic_enabled", nil, 0, Bool, anywhere, constBool(false), nil, "always false: there is no QUIC"},
	{"req.timer.hdr", nil, 0, Int, persistent, timer(func(f *Facts) time.Duration { return f.TR }), nil, "first byte to complete head of the request, in milliseconds: %TR"},
	{"req.timer.idle", nil, 0, Int, persistent, timer(func(f *Facts) time.Duration { return f.Ti }), nil, "idle time before the request: %Ti"},
	{"req.timer.queue", nil, 0, Int, chosen, timer(func(f *Facts) time.Duration { return f.Tw }), nil, "time in queues: %Tw"},
	{"req.timer.tq", nil, 0, Int, persistent, timer(func(f *Facts) time.Duration { return f.Tq() }), nil, "connection to complete head of the request: %Tq"},
	{"res.timer.data", nil, 0, Int, server, timer(func(f *Facts) time.Duration { return f.Td(f.HTTP) }), nil, "time for the response's body: %Td"},
	{"res.timer.hdr", nil, 0, Int, server, timer(func(f *Facts) time.Duration { return f.Tr }), nil, "the server's time to answer: %Tr"},
	{"so_id", nil, 0, Int, session, fact(func(f *Facts, _ []Arg) (int64, bool) { return int64(f.BindID), f.BindID > 0 }), nil, "number of the listening socket in its frontend"},
	{"so_name", nil, 0, Str, session, name(func(f *Facts) string { return f.BindName }), nil, "name of the bind line"},
	{"srv_sess_rate", []argKind{argServer}, 1, Int, running, serverCount(CountSessRate), nil, "new sessions of a server in the last second"},
	{"txn.conn_retries", nil, 0, Int, chosen, fact(func(f *Facts, _ []Arg) (int64, bool) { return int64(f.Retries), true }), nil, "attempts to connect after the first: %rc"},
	{"txn.id32", nil, 0, Int, persistent, fact(func(f *Facts, _ []Arg) (int64, bool) { return int64(f.Number), true }), nil, "number of the transaction in the process: %rt"},
	{"txn.redispatched", nil, 0, Bool, chosen, func(c *Ctx, _ []Arg, s *Sample) bool { f := c.tell(); return f != nil && s.setBool(f.Redispatched) }, nil, "another server than the first was tried"},
	{"txn.sess_term_state", nil, 0, Str, persistent, func(c *Ctx, _ []Arg, s *Sample) bool {
		f := c.tell()
		return f != nil && s.setStr(append(c.room(), f.State[:]...))
	}, nil, "why the session ended: the two letters of %ts"},
	{"txn.status", nil, 0, Int, persistent, fact(func(f *Facts, _ []Arg) (int64, bool) { return int64(f.Status), f.Status > 0 }), nil, "status sent to the client: %ST"},
	{"txn.timer.total", nil, 0, Int, persistent, timer(func(f *Facts) time.Duration { return f.Total }), nil, "time of the whole transaction, in milliseconds: %Ta"},
	{"txn.timer.user", nil, 0, Int, persistent, timer(func(f *Facts) time.Duration { return f.Tu() }), nil, "time that the user waited: %Tu"},
}

// tell asks the session, nil where there is none.
func (c *Ctx) tell() *Facts {
	if c.Session == nil {
		return nil
	}
	c.facts = Facts{}
	c.Session.Tell(&c.facts)
	return &c.facts
}

func fact(of func(*Facts, []Arg) (int64, bool)) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		f := c.tell()
		if f == nil {
			return false
		}
		n, ok := of(f, a)
		return s.setInt(n) && ok
	}
}

func timer(of func(*Facts) time.Duration) func(*Ctx, []Arg, *Sample) bool {
	return fact(func(f *Facts, _ []Arg) (int64, bool) { return Millis(of(f)), true })
}

// checkDateUnit is checkUnit for an only argument.
func checkDateUnit(a []Arg) string {
	n, ok := units[a[0].Str]
	if !ok {
		return "the unit is s, ms or us, not '" + a[0].Str + "'"
	}
	a[0].Int = n
	return ""
}

func sinceEpoch(t time.Time, a []Arg) int64 { return t.UnixMicro() / (1e6 / a[0].Int) }

func backendTimeout(of func(*Proxy) time.Duration) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		return c.Backend != nil && s.setInt(of(c.Backend).Milliseconds())
	}
}

func runReused(c *Ctx, _ []Arg, s *Sample) bool {
	f := c.tell()
	return f != nil && f.Forwarded && s.setBool(f.Reused)
}

// aborted tells who broke off, as the log's first letter does.
func aborted(who byte) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		f := c.tell()
		return f != nil && s.setBool(f.State[0] == who)
	}
}

func name(of func(*Facts) string) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		f := c.tell()
		return f != nil && of(f) != "" && c.setString(s, of(f))
	}
}

func kernelCount(of func(*TCPInfo) uint32) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		if c.Session == nil {
			return false
		}
		i, ok := c.Session.TCPInfo(false)
		return s.setInt(int64(of(&i))) && ok
	}
}

// checkRoundTrip reads the unit: how many nanoseconds it has.
func checkRoundTrip(a []Arg) string {
	switch a[0].Str {
	case "", "ms":
		a[0].Int = int64(time.Millisecond)
	case "us":
		a[0].Int = int64(time.Microsecond)
	default:
		return "the unit is ms or us, not '" + a[0].Str + "'"
	}
	return ""
}

func roundTrip(server bool, of func(*TCPInfo) time.Duration) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		if c.Session == nil {
			return false
		}
		i, ok := c.Session.TCPInfo(server)
		return s.setInt(int64(of(&i))/a[0].Int) && ok
	}
}

// whenConditions are those of the converter when.
var whenConditions = map[string]func(*Ctx, *Facts) bool{
	"error":     func(_ *Ctx, f *Facts) bool { return f.Abnormal },
	"forwarded": func(_ *Ctx, f *Facts) bool { return f.Forwarded },
	"normal":    func(_ *Ctx, f *Facts) bool { return !f.Abnormal },
	"processed": func(_ *Ctx, f *Facts) bool { return f.Forwarded }, // or by an applet: there are none
	"stopping":  func(c *Ctx, _ *Facts) bool { return c.World != nil && c.World.Stopping() },
	"toapplet":  func(*Ctx, *Facts) bool { return false },
}

func checkWhen(a []Arg) string {
	name := strings.TrimPrefix(a[0].Str, "!")
	if name == "acl" {
		return "'when(acl,...)' is known, not supported yet"
	}
	holds := whenConditions[name]
	if holds == nil {
		return "the condition is error, forwarded, normal, processed, stopping or toapplet, with ! before it for its opposite, not '" + a[0].Str + "'"
	}
	a[0].Aux = when{holds, name != a[0].Str}
	return ""
}

type when struct {
	holds func(*Ctx, *Facts) bool
	not   bool
}

// runWhen lets a sample pass where the condition holds.
func runWhen(c *Ctx, a []Arg, _ *Sample) bool {
	w, f := a[0].Aux.(when), c.tell()
	return f != nil && w.holds(c, f) != w.not
}
