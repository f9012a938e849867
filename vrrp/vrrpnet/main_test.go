package vrrpnet

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"baton/internal/mono"
	"baton/vrrp"

	"go.uber.org/goleak"
)

// nodeEnv holds the configuration with which the test binary runs as one node, so
// that a test can kill it, stop it and let it go on.
const nodeEnv = "VRRPNET_TEST_NODE"

func TestMain(m *testing.M) {
	if conf := os.Getenv(nodeEnv); conf != "" {
		os.Exit(beNode(conf))
	}
	// The tests wait for elections; they hardly compute.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// beNode runs one instance on eth0 until SIGTERM and prints a line for each event.
func beNode(conf string) int {
	var c vrrp.Config
	if err := json.Unmarshal([]byte(conf), &c); err != nil {
		fmt.Println("error", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := New(Options{
		Instances: []vrrp.Config{c},
		Owner:     printingOwner{},
		OnEvent:   func(e Event) { fmt.Println("event", e) },
	})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	index, primary := eth0()
	s.Link("eth0", index, true, primary...)
	if err := s.Run(ctx); err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

type printingOwner struct{}

func (printingOwner) Set(_ string, up bool, _ mono.Time, _ func()) error {
	fmt.Println("addresses up", up)
	return nil
}
func (printingOwner) Announce(string, bool, mono.Time) { fmt.Println("announce") }
func (printingOwner) Deadline() mono.Time              { return mono.Never }
func (printingOwner) Tick(mono.Time)                   {}

// eth0 looks at the interface of the calling thread's namespace.
func eth0() (index int, primary []netip.Addr) { return iface("eth0") }

func iface(name string) (index int, primary []netip.Addr) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return 0, nil
	}
	addrs, err := ifi.Addrs()
	if err != nil {
		return ifi.Index, nil
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && (p.Addr().Is4() || p.Addr().IsLinkLocalUnicast()) {
			primary = append(primary, p.Addr())
		}
	}
	return ifi.Index, primary
}
