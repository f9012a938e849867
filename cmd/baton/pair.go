package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"baton/conf/keepalived"
	"baton/internal/admin"
	"baton/pair/link"
)

// offerTime is how long `baton pair init` waits for the other node.
const offerTime = 10 * time.Minute

func pairCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "pair",
		Short: "Make two batons know each other",
		Long: "Two batons of a pair can keep a TLS connection, beside VRRP: a dead process is noticed at once, and\n" +
			"stop, restart and handover leave no gap. Each node has a key, and accepts exactly one other key.\n" +
			"`pair init` on one node makes its key, prints one line and waits; `pair join LINE` on the other\n" +
			"makes that node's key, connects, and both keep each other's. The line holds a token that is good\n" +
			"for one use within ten minutes: carry it as you would carry a password (ssh). Then name the peer in\n" +
			"the configuration of both: pair { peer ADDRESS }.",
		Example: "  lb1# baton pair init --listen 192.0.2.11\n  lb2# baton pair join 192.0.2.11:1112/sha256:.../...",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(pairInitCommand(), pairJoinCommand(), pairStatusCommand())
	return c
}

// keyFiles are where a node's key and its peer's lie.
type keyFiles struct{ key, peer, node string }

func keyFlags(c *cobra.Command) *keyFiles {
	var k keyFiles
	c.Flags().StringVar(&k.key, "key", keepalived.DefaultPairKey, "`FILE` of this node's key, as `key` in the pair block")
	c.Flags().StringVar(&k.peer, "peer-key", keepalived.DefaultPeerKey, "`FILE` of the other node's key, as `peer_key` in the pair block")
	host, _ := os.Hostname()
	c.Flags().StringVar(&k.node, "name", host, "this node's `NAME` for the other one")
	return &k
}

// identity makes or loads this node's key.
func (k *keyFiles) identity(c *cobra.Command) (*link.Identity, error) {
	for _, dir := range []string{filepath.Dir(k.key), filepath.Dir(k.peer)} {
		if err := makeFolder(dir); err != nil {
			return nil, err
		}
	}
	id, made, err := link.Create(k.key)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w\nrun it as root", err)
	}
	if err == nil && made {
		fmt.Fprintf(c.OutOrStdout(), "made the key of this node: %s\n", k.key)
	}
	return id, err
}

// makeFolder makes a folder that the daemon's user may read.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o750)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	g, err := user.LookupGroup("baton")
	if err != nil {
		return nil // baton runs as root here
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return fmt.Errorf("group baton: %w", err)
	}
	return os.Chown(dir, -1, gid)
}

func pairInitCommand() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use:   "init --listen ADDRESS[:PORT]",
		Short: "Make this node's key, print one line for the other node, and wait for it",
		Args:  noArgs,
	}
	k := keyFlags(c)
	c.Flags().StringVar(&listen, "listen", "", "`ADDRESS[:PORT]` of this node at which the other one reaches it; port 1112, or any when that is in use")
	c.RunE = func(c *cobra.Command, _ []string) error {
		at, err := offerAddress(listen)
		if err != nil {
			return failure(err)
		}
		id, err := k.identity(c)
		if err != nil {
			return failure(err)
		}
		ln, err := listenFor(at)
		if err != nil {
			return failure(err)
		}
		defer ln.Close()
		ctx, cancel := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer cancel()
		ctx, cancelTime := context.WithTimeout(ctx, offerTime)
		defer cancelTime()
		inv := link.NewInvitation(netip.MustParseAddrPort(ln.Addr().String()), id.ID)
		fmt.Fprintf(c.OutOrStdout(), "on the other node run, within %v:\n\n  baton pair join %v\n\nwaiting for it...\n", offerTime, inv)
		peer, err := link.Offer(ctx, ln, id, inv, k.node, func(p link.Peer) error { return link.SavePeer(k.peer, p) })
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return failure(fmt.Errorf("nobody came within %v; nothing has changed", offerTime))
		case errors.Is(err, context.Canceled):
			return failure(errors.New("interrupted; nothing has changed"))
		case err != nil:
			return failure(err)
		}
		k.tellPaired(c, id, peer)
		return nil
	}
	return c
}

func (k *keyFiles) tellPaired(c *cobra.Command, id *link.Identity, p link.Peer) {
	fmt.Fprintf(c.OutOrStdout(), "paired with %s\n  its key       %s (in %s)\n  this node's   %s\n", p.Node, link.FormatID(p.ID), k.peer, link.FormatID(id.ID))
}

// offerAddress reads --listen.
func offerAddress(s string) (netip.AddrPort, error) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return at, nil
	}
	if a, err := netip.ParseAddr(s); err == nil && !a.IsUnspecified() {
		return netip.AddrPortFrom(a, keepalived.PairPort), nil
	}
	text := "say at which of its addresses the other node reaches this one: --listen ADDRESS"
	if s != "" {
		text = fmt.Sprintf("--listen %s: this is no ADDRESS or ADDRESS:PORT", s)
	}
	var mine []string
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.AddrPort{}, errors.New(text)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() {
			mine = append(mine, p.Addr().String())
		}
	}
	if len(mine) > 0 {
		text += "\nthis node has " + strings.Join(mine, ", ")
	}
	return netip.AddrPort{}, errors.New(text)
}

// listenFor opens the port. The usual one is in use when the daemon runs with a
// link already; the line names whichever it is.
func listenFor(at netip.AddrPort) (net.Listener, error) {
	ln, err := net.Listen("tcp", at.String())
	if errors.Is(err, syscall.EADDRINUSE) && at.Port() == keepalived.PairPort {
		ln, err = net.Listen("tcp", netip.AddrPortFrom(at.Addr(), 0).String())
	}
	return ln, err
}

func pairJoinCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "join LINE",
		Short: "Pair this node with the one that printed LINE",
		Args:  atLeast(1, "the line that `baton pair init` printed on the other node"),
	}
	k := keyFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		inv, err := link.ParseInvitation(strings.Join(args, ""))
		if err != nil {
			return failure(err)
		}
		id, err := k.identity(c)
		if err != nil {
			return failure(err)
		}
		peer, err := link.Join(c.Context(), id, inv, k.node)
		if err != nil {
			return failure(fmt.Errorf("pair: %w", err))
		}
		if err := link.SavePeer(k.peer, peer); err != nil {
			return failure(fmt.Errorf("the other node has kept this one's key, but this one cannot keep its: %w", err))
		}
		k.tellPaired(c, id, peer)
		return nil
	}
	return c
}

func pairStatusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show the link and the other node",
		Args:  noArgs,
	}
	socket := socketFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
		defer cancel()
		_, st, err := admin.Fetch(ctx, *socket)
		switch {
		case err != nil:
			return failure(err)
		case st.Pair == nil:
			return failure(errors.New("this baton has no pair link: its configuration holds no `pair` block"))
		}
		if st.Pair.Problem != "" {
			fmt.Fprintf(c.OutOrStdout(), "no pair link: %s\n", st.Pair.Problem)
		}
		if err := st.Pair.WriteText(c.OutOrStdout(), time.Now()); err != nil {
			return failure(err)
		}
		if st.Pair.Key != "" {
			fmt.Fprintf(c.OutOrStdout(), "keys\n  this node's   %s\n  the peer's    %s\n", st.Pair.Key, st.Pair.PeerKey)
		}
		return nil
	}
	return c
}
