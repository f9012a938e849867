package spec

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ServerState is what a state file tells of a server (management guide, `show servers
// state`).
type ServerState struct {
	Backend, Server string
	Addr            netip.Addr // zero: none
	Port            uint16     // 0: not told
	Down            bool       // operational state
	Maint, Drain    bool       // administrative state, as somebody has set it
	Weight, Initial int        // the present one and the configured one at that time
	Health          int        // of its checks
}

// The columns of a line, and the bits of the administrative state that are an
// operator's: a file of the same configuration brings the others about by itself.
const (
	columnBackend  = 1
	columnServer   = 3
	columnAddr     = 4
	columnOp       = 5
	columnAdmin    = 6
	columnWeight   = 7
	columnInitial  = 8
	columnHealth   = 12
	columnPort     = 18
	leastColumns   = 13
	adminMaint     = 1
	adminDrain     = 8
	operationalOff = 0
)

// ReadServerStates reads a state file of version 1. A line that is none is an error
// that names it; the others are returned none the less.
func ReadServerStates(text string) (states []ServerState, errs []error) {
	version := ""
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case version == "":
			if version = line; version != "1" {
				return nil, []error{fmt.Errorf("line %d: version '%s' is unknown: 1 is", number, line)}
			}
		default:
			s, err := readServerState(strings.Fields(line))
			if err != nil {
				errs = append(errs, fmt.Errorf("line %d: %w", number, err))
				continue
			}
			states = append(states, s)
		}
	}
	return states, errs
}

func readServerState(f []string) (s ServerState, err error) {
	if len(f) < leastColumns {
		return s, fmt.Errorf("%d columns, at least %d are needed", len(f), leastColumns)
	}
	number := func(column int) (n int) {
		if err != nil {
			return 0
		}
		n, err = strconv.Atoi(f[column])
		if err != nil || n < 0 {
			err = fmt.Errorf("'%s' in column %d is not a number", f[column], column+1)
		}
		return n
	}
	s = ServerState{Backend: f[columnBackend], Server: f[columnServer], Down: number(columnOp) == operationalOff}
	admin := number(columnAdmin)
	s.Maint, s.Drain = admin&adminMaint != 0, admin&adminDrain != 0
	s.Weight, s.Initial, s.Health = number(columnWeight), number(columnInitial), number(columnHealth)
	if len(f) > columnPort {
		s.Port = uint16(number(columnPort))
	}
	if a, bad := netip.ParseAddr(f[columnAddr]); bad == nil {
		s.Addr = a.Unmap()
	}
	return s, err
}
