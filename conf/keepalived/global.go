package keepalived

import "baton/conf"

// globals is what global_defs collects for the other blocks.
type globals struct {
	scriptUser, scriptGroup string
	states                  defaults
	fifos                   []*fifoDraft
	mail                    mailDraft
	version                 uint8 // vrrp_version; 0: not given
	checkUnicastSource      bool
	plainSum                bool
	announce                announceDraft
	strict                  bool
	vmacPrefix              string // of interface names, "": vrrp
	vmacAddrPrefix          string // of those for addresses, "": vmacPrefix
	defaultInterface        string // of static addresses
}

// globalKeywords is global_defs, in the manual's order of topics.
func globalKeywords() [][]entry[globals] {
	return [][]entry[globals]{
		{
			{name: "router_id", doc: "the name of this node in `baton status`; default: the host name", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, _ *globals) {
				l.config.RouterID = b.Words[1].Text
			}},
			{name: "vrrp_version", doc: "2 (the default) or 3; instances with IPv6 addresses always speak 3", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
				g.version = l.version(b)
			}},
			{name: "v3_checksum_as_v2", doc: "leave the pseudo header out of version 3's checksum over IPv4, as other makers do", max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
				g.plainSum = l.on(b)
			}},
			{name: "vrrp_check_unicast_src", doc: "refuse unicast adverts of others than the peers", max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
				g.checkUnicastSource = l.on(b)
			}},
			{name: "enable_script_security", doc: "run no script as root that another user could change", parse: func(l *lowerer, _ *conf.Block, _ *globals) {
				l.config.ScriptSecurity = true
			}},
			{name: "script_user", doc: "user and group that scripts run as: script_user USER [GROUP]", min: 1, max: 2, parse: func(_ *lowerer, b *conf.Block, g *globals) {
				g.scriptUser, g.scriptGroup = b.Words[1].Text, ""
				if len(b.Words) > 2 {
					g.scriptGroup = b.Words[2].Text
				}
			}},
			{name: "vmac_prefix", doc: "how the names of interfaces of use_vmac begin; default: vrrp", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
				l.vmacPrefix(b, &g.vmacPrefix)
			}},
			{name: "vmac_addr_prefix", doc: "how the names of interfaces of use_vmac_addr, and of use_vmac of an address, begin; default: vmac_prefix", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
				l.vmacPrefix(b, &g.vmacAddrPrefix)
			}},
			{name: "default_interface", doc: "the interface of static addresses that name none", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
				if l.interfaceName("default_interface", b.Words[1]) {
					g.defaultInterface = b.Words[1].Text
				}
			}},
		},
		mailKeywords(),
		warn[globals]("there are no checkers to mail about", "smtp_alert_checker", "no_checker_emails"),

		globalStateKeywords(),
		fifoKeywords(),
		announceKeywords("vrrp_", func(g *globals) *announceDraft { return &g.announce }),
		globalAnnounceKeywords(),
		only[globals]("group that adverts are sent to", "224.0.0.18", "vrrp_mcast_group4"),
		{toggle("vrrp_strict", "adhere to the RFCs strictly: no authentication, no unicast, no repeated announcements, and no_accept", func(g *globals, on bool) { g.strict = on })},
		only[globals]("group that IPv6 adverts are sent to", "ff02::12", "vrrp_mcast_group6"),
		warn[globals]("adverts of other virtual routers are passed over", "log_unknown_vrids"),
		warn[globals]("baton always waits for an interface that is not there", "dynamic_interfaces"),
		warn[globals]("links are watched by netlink", "linkbeat_use_polling"),

		// Scripts and notification.
		refuse[globals]("use ExecStartPre= and ExecStopPost= of the systemd unit", "startup_script", "startup_script_timeout", "shutdown_script", "shutdown_script_timeout"),
		refuse[globals]("", "fifo_write_vrrp_states_on_reload"),

		// IPVS.
		refuse[globals]("balance with a frontend and a backend instead of IPVS", "lvs_sync_daemon", "lvs_timeouts", "lvs_flush", "lvs_flush_on_stop",
			"lvs_notify_fifo", "lvs_notify_fifo_script", "nftables_ipvs"),
		warn[globals]("there is no IPVS to check servers for", "checker_log_all_failures", "rs_init_notifies", "nftables_ipvs_priority", "nftables_ipvs_start_fwmark",
			"lvs_netlink_cmd_rcv_bufs", "lvs_netlink_cmd_rcv_bufs_force", "lvs_netlink_monitor_rcv_bufs", "lvs_netlink_monitor_rcv_bufs_force"),

		// Firewall and virtual MACs.
		warn[globals]("the rules of no_accept stand in an nftables table of their own, `inet baton`", "nftables", "nftables_priority", "nftables_counters", "nftables_ifindex",
			"vrrp_iptables", "vrrp_ipsets"),
		refuse[globals]("set it with sysctl: net.ipv4.igmp_link_local_mcast_reports=0", "disable_local_igmp"),

		// Scheduling: the VRRP thread is real-time and locked in memory when allowed.
		warn[globals]("baton's VRRP thread is real-time and locked in memory by itself, as far as it is allowed",
			"max_auto_priority", "min_auto_priority_delay", "vrrp_priority", "vrrp_no_swap", "vrrp_cpu_affinity", "vrrp_rt_priority", "vrrp_rlimit_rttime"),
		warn[globals]("baton is one process", "checker_priority", "checker_no_swap", "checker_cpu_affinity", "checker_rt_priority", "checker_rlimit_rttime",
			"bfd_priority", "bfd_no_swap", "bfd_cpu_affinity", "bfd_rt_priority", "bfd_rlimit_rttime",
			"process_names", "process_name", "vrrp_process_name", "checker_process_name", "bfd_process_name"),
		warn[globals]("baton sizes its buffers itself", "vrrp_netlink_cmd_rcv_bufs", "vrrp_netlink_cmd_rcv_bufs_force",
			"vrrp_netlink_monitor_rcv_bufs", "vrrp_netlink_monitor_rcv_bufs_force", "process_monitor_rcv_bufs", "process_monitor_rcv_bufs_force",
			"vrrp_rx_bufs_policy", "vrrp_rx_bufs_multiplier"),

		// Management.
		refuse[globals]("ask `baton status` or scrape the metrics", "enable_snmp_vrrp", "enable_snmp_checker", "enable_snmp_rfc", "enable_snmp_rfcv2",
			"enable_snmp_rfcv3", "enable_traps", "enable_dbus"),
		warn[globals]("there is no SNMP and no D-Bus", "snmp_socket", "dbus_service_name"),
		warn[globals]("baton checks a configuration before it uses it", "reload_check_config"),
		warn[globals]("a missing include is always an error, a pattern that matches nothing is not; includew makes it one", "include_check"),
		refuse[globals]("", "reload_time_file", "reload_repeat", "reload_file"),
		warn[globals]("there is no dump to name", "data_use_instance", "tmp_config_directory", "config_save_dir"),
		warn[globals]("files are made with the umask of the systemd unit", "umask"),
		warn[globals]("there is no ${_RANDOM}", "random_seed"),
	}
}

// version reads a version of the protocol; 0 if it is none.
func (l *lowerer) version(b *conf.Block) uint8 {
	switch w := b.Words[1]; w.Text {
	case "2":
		return 2
	case "3":
		return 3
	default:
		l.errs.Errorf(w.Pos, "", "`%s` must be 2 or 3, not `%s`", b.Words[0].Text, w.Text)
	}
	return 0
}
