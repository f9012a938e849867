package nettest

import (
	"net"
	"time"

	"github.com/mdlayher/packet"
)

// patience bounds how long a test waits for something that should come at once;
// it is long because the machine may be busy with other tests.
const patience = 20 * time.Second

// Capture holds the frames of one protocol that an interface receives.
type Capture struct {
	ns   *NS
	conn *packet.Conn
}

// Capture starts to collect frames of the given EtherType (0x0800 IPv4, 0x0806
// ARP, 3 all) on an interface. Frames count from when it returns. With 3 (all)
// the frames that the host itself sends are there too.
func (n *NS) Capture(ifname string, etherType int) *Capture {
	n.t.Helper()
	c := &Capture{ns: n}
	n.Do(func() {
		ifi, err := net.InterfaceByName(ifname)
		if err != nil {
			n.t.Fatalf("capture in %s: %v", n.Name, err)
		}
		if c.conn, err = packet.Listen(ifi, packet.Raw, etherType, nil); err != nil {
			n.t.Fatalf("capture on %s in %s: %v", ifname, n.Name, err)
		}
	})
	n.t.Cleanup(func() { _ = c.conn.Close() })
	return c
}

// Next returns the next frame, from its Ethernet header on, that want accepts
// (nil: any). The test fails when none comes.
func (c *Capture) Next(want func(frame []byte) bool) []byte {
	c.ns.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 65536)
	for {
		n, _, err := c.conn.ReadFrom(buf)
		if err != nil {
			c.ns.t.Fatalf("no such frame in %s: %v", c.ns.Name, err)
		}
		if want == nil || want(buf[:n]) {
			return buf[:n:n]
		}
	}
}
