package resolve

import (
	"net/netip"
	"slices"
)

// Seat is a server whose address comes from a name. The servers of one backend and
// name share its addresses out among them.
type Seat struct {
	Addr   netip.Addr // its present address; invalid: none
	Target string     // SRV: its present target and port
	Port   uint16
	Weight uint16 // SRV: as the record has it

	Prefer Type           // resolve-prefer: A or AAAA
	Nets   []netip.Prefix // resolve-net
	Dup    bool           // resolve-opts allow-dup-ip: may share an address with another seat
}

// Assign gives every seat an address of the records, or none. A seat keeps the one it
// has while that is still known; what is free goes to the others, by resolve-net and
// resolve-prefer first.
func Assign(seats []Seat, records []Record) {
	taken := make([]bool, len(records))
	take := func(s *Seat, i int) {
		s.Addr = records[i].Addr
		taken[i] = true
	}
	var open []*Seat
	for n := range seats {
		s := &seats[n]
		i := slices.IndexFunc(records, func(r Record) bool { return r.Addr == s.Addr })
		if s.Addr.IsValid() && i >= 0 && (!taken[i] || s.Dup) {
			take(s, i)
		} else {
			s.Addr = netip.Addr{}
			open = append(open, s)
		}
	}
	for _, s := range open {
		if i := s.best(records, taken); i >= 0 {
			take(s, i)
		} else if i := s.best(records, make([]bool, len(records))); i >= 0 && s.Dup {
			take(s, i)
		}
	}
}

// best is the record, of those not taken, that suits a seat most: in one of its
// networks, then of its family, then the first.
func (s *Seat) best(records []Record, taken []bool) int {
	best, most := -1, -1
	for i, r := range records {
		if taken[i] || !r.Addr.IsValid() {
			continue
		}
		points := 0
		if slices.ContainsFunc(s.Nets, func(p netip.Prefix) bool { return p.Contains(r.Addr) }) {
			points += 2
		}
		if r.Addr.Is4() == (s.Prefer == A) {
			points++
		}
		if points > most {
			best, most = i, points
		}
	}
	return best
}

// AssignSRV gives every seat a target and port of the records, or none; its address
// is then the target's. A record's own address, where it has one, is taken over.
func AssignSRV(seats []Seat, records []Record) {
	taken := make([]bool, len(records))
	var open []*Seat
	for n := range seats {
		s := &seats[n]
		i := slices.IndexFunc(records, func(r Record) bool { return r.Target == s.Target && r.Port == s.Port })
		if s.Target == "" || i < 0 || taken[i] {
			*s = Seat{Prefer: s.Prefer, Nets: s.Nets, Dup: s.Dup}
			open = append(open, s)
			continue
		}
		taken[i] = true
		s.follow(records[i])
	}
	for _, s := range open {
		i := -1 // the untaken one of the lowest priority value (RFC 2782)
		for j, r := range records {
			if !taken[j] && (i < 0 || r.Priority < records[i].Priority) {
				i = j
			}
		}
		if i < 0 {
			return
		}
		taken[i] = true
		s.Target, s.Port = records[i].Target, records[i].Port
		s.follow(records[i])
	}
}

func (s *Seat) follow(r Record) {
	s.Weight = r.Weight
	if r.Addr.IsValid() {
		s.Addr = r.Addr
	}
}
