package daemon

import (
	"cmp"
	"context"
	"os"

	"baton/conf"
	"baton/conf/haproxy"
	"baton/conf/keepalived"
	"baton/conf/keepalived/pairlint"
	"baton/internal/diag"
	"baton/lb"
	"baton/lb/spec"
)

// LoadOptions says where the configuration comes from.
type LoadOptions struct {
	Files []string // files and folders, as the operator wrote them
	Node  string   // for `@id` lines; "": the host name
	// Elsewhere: the files are another host's. What only that host can prove, its
	// scripts and its names, is taken for granted.
	Elsewhere bool
	// HAProxy: the files are read in haproxy's place.
	HAProxy *HAProxyOptions
}

// Config is what the files say. A half that the files do not mention is nil:
// a balancer without VRRP needs no privileges, a VRRP speaker without a balancer
// opens no listener.
type Config struct {
	Name     string // of this node: router_id, or what `@id` lines know it as
	Balancer *spec.Config
	VRRP     *keepalived.Config
	Doubtful bool // VRRP's part of the files has mistakes that do not keep it from running

	tree  *conf.Tree
	whole bool // VRRP means all that the files say of it
}

// Load reads the files and proves as much of them as can be proved without
// opening a socket: the scripts can be run, the host names resolve. `baton check`
// and `baton run` share it to the last line. The Config may be run when the list
// holds no error.
func Load(ctx context.Context, o LoadOptions) (*Config, diag.List) {
	var all diag.List
	node := o.Node
	if node == "" {
		name, err := os.Hostname()
		if err != nil {
			all.Errorf(diag.Pos{File: "--node"}, "name this node with --node", "the host has no name: %v", err)
		}
		node = name
	}
	dir, err := os.Getwd()
	if err != nil {
		dir = "/" // relative names will be reported as missing there
	}
	tree, errs := conf.Parse(conf.Source{
		FS: os.DirFS("/"), Dir: dir, Env: os.LookupEnv, Node: node,
		Predefined: o.HAProxy.predefined(node), Diagnostic: o.HAProxy != nil && o.HAProxy.Diagnostic, CfgOnly: o.HAProxy != nil,
	}, o.Files)
	all = append(all, errs...)
	broken := errs.Errors() > 0

	balancer, errs := haproxy.Lower(tree)
	all = append(all, errs...)
	vrrp, errs := keepalived.Lower(tree)
	all = append(all, errs...)
	doubtful := errs.Warnings() > errs.Unused()
	whole := !broken && errs.Errors() == 0
	if whole {
		all = append(all, pairlint.Alone(vrrp)...)
	}
	all = append(all, link(vrrp, balancer)...)
	if o.HAProxy == nil {
		all = append(all, commandLineOnly(&balancer.Global)...)
	}

	cfg := &Config{Name: cmp.Or(vrrp.RouterID, node), tree: tree, whole: whole, Doubtful: doubtful}
	if len(balancer.Frontends)+len(balancer.Backends) > 0 {
		cfg.Balancer = balancer
	}
	if len(vrrp.Instances) > 0 {
		cfg.VRRP = vrrp
	}
	o.HAProxy.apply(cfg)
	all = append(all, o.HAProxy.foreignLines(cfg, o.Files)...)
	if cfg.Balancer == nil && cfg.VRRP == nil && !broken && all.Errors() == 0 && o.HAProxy == nil {
		all.Errorf(diag.Pos{File: cmp.Or(first(o.Files), "-f")}, "add a frontend, a listen section or a vrrp_instance", "there is nothing to run: no proxy and no vrrp_instance")
	}
	if cfg.VRRP != nil {
		useRealScripts(cfg)
	}
	if cfg.VRRP != nil && !o.Elsewhere {
		all = append(all, checkScripts(cfg)...)
	}
	if cfg.Balancer != nil && !o.Elsewhere {
		all = append(all, lb.CheckBinds(cfg.Balancer)...)
		all = append(all, lb.Resolve(ctx, cfg.Balancer)...)
	}
	all.Attach(tree.Line)
	all.Sort()
	if n := all.Warnings() - all.Unused(); n > 0 && (balancer.Global.ZeroWarning || o.HAProxy != nil && o.HAProxy.ZeroWarning) {
		all.Errorf(diag.Pos{File: cmp.Or(first(o.Files), "-f")}, "", "%s, and zero-warning is set", Count(n, "warning"))
	}
	return cfg, all
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
