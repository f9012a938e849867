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

// question is one question about one address.
type question struct {
	address vip.Address
	ours    map[[6]byte]bool // every interface of this host may answer
	conn    *packet.Conn
}

// ask asks for one address. Who answers, with another hardware address than those of
// this host, is logged once and shown in Status until a question finds nobody.
func (m *Manager) ask(pass *announcement, a vip.Address) {
	about := "question who has " + a.Prefix.String() + " on " + a.Interface
	p := pass.port(a.Interface)
	if p.announcer == nil {
		return // announcing has told why
	}
	if pass.ours == nil {
		pass.ours = m.hardware()
	}
	q := question{address: a, ours: pass.ours}
	var err error
	if q.conn, err = listenForClaims(&p.ifi, a.Prefix.Addr()); err == nil {
		frame := vip.AppendProbe(nil, [6]byte(p.ifi.HardwareAddr), a.Prefix.Addr())
		if _, err = p.announcer.conn.WriteTo(frame, &packet.Addr{HardwareAddr: frame[:6]}); err != nil {
			_ = q.conn.Close()
		}
	}
	m.complain(about, err)
	if err == nil {
		m.asker.wait.Go(func() { m.asker.await(q) })
	}
}

// hardware returns the hardware addresses of this host.
func (m *Manager) hardware() map[[6]byte]bool {
	set := map[[6]byte]bool{}
	links, err := m.nl.LinkList()
	m.complain("list of interfaces", err)
	for _, l := range links {
		if hw := l.Attrs().HardwareAddr; len(hw) == 6 {
			set[[6]byte(hw)] = true
		}
	}
	return set
}

// listenForClaims opens a socket that receives ARP, or neighbour advertisements.
func listenForClaims(ifi *net.Interface, a netip.Addr) (*packet.Conn, error) {
	const arp, ipv6 = 0x0806, 0x86dd
	protocol, cfg := arp, &packet.Config{}
	if a.Is6() {
		protocol = ipv6
		filter, err := bpf.Assemble([]bpf.Instruction{
			bpf.LoadAbsolute{Off: 20, Size: 1}, // next header
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 58, SkipTrue: 3},
			bpf.LoadAbsolute{Off: 54, Size: 1}, // ICMPv6 type
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 136, SkipTrue: 1},
			bpf.RetConstant{Val: 256},
			bpf.RetConstant{Val: 0},
		})
		if err != nil {
			return nil, fmt.Errorf("filter neighbour advertisements: %w", err)
		}
		cfg.Filter = filter
	}
	conn, err := packet.Listen(ifi, packet.Raw, protocol, cfg)
	if err != nil {
		return nil, fmt.Errorf("open packet socket on %s: %w", ifi.Name, err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(answerTime)); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("set deadline of packet socket on %s: %w", ifi.Name, err)
	}
	return conn, nil
}

// await waits for answers to a question.
func (k *asker) await(q question) {
	end := context.AfterFunc(k.ctx, func() { _ = q.conn.SetReadDeadline(time.Now()) })
	defer func() {
		end()
		k.closing.Lock()
		defer k.closing.Unlock()
		_ = q.conn.Close()
	}()
	b := make([]byte, 256)
	who := ""
	for who == "" {
		n, _, err := q.conn.ReadFrom(b)
		if err != nil {
			if !os.IsTimeout(err) || k.ctx.Err() != nil {
				return // the interface went away, or we stop: no answer is none
			}
			break
		}
		if a, hw, ok := vip.ParseClaim(b[:n]); ok && a == q.address.Prefix.Addr() && !q.ours[hw] {
			who = net.HardwareAddr(hw[:]).String()
		}
	}
	before := k.stranger(q.address)
	k.found[keyOf(q.address)].Store(&who)
	switch {
	case who == before:
	case who != "":
		k.notes.add(slog.LevelError, "another host answers for a virtual address that we hold", "address", q.address.Prefix, "interface", q.address.Interface, "hardware", who)
	default:
		k.notes.add(slog.LevelInfo, "no other host answers for the virtual address any more", "address", q.address.Prefix, "interface", q.address.Interface)
	}
}
