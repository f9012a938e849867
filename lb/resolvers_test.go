package lb_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"baton/internal/dnsd"
)

// greeters are servers on one port of several loopback addresses that say which one
// they are; nameserver is the one that knows them.
func greeters(t *testing.T, addrs ...string) (port string) {
	t.Helper()
	first, err := net.Listen("tcp", addrs[0]+":0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(first.Addr().String())
	for i, a := range addrs {
		ln := first
		if i > 0 {
			if ln, err = net.Listen("tcp", net.JoinHostPort(a, port)); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, a)
				c.Close()
			}
		}()
		t.Cleanup(func() { ln.Close(); <-done })
	}
	return port
}

func nameserver(t *testing.T) *dnsd.Server {
	t.Helper()
	s, err := dnsd.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func zone(name string, addrs ...string) dnsd.Zone {
	z := dnsd.Zone{Addrs: map[string][]netip.Addr{name: {}}}
	for _, a := range addrs {
		z.Addrs[name] = append(z.Addrs[name], netip.MustParseAddr(a))
	}
	return z
}

// greeted connects through a frontend and returns what the server behind it says.
func (r *rig) greeted(fe string) string {
	r.t.Helper()
	c, err := net.Dial("tcp", r.names[fe])
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if len(b) == 0 {
		return fmt.Sprint("nothing ", err)
	}
	return string(b)
}

// answersAs waits until who answers behind a frontend is who should: what the event
// loops are told reaches them after the log.
func (r *rig) answersAs(fe, want string) {
	r.t.Helper()
	r.await(want+" to answer", func() bool { return strings.HasPrefix(r.greeted(fe), want) })
}

const resolversConfig = `global
  log {log}
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
  retries 0
resolvers dns
  nameserver ns %s
  timeout resolve 20ms
  timeout retry 200ms
  hold nx 0
  hold obsolete 0
  hold timeout 0
  hold other 0
  hold refused 0
frontend fe
  bind {fe}
  default_backend b
backend b
  log global
  %s
`

// A server without an address at the start gets one from DNS, follows it when it
// changes, and leaves service when the name is gone.
func TestResolvers(t *testing.T) {
	for _, transport := range []string{"", "tcp@"} {
		t.Run(strings.TrimSuffix("over "+transport, "@"), func(t *testing.T) {
			port := greeters(t, "127.0.0.11", "127.0.0.12")
			ns := nameserver(t)
			r := start(t, fmt.Sprintf(resolversConfig, transport+ns.Addr().String(), "server s web.example:"+port+" resolvers dns init-addr none resolve-prefer ipv4"))
			r.answersAs("fe", "nothing")
			if got := r.nextUsable(); got != "b 0" {
				t.Errorf("at the start: %s", got)
			}
			// As HAProxy 2.6 was seen to say it.
			up := func(addr string) []string {
				return []string{
					"b/s changed its IP from (none) to " + addr + " by dns/ns.",
					"Server b/s ('web.example') is UP/READY (resolves again).",
					"Server b/s administratively READY thanks to valid DNS answer.",
				}
			}
			const down = "Server b/s is going DOWN for maintenance (DNS %s status). 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue."
			steps := []struct {
				zone   dnsd.Zone
				usable string
				log    []string
				answer string
			}{
				{zone("web.example", "127.0.0.11"), "b 1", up("127.0.0.11"), "127.0.0.11"},
				{zone("web.example", "127.0.0.12"), "", []string{"b/s changed its IP from 127.0.0.11 to 127.0.0.12 by dns/ns."}, "127.0.0.12"},
				{zone("other.example"), "b 0", []string{fmt.Sprintf(down, "NX"), "backend b has no server available!"}, "nothing"},
				{zone("web.example", "127.0.0.11"), "b 1", up("127.0.0.11"), "127.0.0.11"},
				{dnsd.Zone{Refuse: true}, "b 0", []string{fmt.Sprintf(down, "refused"), "backend b has no server available!"}, "nothing"},
			}
			for i, s := range steps {
				ns.Set(s.zone)
				for _, want := range s.log {
					if got := r.nextLog(); got != want {
						t.Errorf("step %d logs %q, want %q", i, got, want)
					}
				}
				if s.usable != "" {
					if got := r.nextUsable(); got != s.usable {
						t.Errorf("step %d: %s, want %s", i, got, s.usable)
					}
				}
				r.answersAs("fe", s.answer)
			}
			if st := r.backend("b").Servers[0].State; st != "MAINT (resolution)" {
				t.Errorf("state %s", st)
			}
		})
	}
}

// The servers of a template share the addresses of their name out; those that get
// none are out of service.
func TestServerTemplate(t *testing.T) {
	port := greeters(t, "127.0.0.11", "127.0.0.12", "127.0.0.13")
	ns := nameserver(t)
	ns.Set(zone("web.example", "127.0.0.11", "127.0.0.12"))
	r := start(t, fmt.Sprintf(resolversConfig, ns.Addr(), "server-template web 3 web.example:"+port+" resolvers dns init-addr none resolve-prefer ipv4"))
	for r.nextUsable() != "b 2" {
	}
	answer := func(want ...string) {
		t.Helper()
		r.await(fmt.Sprint(want, " to answer"), func() bool {
			var seen []string
			for range 2 * len(want) {
				seen = append(seen, r.greeted("fe"))
			}
			slices.Sort(seen)
			return slices.Equal(slices.Compact(seen), want)
		})
	}
	answer("127.0.0.11", "127.0.0.12")
	ns.Set(zone("web.example", "127.0.0.12", "127.0.0.13", "127.0.0.11"))
	for r.nextUsable() != "b 3" {
	}
	answer("127.0.0.11", "127.0.0.12", "127.0.0.13")
}

// SRV records tell targets and ports, and the targets' names lead to addresses.
func TestService(t *testing.T) {
	port := greeters(t, "127.0.0.11", "127.0.0.12")
	var n uint16
	_, _ = fmt.Sscan(port, &n)
	ns := nameserver(t)
	z := zone("n1.example", "127.0.0.11")
	z.Addrs["n2.example"] = []netip.Addr{netip.MustParseAddr("127.0.0.12")}
	const name = "_web._tcp.example"
	z.Services = map[string][]dnsd.Service{name: {{Target: "n1.example", Port: n, Weight: 1000}}}
	ns.Set(z)
	r := start(t, fmt.Sprintf(resolversConfig, ns.Addr(), "server-template web 2 "+name+" resolvers dns resolve-prefer ipv4"))
	for r.nextUsable() != "b 1" {
	}
	r.answersAs("fe", "127.0.0.11")
	if got := r.backend("b").Servers[0].Weight; got != 4 { // as HAProxy 2.6 scales it
		t.Errorf("weight %d for a record of weight 1000", got)
	}
	z.Services = map[string][]dnsd.Service{name: {{Target: "n2.example", Port: n, Weight: 1000}, {Target: "n1.example", Port: n, Weight: 1000}}}
	ns.Set(z)
	for r.nextUsable() != "b 2" {
	}
	z.Services = map[string][]dnsd.Service{name: {{Target: "n2.example", Port: n, Weight: 1000}}}
	ns.Set(z)
	for r.nextUsable() != "b 1" {
	}
	r.answersAs("fe", "127.0.0.12")
}
