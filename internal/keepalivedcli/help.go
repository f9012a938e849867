package keepalivedcli

import (
	"fmt"
	"strings"
)

// Help is the text of --help.
func Help() string {
	var b strings.Builder
	b.WriteString("Usage: keepalived [OPTION...]\n\nbaton with keepalived's command line: VRRP only, no IPVS.\n\n")
	for _, f := range flags() {
		name := "--" + f.long
		switch f.arg {
		case required:
			name += "=" + f.value
		case optional:
			name += "[=" + f.value + "]"
		case none:
		}
		short := "    "
		if f.short != 0 {
			short = fmt.Sprintf("-%c, ", f.short)
		}
		help := f.help
		if f.refused != "" {
			help = "not supported: " + f.refused
		}
		fmt.Fprintf(&b, "  %s%s\n        %s\n", short, name, help)
	}
	return b.String()
}

// Version is the text of --version. Programs read the second word of its first
// line: the version of keepalived whose ways these are.
func Version(baton string) string {
	return "Keepalived v2.2.7 (baton " + baton + ")\n\nThis is baton with keepalived's command line: VRRP only, no IPVS.\n"
}
