package sample

import (
	"encoding/hex"
	"net/netip"
	"time"
)

// stateFetches are the fetches of chapter 7.3.2, from the process's own state.
var stateFetches = []fetch{
	{"always_false", nil, 0, Bool, anywhere, constBool(false), nil, "never matches"},
	{"always_true", nil, 0, Bool, anywhere, constBool(true), nil, "always matches"},
	{"avg_queue", []argKind{argBackend}, 0, Int, running, avgQueue, nil, "queued requests per usable server of a backend"},
	{"be_conn", []argKind{argBackend}, 0, Int, running, backendCount(CountConns), nil, "connections on a backend"},
	{"be_conn_free", []argKind{argBackend}, 0, Int, running, backendCount(CountFree), nil, "free connections of a backend's servers, -1 without limits"},
	{"bin", []argKind{argStr}, 1, Bin, anywhere, runBin, checkHex, "a constant block, in hexadecimal"},
	{"bool", []argKind{argStr}, 1, Bool, anywhere, runInt, checkBool, "a constant boolean"},
	{"connslots", []argKind{argBackend}, 0, Int, running, backendCount(CountSlots), nil, "free connections and queue places of a backend, -1 without limits"},
	{"date", []argKind{argInt, argStr}, 0, Int, anywhere, runDate, checkUnit, "seconds since 1970, with an offset; unit s, ms or us"},
	{"date_us", nil, 0, Int, anywhere, runDateUS, nil, "the microseconds of the date"},
	{"env", []argKind{argStr}, 1, Str, anywhere, runEnv, nil, "an environment variable"},
	{"fe_conn", []argKind{argFrontend}, 0, Int, running, frontendCount(CountConns), nil, "connections on a frontend"},
	{"hostname", nil, 0, Str, anywhere, runHostname, nil, "name of this host"},
	{"int", []argKind{argInt}, 1, Int, anywhere, runInt, nil, "a constant number"},
	{"ipv4", []argKind{argIPv4}, 1, IPv4, anywhere, runIP, nil, "a constant IPv4 address"},
	{"ipv6", []argKind{argIPv6}, 1, IPv6, anywhere, runIP, nil, "a constant IPv6 address"},
	{"meth", []argKind{argStr}, 1, Meth, anywhere, runMeth, nil, "a constant method"},
	{"nbproc", nil, 0, Int, anywhere, constInt(1), nil, "always 1: there is one process"},
	{"nbsrv", []argKind{argBackend}, 0, Int, running, backendCount(CountUsable), nil, "usable servers of a backend"},
	{"nbthread", nil, 0, Int, anywhere, runNbThread, nil, "number of event loops"},
	{"proc", nil, 0, Int, anywhere, constInt(1), nil, "always 1: there is one process"},
	{"queue", []argKind{argBackend}, 0, Int, running, backendCount(CountQueue), nil, "requests that wait in a backend"},
	{"rand", []argKind{argInt}, 0, Int, anywhere, runRand, checkRange, "a random number of 32 bits, or below the argument"},
	{"srv_conn", []argKind{argServer}, 1, Int, running, serverCount(CountConns), nil, "requests that a server is serving"},
	{"srv_conn_free", []argKind{argServer}, 1, Int, running, serverCount(CountFree), nil, "free connections of a server, -1 without a limit"},
	{"srv_is_up", []argKind{argServer}, 1, Bool, running, serverUp, nil, "a server is usable"},
	{"srv_iweight", []argKind{argServer}, 1, Int, running, serverCount(CountIWeight), nil, "initial weight of a server"},
	{"srv_queue", []argKind{argServer}, 1, Int, running, serverCount(CountQueue), nil, "requests that wait for a server"},
	{"srv_uweight", []argKind{argServer}, 1, Int, running, serverCount(CountUWeight), nil, "weight of a server as an operator set it"},
	{"srv_weight", []argKind{argServer}, 1, Int, running, serverCount(CountWeight), nil, "weight of a server now"},
	{"stopping", nil, 0, Bool, running, runStopping, nil, "the process is stopping"},
	{"str", []argKind{argStr}, 1, Str, anywhere, runStr, nil, "a constant string"},
	{"thread", nil, 0, Int, anywhere, runThread, nil, "number of this event loop, from 1"},
	{"uptime", nil, 0, Int, anywhere, runUptime, nil, "seconds since the start"},
	{"uuid", []argKind{argInt}, 0, Str, anywhere, runUUID, checkUUID, "a random UUID (version 4) or one of the time (7)"},
	{"var", []argKind{argVar, argStr}, 1, Any, anywhere, runVar, nil, "a variable, or the second argument when it is not set"},
}

func constBool(b bool) func(*Ctx, []Arg, *Sample) bool {
	return func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setBool(b) }
}

func constInt(n int64) func(*Ctx, []Arg, *Sample) bool {
	return func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setInt(n) }
}

func backendCount(what Count) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		if c.World == nil {
			return false
		}
		n, ok := c.World.BackendCount(a[0].Str, what)
		return s.setInt(n) && ok
	}
}

func frontendCount(what Count) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		if c.World == nil {
			return false
		}
		n, ok := c.World.FrontendCount(a[0].Str, what)
		return s.setInt(n) && ok
	}
}

func serverCount(what Count) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		if c.World == nil {
			return false
		}
		name := a[0].Aux.(serverName)
		n, ok := c.World.ServerCount(name.backend, name.server, what)
		return s.setInt(n) && ok
	}
}

func serverUp(c *Ctx, a []Arg, s *Sample) bool {
	ok := serverCount(CountUsable)(c, a, s)
	return s.setBool(s.Int != 0) && ok
}

// avgQueue is the queue divided by the usable servers, rounded up; without any,
// twice the queue.
func avgQueue(c *Ctx, a []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	queued, ok := c.World.BackendCount(a[0].Str, CountQueue)
	usable, _ := c.World.BackendCount(a[0].Str, CountUsable)
	if usable == 0 {
		return s.setInt(2*queued) && ok
	}
	return s.setInt((queued+usable-1)/usable) && ok
}

func runInt(_ *Ctx, a []Arg, s *Sample) bool {
	s.Type, s.Int = a[0].kindOfNumber(), a[0].Int
	return true
}

// kindOfNumber tells bool() from int().
func (a *Arg) kindOfNumber() Type {
	if a.Aux != nil {
		return Bool
	}
	return Int
}

func checkBool(a []Arg) string {
	switch a[0].Str {
	case "true", "1":
		a[0].Int = 1
	case "false", "0":
	default:
		return "expected true, false, 1 or 0, not '" + a[0].Str + "'"
	}
	a[0].Aux = Bool
	return ""
}

func checkHex(a []Arg) string {
	b, err := hex.DecodeString(a[0].Str)
	if err != nil {
		return "expected an even number of hexadecimal digits, not '" + a[0].Str + "'"
	}
	a[0].B = b
	return ""
}

func runBin(_ *Ctx, a []Arg, s *Sample) bool { return s.setBin(a[0].B) }
func runStr(_ *Ctx, a []Arg, s *Sample) bool { return s.setStr(a[0].B) }
func runIP(_ *Ctx, a []Arg, s *Sample) bool  { return s.setIP(a[0].IP) }

func runMeth(_ *Ctx, a []Arg, s *Sample) bool {
	s.Type, s.B = Meth, a[0].B
	return true
}

// The units of date and http_date.
var units = map[string]int64{"": 1, "s": 1, "ms": 1e3, "us": 1e6}

// checkUnit reads the unit in a[1] into its Int: how many there are in a second.
func checkUnit(a []Arg) string {
	n, ok := units[a[1].Str]
	if !ok {
		return "the unit is s, ms or us, not '" + a[1].Str + "'"
	}
	a[1].Int = n
	return ""
}

func runDate(c *Ctx, a []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	return s.setInt(c.World.Wall().UnixMicro()/(1e6/a[1].Int) + a[0].Int)
}

func runDateUS(c *Ctx, _ []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	return s.setInt(c.World.Wall().UnixMicro() % 1e6)
}

func runEnv(c *Ctx, a []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	v, ok := c.World.Getenv(a[0].Str)
	return s.setStr(append(c.room(), clip(v)...)) && ok
}

// clip keeps a string within the scratch area.
func clip(s string) string { return s[:min(len(s), scratchSize)] }

func runHostname(c *Ctx, _ []Arg, s *Sample) bool {
	return c.World != nil && s.setStr(append(c.room(), clip(c.World.Hostname())...))
}

func runStopping(c *Ctx, _ []Arg, s *Sample) bool {
	return c.World != nil && s.setBool(c.World.Stopping())
}

func runThread(c *Ctx, _ []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	this, _ := c.World.Threads()
	return s.setInt(int64(this))
}

func runNbThread(c *Ctx, _ []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	_, all := c.World.Threads()
	return s.setInt(int64(all))
}

func runUptime(c *Ctx, _ []Arg, s *Sample) bool {
	return c.World != nil && s.setInt(int64(c.World.Uptime()/time.Second))
}

func checkRange(a []Arg) string {
	if a[0].Given && a[0].Int <= 0 {
		return "the range must be above 0"
	}
	return ""
}

func runRand(c *Ctx, a []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	n := int64(uint32(c.World.Rand()))
	if a[0].Int > 0 {
		// As a fraction: the low bits of a range that is no power of two would be
		// drawn unevenly by a remainder.
		n = int64(uint64(n) * uint64(a[0].Int) >> 32)
	}
	return s.setInt(n)
}

func checkUUID(a []Arg) string {
	if a[0].Given && a[0].Int != 4 && a[0].Int != 7 {
		return "version 4 or 7 is supported"
	}
	return ""
}

// runUUID follows RFC 9562 sections 5.4 and 5.7.
func runUUID(c *Ctx, a []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	var b [16]byte
	hi, lo := c.World.Rand(), c.World.Rand()
	version := byte(4)
	if a[0].Int == 7 {
		version = 7
		hi = uint64(c.World.Wall().UnixMilli())<<16 | hi&0xffff
	}
	for i := range 8 {
		b[i], b[8+i] = byte(hi>>(56-8*i)), byte(lo>>(56-8*i))
	}
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	out := c.room()
	for i, part := range [5][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, part)
	}
	return s.setStr(out)
}

func runVar(c *Ctx, a []Arg, s *Sample) bool {
	v, ok := c.Var(a[0].Var)
	if !ok {
		return a[1].Given && s.setStr(a[1].B)
	}
	*s = v
	return true
}

// plain is an address as the wire has it: an IPv4-mapped one is the IPv4 address
// that it stands for, however its socket reports it.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
