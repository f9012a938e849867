package sample

import "net/netip"

// connFetches are the fetches of chapters 7.3.3 and 7.3.4 that concern connections,
// without tables and TLS.
var connFetches = []fetch{
	{"bc_dst", nil, 0, Addr, server, runAddr(bcDst), nil, "address of the server that we are connected to"},
	{"bc_dst_port", nil, 0, Int, server, runPort(bcDst), nil, "port of the server that we are connected to"},
	{"bc_http_major", nil, 0, Int, server, func(c *Ctx, _ []Arg, s *Sample) bool { return s.setInt(int64(c.Server.HTTPMajor)) }, nil, "major HTTP version spoken to the server"},
	{"bc_src", nil, 0, Addr, server, runAddr(bcSrc), nil, "our address in the server's connection"},
	{"bc_src_port", nil, 0, Int, server, runPort(bcSrc), nil, "our port in the server's connection"},
	{"be_name", nil, 0, Str, inBackend, func(c *Ctx, _ []Arg, s *Sample) bool { return c.Backend != nil && c.setString(s, c.Backend.Name) }, nil, "name of the backend"},
	{"be_server_timeout", nil, 0, Int, inBackend, func(c *Ctx, _ []Arg, s *Sample) bool {
		return c.Backend != nil && s.setInt(c.Backend.ServerTimeout.Milliseconds())
	}, nil, "the backend's timeout server, in milliseconds"},
	{"be_tunnel_timeout", nil, 0, Int, inBackend, func(c *Ctx, _ []Arg, s *Sample) bool {
		return c.Backend != nil && s.setInt(c.Backend.TunnelTimeout.Milliseconds())
	}, nil, "the backend's timeout tunnel, in milliseconds"},
	{"dst", nil, 0, Addr, client, runAddr(clientDst), nil, "address that the client connected to"},
	{"dst_is_local", nil, 0, Bool, client, runIsLocal(clientDst), nil, "dst is an address of this host"},
	{"dst_port", nil, 0, Int, client, runPort(clientDst), nil, "port that the client connected to"},
	{"fc_dst", nil, 0, Addr, client, runAddr(realDst), nil, "dst before any rule changed it"},
	{"fc_dst_port", nil, 0, Int, client, runPort(realDst), nil, "dst_port before any rule changed it"},
	{"fc_dst_is_local", nil, 0, Bool, client, runIsLocal(realDst), nil, "fc_dst is an address of this host"},
	{"fc_err", nil, 0, Int, session, func(c *Ctx, _ []Arg, s *Sample) bool { return s.setInt(int64(c.Client.Err)) }, nil, "why the client's connection failed before it was a session, 0: it did not"},
	{"fc_err_str", nil, 0, Str, session, func(c *Ctx, _ []Arg, s *Sample) bool { return c.setString(s, c.Client.Err.String()) }, nil, "the same in words"},
	{"fc_http_major", nil, 0, Int, client, func(c *Ctx, _ []Arg, s *Sample) bool { return s.setInt(int64(c.Client.HTTPMajor)) }, nil, "major HTTP version of the client, 0: none"},
	{"fc_pp_authority", nil, 0, Str, client, func(c *Ctx, _ []Arg, s *Sample) bool {
		return c.Client.Authority != nil && s.setStr(c.Client.Authority)
	}, nil, "host name that a PROXY header told"},
	{"fc_pp_unique_id", nil, 0, Str, client, func(c *Ctx, _ []Arg, s *Sample) bool { return c.Client.ProxyID != nil && s.setStr(c.Client.ProxyID) }, nil, "unique-id that a PROXY header told"},
	{"fc_rcvd_proxy", nil, 0, Bool, client, func(c *Ctx, _ []Arg, s *Sample) bool { return s.setBool(c.Client.Proxied) }, nil, "the client's connection began with a PROXY header"},
	{"fc_src", nil, 0, Addr, client, runAddr(realSrc), nil, "src before any rule changed it"},
	{"fc_src_port", nil, 0, Int, client, runPort(realSrc), nil, "src_port before any rule changed it"},
	{"fc_src_is_local", nil, 0, Bool, client, runIsLocal(realSrc), nil, "fc_src is an address of this host"},
	{"fe_client_timeout", nil, 0, Int, session, func(c *Ctx, _ []Arg, s *Sample) bool {
		return c.Frontend != nil && s.setInt(c.Frontend.ClientTimeout.Milliseconds())
	}, nil, "the frontend's timeout client, in milliseconds"},
	{"fe_defbe", nil, 0, Str, session, func(c *Ctx, _ []Arg, s *Sample) bool {
		return c.Frontend != nil && c.Frontend.DefaultBackend != "" && c.setString(s, c.Frontend.DefaultBackend)
	}, nil, "the frontend's default backend"},
	{"fe_name", nil, 0, Str, session, func(c *Ctx, _ []Arg, s *Sample) bool { return c.Frontend != nil && c.setString(s, c.Frontend.Name) }, nil, "name of the frontend"},
	{"src", nil, 0, Addr, client, runAddr(clientSrc), nil, "address of the client"},
	{"src_is_local", nil, 0, Bool, client, runIsLocal(clientSrc), nil, "src is an address of this host"},
	{"src_port", nil, 0, Int, client, runPort(clientSrc), nil, "port of the client"},
	{"srv_id", nil, 0, Int, chosen, func(c *Ctx, _ []Arg, s *Sample) bool { return c.Target != nil && s.setInt(int64(c.Target.ID)) }, nil, "number of the server"},
	{"srv_name", nil, 0, Str, chosen, func(c *Ctx, _ []Arg, s *Sample) bool { return c.Target != nil && c.setString(s, c.Target.Name) }, nil, "name of the server"},
	{"ssl_fc", nil, 0, Bool, client, func(c *Ctx, _ []Arg, s *Sample) bool { return s.setBool(c.Client.TLS) }, nil, "the client uses TLS with us"},
}

func clientSrc(c *Ctx) netip.AddrPort { return c.Client.Src }
func clientDst(c *Ctx) netip.AddrPort { return c.Client.Dst }
func bcSrc(c *Ctx) netip.AddrPort     { return c.Server.Src }
func bcDst(c *Ctx) netip.AddrPort     { return c.Server.Dst }

func realSrc(c *Ctx) netip.AddrPort {
	if c.Client.RealSrc.IsValid() {
		return c.Client.RealSrc
	}
	return c.Client.Src
}

func realDst(c *Ctx) netip.AddrPort {
	if c.Client.RealDst.IsValid() {
		return c.Client.RealDst
	}
	return c.Client.Dst
}

func runAddr(of func(*Ctx) netip.AddrPort) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool { return s.setIP(plain(of(c).Addr())) }
}

func runIsLocal(of func(*Ctx) netip.AddrPort) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		a := plain(of(c).Addr())
		return c.World != nil && a.IsValid() && s.setBool(c.World.IsLocal(a))
	}
}

func runPort(of func(*Ctx) netip.AddrPort) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		port := of(c).Port() // 0: there is none, or a PROXY header has not told it
		return s.setInt(int64(port)) && port != 0
	}
}

func (c *Ctx) setString(s *Sample, v string) bool { return s.setStr(append(c.room(), clip(v)...)) }
