package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// change is news from a node's kernel: it has the virtual IP now, or no longer.
type change struct {
	node string
	held bool
	at   time.Time
	err  error // the watch has ended
}

// watchNodes reports what the nodes' kernels have and every change of it, until
// ctx ends. A lease's renewals are no change.
func (l *Lab) watchNodes(ctx context.Context) (<-chan change, error) {
	out := make(chan change, 16)
	for _, n := range nodes() {
		if err := l.watchNode(ctx, n.name, out); err != nil {
			return nil, fmt.Errorf("watch the addresses of %s: %w", n.name, err)
		}
	}
	return out, nil
}

func (l *Lab) watchNode(ctx context.Context, node string, out chan<- change) error {
	ns, err := netns.GetFromName(l.namespace(node))
	if err != nil {
		return err
	}
	defer ns.Close()
	updates := make(chan netlink.AddrUpdate, 64)
	var failure error
	err = netlink.AddrSubscribeWithOptions(updates, ctx.Done(), netlink.AddrSubscribeOptions{
		Namespace:     &ns,
		ListExisting:  true,
		ErrorCallback: func(err error) { failure = err },
	})
	if err != nil {
		return err
	}
	tell := func(c change) {
		c.node, c.at = node, time.Now()
		select {
		case out <- c:
		case <-ctx.Done():
		}
	}
	go func() {
		held := false
		for u := range updates { // closed after a failure, which it makes visible here
			if u.LinkAddress.IP.String() == vip && u.NewAddr != held {
				held = u.NewAddr
				tell(change{held: held})
			}
		}
		if ctx.Err() == nil {
			tell(change{err: fmt.Errorf("lost sight of the addresses of %s: %w", node, failure)})
		}
	}()
	return nil
}
