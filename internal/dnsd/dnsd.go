// Package dnsd is a small name server for tests and the lab: a zone that can be
// changed while it runs, answered over UDP and TCP. It is no server for a network.
package dnsd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Service is an SRV record.
type Service struct {
	Target                 string
	Port, Weight, Priority uint16
}

// Zone is what is answered. Names are in lower case, without a dot at the end.
type Zone struct {
	Addrs    map[string][]netip.Addr
	Services map[string][]Service
	Refuse   bool // REFUSED to everybody
	Silent   bool // no answer to anybody
}

// Server answers from a zone.
type Server struct {
	udp net.PacketConn
	tcp net.Listener
	wg  sync.WaitGroup

	mu      sync.Mutex
	zone    Zone
	queries int
	conns   map[net.Conn]bool
}

// Listen opens UDP and TCP sockets on one address and answers until Close. Port 0
// takes a free one.
func Listen(addr netip.AddrPort) (*Server, error) {
	// TCP chooses the port: it is the one whose ports are short where much goes on.
	tcp, err := net.Listen("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		tcp.Close()
		return nil, err
	}
	s := &Server{udp: udp, tcp: tcp, conns: make(map[net.Conn]bool)}
	s.wg.Go(s.serveUDP)
	s.wg.Go(s.serveTCP)
	return s, nil
}

// Addr returns where the server listens.
func (s *Server) Addr() netip.AddrPort { return netip.MustParseAddrPort(s.udp.LocalAddr().String()) }

// Set replaces the zone.
func (s *Server) Set(z Zone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone = z
}

// Queries returns how many were heard.
func (s *Server) Queries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queries
}

// Close ends the server.
func (s *Server) Close() {
	s.udp.Close()
	s.tcp.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *Server) serveUDP() {
	b := make([]byte, 65535)
	for {
		n, from, err := s.udp.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error about an earlier answer
		}
		if answer := s.answer(b[:n]); answer != nil {
			_, _ = s.udp.WriteTo(answer, from) // lost answers are DNS's everyday life
		}
	}
}

func (s *Server) serveTCP() {
	for {
		c, err := s.tcp.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.serveConn(c)
			c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

func (s *Server) serveConn(c net.Conn) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		msg := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, msg); err != nil {
			return
		}
		answer := s.answer(msg)
		if answer == nil {
			continue
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// answer returns nil for what is no query, and when the zone is silent.
func (s *Server) answer(msg []byte) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil || h.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries++
	if s.zone.Silent {
		return nil
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: h.ID, Response: true, Authoritative: true, RecursionDesired: h.RecursionDesired},
		Questions: []dnsmessage.Question{q},
	}
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	addrs, hasAddrs := s.zone.Addrs[name]
	services, hasServices := s.zone.Services[name]
	switch {
	case s.zone.Refuse:
		m.RCode = dnsmessage.RCodeRefused
	case !hasAddrs && !hasServices:
		m.RCode = dnsmessage.RCodeNameError
	}
	head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}
	for _, a := range addrs {
		switch {
		case m.RCode != dnsmessage.RCodeSuccess:
		case q.Type == dnsmessage.TypeA && a.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
		case q.Type == dnsmessage.TypeAAAA && a.Is6():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	for _, v := range services {
		if m.RCode == dnsmessage.RCodeSuccess && q.Type == dnsmessage.TypeSRV {
			target, err := dnsmessage.NewName(v.Target + ".")
			if err != nil {
				panic(fmt.Sprintf("BUG: zone with target %q: %v", v.Target, err))
			}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.SRVResource{Target: target, Port: v.Port, Weight: v.Weight, Priority: v.Priority}})
		}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}
