package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"baton/internal/sys"
	"baton/vip"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/packet"
)

const (
	// sendPatience bounds the wait of one piece of a burst for room in a socket's send
	// queue.
	sendPatience = 50 * time.Millisecond

	// sendBatch bounds the frames of one piece: the thread that sends them has adverts
	// to send too.
	sendBatch = 64
)

// announceSome sends the next frames of the outbox and asks its questions. The addresses take turns, so that
// each is announced once before any is announced twice. One that is ours no longer is
// passed over.
func (m *Manager) announceSome() {
	burst := announcement{m: m}
	var heard []string // instances whose status has changed
	for n := 0; n < sendBatch && len(m.outbox) > 0; {
		a := m.outbox[0]
		m.outbox = m.outbox[1:]
		if !m.keeper.Holds(a.Address) {
			continue
		}
		if who := m.instanceOf(a.Address); !slices.Contains(heard, who) {
			heard = append(heard, who)
		}
		if a.Kind == vip.Ask {
			n += burst.ask(a.Address)
			continue
		}
		burst.send(a.Address, 1, a.Form)
		n++
		if a.Count--; a.Count > 0 {
			m.outbox = append(m.outbox, a)
		}
	}
	if len(m.outbox) == 0 {
		m.outbox = nil
	}
	burst.awaitAnswers()
	for _, who := range heard {
		m.publish(who)
	}
}

// announcer sends frames on one interface and receives none.
type announcer struct {
	index int
	conn  *packet.Conn
	arp   *arp.Client // nil until an IPv4 address is announced
}

// announcement sends the frames of one pass and looks each interface up only
// once: its hardware address and its index may be others than last time.
type announcement struct {
	m     *Manager
	ports map[string]*port

	questions map[subject]*question
	ours      map[[6]byte]bool // the hardware addresses of this host, for questions
}

type port struct {
	announcer *announcer // nil: nothing to send with, err or not
	ifi       net.Interface
}

// send broadcasts count gratuitous ARP requests or unsolicited neighbour
// advertisements for an address.
func (b *announcement) send(a vip.Address, count int, form vip.ARPForm) {
	p := b.port(a.Interface)
	if p.announcer == nil {
		return
	}
	write, err := p.writer(a.Prefix.Addr(), form)
	for range count {
		if err != nil {
			break
		}
		if err = write(); err == nil {
			b.m.sent[b.m.instanceOf(a)]++
		}
	}
	if err != nil {
		err = fmt.Errorf("announce %s on %s: %w", a.Prefix, a.Interface, err)
		if errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENODEV) {
			p.announcer.close()
			delete(b.m.sockets, a.Interface)
			p.announcer = nil
		}
	}
	b.m.complain("announcement of "+a.Prefix.String()+" on "+a.Interface, err)
}

// port prepares an interface, once in a pass.
func (b *announcement) port(ifname string) *port {
	p, ok := b.ports[ifname]
	if !ok {
		var err error
		p, err = b.m.port(ifname)
		b.m.complain("announcements on "+ifname, err)
		if b.ports == nil {
			b.ports = map[string]*port{}
		}
		b.ports[ifname] = p
	}
	return p
}

// writer returns what sends one frame for an address, or one of each form.
func (p *port) writer(a netip.Addr, form vip.ARPForm) (func() error, error) {
	if a.Is6() {
		frame := vip.AppendNA(make([]byte, 0, vip.NALen), [6]byte(p.ifi.HardwareAddr), a, forwards6(p.ifi.Name))
		to := &packet.Addr{HardwareAddr: net.HardwareAddr(frame[:6])}
		return func() error {
			_, err := p.announcer.conn.WriteTo(frame, to)
			return err
		}, nil
	}
	if err := p.openARP(); err != nil {
		return nil, err
	}
	// Sender and target are the virtual address; the target's hardware address
	// is all ones, as keepalived sends it, and not the zeros of RFC 5227.
	var frames []*arp.Packet
	for _, f := range []struct {
		form vip.ARPForm
		op   arp.Operation
	}{{vip.ARPRequest, arp.OperationRequest}, {vip.ARPReply, arp.OperationReply}} {
		if form == f.form || form == vip.ARPBoth {
			frame, err := arp.NewPacket(f.op, p.ifi.HardwareAddr, a, ethernet.Broadcast, a)
			if err != nil {
				return nil, err
			}
			frames = append(frames, frame)
		}
	}
	return func() error {
		for _, f := range frames {
			if err := p.announcer.arp.WriteTo(f, ethernet.Broadcast); err != nil {
				return err
			}
		}
		return nil
	}, nil
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
		return &port{}, fmt.Errorf("interface %s is not Ethernet, its virtual addresses are not announced", ifname)
	}
	s := m.sockets[ifname]
	if s != nil && s.index != at.Index {
		s.close()
		s = nil
		delete(m.sockets, ifname)
	}
	if s == nil {
		if s, err = openAnnouncer(&net.Interface{Index: at.Index, Name: ifname}); err != nil {
			return &port{}, err
		}
		m.sockets[ifname] = s
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(sendPatience)); err != nil {
		return &port{}, fmt.Errorf("set deadline of packet socket on %s: %w", ifname, err)
	}
	return &port{announcer: s, ifi: net.Interface{Index: at.Index, Name: ifname, HardwareAddr: at.HardwareAddr}}, nil
}

// prepare opens what announcing addresses takes, a millisecond that a takeover has not.
// What fails here is tried again then, and told.
func (m *Manager) prepare(addresses []vip.Address) {
	for _, a := range addresses {
		if m.sockets[a.Interface] != nil {
			continue
		}
		if p, err := m.port(a.Interface); err == nil && a.Prefix.Addr().Is4() {
			_ = p.openARP()
		}
	}
}

// openARP makes the ARP client, which wants an IPv4 address on the interface.
func (p *port) openARP() (err error) {
	if p.announcer.arp == nil {
		p.announcer.arp, err = arp.New(&p.ifi, p.announcer.conn)
	}
	return err
}

// forwards6 reports whether the host routes IPv6 between its interfaces, this one
// among them.
func forwards6(ifname string) bool {
	b, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + ifname + "/forwarding")
	return err == nil && strings.TrimSpace(string(b)) != "0"
}

// openAnnouncer opens a socket for sending. Its protocol is 0: with ARP's own
// number all ARP of the network would queue up in it, unread.
func openAnnouncer(ifi *net.Interface) (*announcer, error) {
	conn, err := packet.Listen(ifi, packet.Raw, 0, nil)
	if err != nil {
		if errors.Is(err, syscall.EPERM) {
			err = fmt.Errorf("%w (needs root or CAP_NET_RAW)", err)
		}
		return nil, fmt.Errorf("open packet socket on %s: %w", ifi.Name, err)
	}
	return &announcer{index: ifi.Index, conn: conn}, nil
}

func (s *announcer) close() { _ = s.conn.Close() }
