package conf

import "slices"

// haproxySections are the words that begin a section of HAProxy's grammar, known
// to conf/haproxy or not: chapter 2.1 of the configuration manual gives them no
// other meaning anywhere. The later ones came after version 2.6.
func haproxySections() []string {
	return []string{
		"global", "defaults", "frontend", "backend", "listen",
		"peers", "userlist", "resolvers", "mailers", "program", "http-errors", "ring", "log-forward", "cache", "fcgi-app",
		"log-profile", "crt-store", "traces", "acme", "namespace_list",
	}
}

// keepalivedBlocks are the words that may stand at the top of a keepalived file
// and open a brace.
func keepalivedBlocks() []string {
	return []string{
		"global_defs", "vrrp_script", "vrrp_instance", "vrrp_sync_group", "vrrp_track_process", "vrrp_track_file",
		"track_file", "track_process", "track_group", "static_ipaddress", "static_routes", "static_rules",
		"virtual_server", "virtual_server_group", "garp_group", "bfd_instance", "linkbeat_interfaces",
		"interface_up_down_delays", "SSL", "pair",
	}
}

// keepalivedLines are the words that may stand at the top of a keepalived file
// and open no brace.
func keepalivedLines() []string {
	return []string{
		"net_namespace", "net_namespace_ipvs", "namespace_with_ipsets", "instance", "use_pid_dir",
		"linkbeat_use_polling", "child_wait_time",
		"include", "includer", "includem", "includew", "includeb", "includea",
	}
}

// unambiguousTops are the words that can stand nowhere but at the top of a file:
// inside a block they mean that a closing brace is missing.
func unambiguousTops() []string {
	return []string{
		"global_defs", "vrrp_script", "vrrp_instance", "vrrp_sync_group", "vrrp_track_process", "vrrp_track_file",
		"static_ipaddress", "static_routes", "static_rules", "virtual_server", "virtual_server_group",
		"garp_group", "bfd_instance", "interface_up_down_delays",
		"global", "defaults", "listen", "userlist", "resolvers", "http-errors", "log-forward",
	}
}

// nestedBlocks are the words inside a block that open a brace, so that a missing
// one is named where it is missing.
func nestedBlocks() []string {
	return []string{
		"authentication", "virtual_ipaddress", "virtual_ipaddress_excluded", "virtual_routes", "virtual_rules",
		"track_script", "track_interface", "track_file", "track_process", "track_bfd", "track_backend", "track_traffic",
		"unicast_peer", "group", "interfaces", "notification_email", "real_server",
	}
}

// TopWords returns every word that begins a section or a block.
func TopWords() []string {
	return slices.Concat(haproxySections(), keepalivedBlocks(), keepalivedLines())
}

// vocabulary is the same as sets, made once per Parse.
type vocabulary struct {
	haproxy, blocks, lines, tops, nested map[string]bool
}

func newVocabulary() vocabulary {
	set := func(words []string) map[string]bool {
		m := make(map[string]bool, len(words))
		for _, w := range words {
			m[w] = true
		}
		return m
	}
	return vocabulary{
		haproxy: set(haproxySections()), blocks: set(keepalivedBlocks()), lines: set(keepalivedLines()),
		tops: set(unambiguousTops()), nested: set(nestedBlocks()),
	}
}
