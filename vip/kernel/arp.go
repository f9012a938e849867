package kernel

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"baton/internal/sys"
	"baton/vip"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/packet"
)

// sendPatience bounds the wait of one burst for room in a socket's send queue.
const sendPatience = 100 * time.Millisecond

// arper sends ARP frames on one interface and receives none.
type arper struct {
	index  int
	client *arp.Client
}

// announcement sends the frames of one pass and looks each interface up only
// once: its hardware address and its index may be others than last time.
type announcement struct {
	m     *Manager
	ports map[string]*port
}

type port struct {
	arper *arper // nil: nothing to send with, err or not
	hw    net.HardwareAddr
}

// send broadcasts count gratuitous ARP requests for an address.
func (b *announcement) send(a vip.Address, count int) {
	p, ok := b.ports[a.Interface]
	if !ok {
		var err error
		p, err = b.m.port(a.Interface)
		b.m.complain("ARP on "+a.Interface, err)
		if b.ports == nil {
			b.ports = map[string]*port{}
		}
		b.ports[a.Interface] = p
	}
	if p.arper == nil {
		return
	}
	// Sender and target are the virtual address; the target's hardware address
	// is all ones, as keepalived sends it, and not the zeros of RFC 5227.
	frame, err := arp.NewPacket(arp.OperationRequest, p.hw, a.Prefix.Addr(), ethernet.Broadcast, a.Prefix.Addr())
	for range count {
		if err != nil {
			break
		}
		if err = p.arper.client.WriteTo(frame, ethernet.Broadcast); err == nil {
			b.m.sent[b.m.instanceOf(a)]++
		}
	}
	if err != nil {
		err = fmt.Errorf("announce %s on %s: %w", a.Prefix, a.Interface, err)
		if errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENODEV) {
			p.arper.close()
			delete(b.m.sockets, a.Interface)
			p.arper = nil
		}
	}
	b.m.complain("announcement of "+a.Prefix.String()+" on "+a.Interface, err)
}

// port prepares an interface for a burst. The error says why nothing can be
// announced there.
func (m *Manager) port(ifname string) (*port, error) {
	link, err := m.nl.LinkByName(ifname)
	if err != nil {
		return &port{}, linkError(ifname, err)
	}
	at := link.Attrs()
	if at.RawFlags&(sys.LinkLoopback|sys.LinkNoARP) != 0 || len(at.HardwareAddr) != 6 {
		return &port{}, fmt.Errorf("interface %s does not speak ARP, its virtual addresses are not announced", ifname)
	}
	s := m.sockets[ifname]
	if s != nil && s.index != at.Index {
		s.close()
		s = nil
		delete(m.sockets, ifname)
	}
	if s == nil {
		if s, err = openARP(&net.Interface{Index: at.Index, Name: ifname, HardwareAddr: at.HardwareAddr}); err != nil {
			return &port{}, err
		}
		m.sockets[ifname] = s
	}
	if err := s.client.SetWriteDeadline(time.Now().Add(sendPatience)); err != nil {
		return &port{}, fmt.Errorf("set deadline of ARP socket on %s: %w", ifname, err)
	}
	return &port{arper: s, hw: at.HardwareAddr}, nil
}

// openARP opens a socket for sending. Its protocol is 0: with ARP's own number
// all ARP of the network would queue up in it, unread. arp.New asks for an IPv4
// address on the interface, and there is one: it is opened when an address of
// ours is announced.
func openARP(ifi *net.Interface) (*arper, error) {
	conn, err := packet.Listen(ifi, packet.Raw, 0, nil)
	if err != nil {
		if errors.Is(err, syscall.EPERM) {
			err = fmt.Errorf("%w (needs root or CAP_NET_RAW)", err)
		}
		return nil, fmt.Errorf("open ARP socket on %s: %w", ifi.Name, err)
	}
	client, err := arp.New(ifi, conn)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("open ARP socket on %s: %w", ifi.Name, err)
	}
	return &arper{index: ifi.Index, client: client}, nil
}

func (s *arper) close() { _ = s.client.Close() }
