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

// announceSome sends the next frames of the outbox and asks its questions. The addresses
// take turns, so that each is announced once before any is announced twice. One that is
// ours no longer is passed over.
func (m *Manager) announceSome() {
	if m.stale.Load() || !m.watched.Load() {
		m.forgetPorts()
	}
	burst := announcement{m: m}
	for n := 0; n < sendBatch; m.turn++ {
		if m.turn >= len(m.outbox) {
			m.outbox, m.turn = slices.DeleteFunc(m.outbox, func(a vip.Action) bool { return a == vip.Action{} }), 0
			if len(m.outbox) == 0 {
				break
			}
		}
		switch a := &m.outbox[m.turn]; {
		case !m.keeper.Holds(a.Address):
			*a = vip.Action{}
		case a.Kind == vip.Ask:
			n += burst.ask(a.Address)
			*a = vip.Action{}
		default:
			burst.send(a.Address, a.Form)
			n++
			if a.Count--; a.Count <= 0 {
				*a = vip.Action{}
			}
		}
	}
	burst.awaitAnswers()
}

// announcer sends frames on one interface and receives none.
type announcer struct {
	index int
	conn  *packet.Conn
	raw   syscall.RawConn
	try   func(fd uintptr) (done bool) // sends frame; one function for all frames makes no garbage
	frame []byte
	errno sys.Errno
}

func (s *announcer) send(frame []byte) error {
	s.frame = frame
	if err := s.raw.Write(s.try); err != nil {
		return err
	}
	if s.errno != 0 {
		return os.NewSyscallError("send", s.errno)
	}
	return nil
}

func (s *announcer) trySend(fd uintptr) (done bool) {
	_, s.errno = sys.FD(fd).Send(s.frame)
	return s.errno != sys.EAGAIN
}

// announcement sends the frames of one pass.
type announcement struct {
	m     *Manager
	ports map[string]*port

	questions map[subject]*question
	ours      map[[6]byte]bool // the hardware addresses of this host, for questions
}

// port is what announcing on an interface takes. The Manager keeps it until Watch sees
// a change: a takeover of hundreds of instances sends thousands of frames, and has no
// time to collect what each leaves behind.
type port struct {
	announcer *announcer // nil: nothing to send with, err or not
	ifi       net.Interface
	arp       map[arp.Operation][]byte // gratuitous ARP, but for the address
	router    bool                     // of IPv6; looked up in each pass
	frame     []byte                   // reused
}

// send broadcasts a gratuitous ARP request or an unsolicited neighbour advertisement
// for an address, or whatever form says.
func (b *announcement) send(a vip.Address, form vip.ARPForm) {
	p := b.port(a.Interface)
	if p.announcer == nil {
		return
	}
	err := p.send(a.Prefix.Addr(), form)
	if err == nil {
		b.m.sent[b.m.byName[b.m.instanceOf(a)]].Add(1)
		if len(b.m.failed) == 0 { // nothing to take back, as a rule
			return
		}
	} else {
		err = fmt.Errorf("announce %s on %s: %w", a.Prefix, a.Interface, err)
		if errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENODEV) {
			p.announcer.close()
			delete(b.m.sockets, a.Interface)
			delete(b.m.ports, a.Interface)
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
		if p, err = b.m.port(ifname); err == nil {
			if err = p.begin(); err != nil {
				p = &port{}
			}
		}
		b.m.complain("announcements on "+ifname, err)
		if b.ports == nil {
			b.ports = map[string]*port{}
		}
		b.ports[ifname] = p
	}
	return p
}

// begin is for what counts for one pass.
func (p *port) begin() error {
	p.router = forwards6(p.ifi.Name)
	if err := p.announcer.conn.SetWriteDeadline(time.Now().Add(sendPatience)); err != nil {
		return fmt.Errorf("set deadline of packet socket on %s: %w", p.ifi.Name, err)
	}
	return nil
}

// send sends one frame for an address, or one of each form.
func (p *port) send(a netip.Addr, form vip.ARPForm) error {
	if a.Is6() {
		p.frame = vip.AppendNA(p.frame[:0], [6]byte(p.ifi.HardwareAddr), a, p.router)
		return p.announcer.send(p.frame)
	}
	if form != vip.ARPReply {
		if err := p.sendARP(arp.OperationRequest, a); err != nil || form == vip.ARPRequest {
			return err
		}
	}
	return p.sendARP(arp.OperationReply, a)
}

func (p *port) sendARP(op arp.Operation, a netip.Addr) error {
	const sender, target = 14 + 14, 14 + 24 // Ethernet header; RFC 826
	frame, ip := p.arp[op], a.As4()
	copy(frame[sender:], ip[:])
	copy(frame[target:], ip[:])
	return p.announcer.send(frame)
}

// gratuitousARP makes the frame of an interface, of no address yet. Sender and target are
// the virtual address; the target's hardware address is all ones, as keepalived sends it,
// and not the zeros of RFC 5227.
func gratuitousARP(op arp.Operation, hw net.HardwareAddr) ([]byte, error) {
	none := netip.IPv4Unspecified()
	p, err := arp.NewPacket(op, hw, none, ethernet.Broadcast, none)
	if err != nil {
		return nil, fmt.Errorf("make ARP packet: %w", err)
	}
	payload, err := p.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("make ARP packet: %w", err)
	}
	return (&ethernet.Frame{Destination: ethernet.Broadcast, Source: hw, EtherType: ethernet.EtherTypeARP, Payload: payload}).MarshalBinary()
}

// port finds or makes what announcing on an interface takes. The error says why nothing
// can be announced there.
func (m *Manager) port(ifname string) (*port, error) {
	if p := m.ports[ifname]; p != nil {
		return p, nil
	}
	link, err := m.nl.LinkByName(ifname)
	if err != nil {
		return &port{}, linkError(ifname, err)
	}
	at := link.Attrs()
	if at.RawFlags&(sys.LinkLoopback|sys.LinkNoARP) != 0 || len(at.HardwareAddr) != 6 {
		return &port{}, fmt.Errorf("interface %s is not Ethernet, its virtual addresses are not announced", ifname)
	}
	p := &port{
		ifi: net.Interface{Index: at.Index, Name: ifname, HardwareAddr: at.HardwareAddr},
		arp: map[arp.Operation][]byte{arp.OperationRequest: nil, arp.OperationReply: nil},
	}
	for op := range p.arp {
		if p.arp[op], err = gratuitousARP(op, at.HardwareAddr); err != nil {
			return &port{}, err
		}
	}
	s := m.sockets[ifname]
	if s != nil && s.index != at.Index {
		s.close()
		s = nil
		delete(m.sockets, ifname)
	}
	if s == nil {
		if s, err = openAnnouncer(&p.ifi); err != nil {
			return &port{}, err
		}
		m.sockets[ifname] = s
	}
	p.announcer = s
	m.ports[ifname] = p
	return p, nil
}

// forgetPorts is for interfaces that may be others than before.
func (m *Manager) forgetPorts() {
	clear(m.ports)
	m.ours = nil
}

// prepare opens what announcing addresses takes, a millisecond that a takeover has not.
// What fails here is tried again then, and told.
func (m *Manager) prepare(addresses []vip.Address) {
	for _, a := range addresses {
		if m.sockets[a.Interface] == nil {
			_, _ = m.port(a.Interface)
		}
	}
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
	raw, err := conn.SyscallConn()
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("open packet socket on %s: %w", ifi.Name, err)
	}
	s := &announcer{index: ifi.Index, conn: conn, raw: raw}
	s.try = s.trySend
	return s, nil
}

func (s *announcer) close() { _ = s.conn.Close() }
