package kernel

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"baton/vip"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
)

// answerTime is how long the network has to answer a question.
const answerTime = time.Second

// asker asks the network who else answers for our addresses. The VRRP thread opens
// the sockets and asks; goroutines wait for the answers and end by themselves.
type asker struct {
	notes *notes
	found map[key]*atomic.Pointer[string] // who was found last; never changed itself

	ctx  context.Context
	stop context.CancelFunc
	wait sync.WaitGroup

	// Closing a packet socket takes the kernel ten milliseconds,
	// for it waits for readers on all processors, and each close keeps one of Go's
	// slots. Many at a time kept the VRRP thread from getting one.
	closing sync.Mutex
}

func newAsker(cfgs []vip.Config, n *notes) *asker {
	k := &asker{notes: n, found: map[key]*atomic.Pointer[string]{}}
	k.ctx, k.stop = context.WithCancel(context.Background())
	for _, c := range cfgs {
		for _, a := range c.Addresses {
			k.found[keyOf(a)] = &atomic.Pointer[string]{}
		}
	}
	return k
}

func (k *asker) close() {
	k.stop()
	k.wait.Wait()
}

// stranger returns the hardware address of another host that answered for an
// address when it was last asked for; "" if none did.
func (k *asker) stranger(a vip.Address) string {
	if s := k.found[keyOf(a)].Load(); s != nil {
		return *s
	}
	return ""
}

// forget is for addresses that are not ours any more.
func (k *asker) forget(a vip.Address) { k.found[keyOf(a)].Store(nil) }

// question is asked for the addresses of one interface and family.
type question struct {
	addresses map[netip.Addr]key
	ours      map[[6]byte]bool // every interface of this host may answer
	conn      *packet.Conn
}

// subject is what a question is about.
type subject struct {
	ifname string
	six    bool
}

// ask asks for one address, in one question with others of the same pass. Who answers,
// with another hardware address than those of this host, is logged once and shown in
// Status until a question finds nobody.
func (b *announcement) ask(a vip.Address) (frames int) {
	p := b.port(a.Interface)
	if p.announcer == nil {
		return 0 // announcing has told why
	}
	q, err := b.question(p, a)
	if err == nil {
		q.addresses[a.Prefix.Addr()] = keyOf(a)
		p.frame = vip.AppendProbe(p.frame[:0], [6]byte(p.ifi.HardwareAddr), a.Prefix.Addr())
		err = p.announcer.send(p.frame)
	}
	b.m.complain("question who has "+a.Prefix.String()+" on "+a.Interface, err)
	return 1
}

// question finds or begins that which is about an address.
func (b *announcement) question(p *port, a vip.Address) (*question, error) {
	about := subject{a.Interface, a.Prefix.Addr().Is6()}
	if q := b.questions[about]; q != nil {
		return q, nil
	}
	if b.questions == nil {
		b.questions = map[subject]*question{}
		b.ours = b.m.hardware()
	}
	conn, err := listenForClaims(&p.ifi, about.six)
	if err != nil {
		return nil, err
	}
	q := &question{addresses: map[netip.Addr]key{}, ours: b.ours, conn: conn}
	b.questions[about] = q
	return q, nil
}

// awaitAnswers ends the asking of a pass.
func (b *announcement) awaitAnswers() {
	for _, q := range b.questions {
		b.m.asker.wait.Go(func() { b.m.asker.await(q) })
	}
}

// hardware returns the hardware addresses of this host, a set that is not changed any
// more: those who await answers read it.
func (m *Manager) hardware() map[[6]byte]bool {
	if m.ours != nil {
		return m.ours
	}
	set := map[[6]byte]bool{}
	links, err := m.nl.LinkList()
	m.complain("list of interfaces", err)
	for _, l := range links {
		if hw := l.Attrs().HardwareAddr; len(hw) == 6 {
			set[[6]byte(hw)] = true
		}
	}
	if err == nil {
		m.ours = set
	}
	return set
}

// Of BPF programs for Ethernet: ARP and IPv6, and what the kernel says of what it sends itself.
const (
	etherARP, etherIPv6 = 0x0806, 0x86dd
	packetOutgoing      = 4 // PACKET_OUTGOING
)

// listenForClaims opens a socket that receives ARP of others, or their neighbour
// advertisements.
func listenForClaims(ifi *net.Interface, six bool) (*packet.Conn, error) {
	protocol, program := etherARP, []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: packetOutgoing, SkipTrue: 1},
		bpf.RetConstant{Val: 256},
		bpf.RetConstant{Val: 0},
	}
	if six {
		protocol, program = etherIPv6, []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtType},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: packetOutgoing, SkipTrue: 5},
			bpf.LoadAbsolute{Off: 20, Size: 1}, // next header
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 58, SkipTrue: 3},
			bpf.LoadAbsolute{Off: 54, Size: 1}, // ICMPv6 type
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 136, SkipTrue: 1},
			bpf.RetConstant{Val: 256},
			bpf.RetConstant{Val: 0},
		}
	}
	filter, err := bpf.Assemble(program)
	if err != nil {
		return nil, fmt.Errorf("filter claims of addresses: %w", err)
	}
	conn, err := packet.Listen(ifi, packet.Raw, protocol, &packet.Config{Filter: filter})
	if err != nil {
		return nil, fmt.Errorf("open packet socket on %s: %w", ifi.Name, err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(answerTime)); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("set deadline of packet socket on %s: %w", ifi.Name, err)
	}
	return conn, nil
}

// await waits for the answers to a question.
func (k *asker) await(q *question) {
	end := context.AfterFunc(k.ctx, func() { _ = q.conn.SetReadDeadline(time.Now()) })
	defer func() {
		end()
		k.closing.Lock()
		defer k.closing.Unlock()
		_ = q.conn.Close()
	}()
	b := make([]byte, 256)
	who := map[netip.Addr]string{}
	for len(who) < len(q.addresses) {
		n, _, err := q.conn.ReadFrom(b)
		if err != nil {
			if !os.IsTimeout(err) || k.ctx.Err() != nil {
				return // the interface went away, or we stop: no answer is none
			}
			break
		}
		if a, hw, ok := vip.ParseClaim(b[:n]); ok && !q.ours[hw] && who[a] == "" {
			if _, asked := q.addresses[a]; asked {
				who[a] = net.HardwareAddr(hw[:]).String()
			}
		}
	}
	for a, about := range q.addresses {
		k.answered(about, who[a])
	}
}

// answered takes down who has an address beside us; "" for nobody.
func (k *asker) answered(about key, who string) {
	before := ""
	if s := k.found[about].Swap(&who); s != nil {
		before = *s
	}
	switch {
	case who == before:
	case who != "":
		k.notes.add(slog.LevelError, "another host answers for a virtual address that we hold", "address", about.prefix, "interface", about.ifname, "hardware", who)
	default:
		k.notes.add(slog.LevelInfo, "no other host answers for the virtual address any more", "address", about.prefix, "interface", about.ifname)
	}
}
