package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// kernels follows which of the nodes' kernels have the virtual address, and asks the
// client's kernel whom it believes to have it.
type kernels struct {
	mu    sync.Mutex
	held  map[string]bool
	spans []span // closed ones first come, the open one of a node is its last
	err   error

	clientNS *netlink.Handle
	link     int               // the client's eth0
	macs     map[string]string // node by hardware address
}

func watchKernels(st *stage) (*kernels, error) {
	k := &kernels{held: make(map[string]bool), macs: make(map[string]string)}
	done := make(chan struct{})
	st.cleanup = append(st.cleanup, func() { close(done) })
	for _, node := range []string{"a", "b"} {
		ns, err := netns.GetFromName(st.net.NS(node))
		if err != nil {
			return nil, err
		}
		defer ns.Close()
		if err := k.watch(node, ns, done); err != nil {
			return nil, fmt.Errorf("watch the addresses of %s: %w", node, err)
		}
		h, err := netlink.NewHandleAt(ns)
		if err != nil {
			return nil, err
		}
		l, err := h.LinkByName("eth0")
		h.Close()
		if err != nil {
			return nil, err
		}
		k.macs[l.Attrs().HardwareAddr.String()] = node
	}
	ns, err := netns.GetFromName(st.net.NS("client"))
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	if k.clientNS, err = netlink.NewHandleAt(ns); err != nil {
		return nil, err
	}
	st.cleanup = append(st.cleanup, func() { _ = k.clientNS.Close() })
	l, err := k.clientNS.LinkByName("eth0")
	if err != nil {
		return nil, err
	}
	k.link = l.Attrs().Index
	return k, nil
}

func (k *kernels) watch(node string, ns netns.NsHandle, done chan struct{}) error {
	updates := make(chan netlink.AddrUpdate, 64)
	err := netlink.AddrSubscribeWithOptions(updates, done, netlink.AddrSubscribeOptions{
		Namespace: &ns, ListExisting: true, ErrorCallback: func(err error) { k.fail(err) },
	})
	if err != nil {
		return err
	}
	go func() {
		for u := range updates {
			if u.LinkAddress.IP.Equal(net.ParseIP(vip)) {
				k.note(node, u.NewAddr, time.Now())
			}
		}
		k.fail(errors.New("the watch on a kernel has ended"))
	}()
	return nil
}

func (k *kernels) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// note takes one message; a renewed lease is no change.
func (k *kernels) note(node string, has bool, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held[node] == has {
		return
	}
	k.held[node] = has
	if has {
		k.spans = append(k.spans, span{node: node, from: at})
		return
	}
	for i := len(k.spans) - 1; i >= 0; i-- {
		if k.spans[i].node == node {
			k.spans[i].to = at
			return
		}
	}
}

// holds says who has the address.
func (k *kernels) holds(node string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.held[node]
}

// tenure returns who held the address from a time on; what is held still ends at end.
func (k *kernels) tenure(from, end time.Time) ([]span, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return cut(k.spans, from, end), k.err
}

// believed is the node that the client's neighbour entry names, "" if there is none.
func (k *kernels) believed() string {
	list, err := k.clientNS.NeighList(k.link, netlink.FAMILY_V4)
	if err != nil {
		k.fail(err)
		return ""
	}
	for _, n := range list {
		if n.IP.String() == vip && n.State&(netlink.NUD_FAILED|netlink.NUD_INCOMPLETE) == 0 {
			return k.macs[n.HardwareAddr.String()]
		}
	}
	return ""
}
