package daemon

import (
	"cmp"
	"context"
	"slices"

	"baton/conf/keepalived/pairlint"
	"baton/internal/diag"
)

// ComparePeer reads the other node's files and says what is wrong with them, and
// between the two nodes. own and found are what Load made of o.
func ComparePeer(ctx context.Context, own *Config, o LoadOptions, found diag.List, peer LoadOptions) diag.List {
	peer.Elsewhere = true
	other, all := Load(ctx, peer)
	if at := other.tree.ForNode; at.Line > 0 && peer.Node == "" {
		var errs diag.List
		errs.Errorf(at, "say which node --peer is: --peer-node ID", "this line depends on the node that reads it")
		errs.Attach(other.tree.Line)
		return errs
	}
	// Of a file that both nodes read, everything has been told once.
	all = slices.DeleteFunc(all, func(d diag.Diag) bool { return slices.Contains(found, d) })
	if !own.whole || !other.whole {
		return all
	}
	for _, c := range []struct {
		*Config
		flag string
		file string
	}{{own, "-f", first(o.Files)}, {other, "--peer", first(peer.Files)}} {
		if c.VRRP == nil {
			all.Errorf(diag.Pos{File: cmp.Or(c.file, c.flag)}, "name the file that holds it with "+c.flag+", too", "there is no vrrp_instance to compare with the other node's")
			return all
		}
	}
	a, b := cmp.Or(o.Node, first(o.Files)), cmp.Or(peer.Node, first(peer.Files))
	if a == b {
		a, b = "this node", "the other node"
	}
	between := pairlint.Pair(pairlint.Node{Name: a, Config: own.VRRP}, pairlint.Node{Name: b, Config: other.VRRP})
	own.tree.Attach(between)
	other.tree.Attach(between)
	return append(all, between...)
}
