package balance

import "cmp"

// ServerState is what decides whether a server may get new traffic.
type ServerState struct {
	Up     bool // passes its checks and is not in maintenance
	Backup bool
	Number int // `id`
	Weight int
	Scaled int // see Slot; 0: 16*Weight
	Load   Load
}

// choose sorts out who serves. Those are the active servers that are up, or, when there
// is none, the first backup that is up, or all of them with `option allbackups`. A server
// of weight 0 gets nothing and does not keep the backups out.
func (p *Plan) choose(servers []ServerState, allBackups bool) {
	p.actives, p.backups = usable(servers, false), usable(servers, true)
	switch {
	case len(p.actives) > 0:
		p.Slots = p.actives
	case len(p.backups) > 1 && !allBackups:
		p.Slots = p.backups[:1]
	default:
		p.Slots = p.backups
	}
}

// usable returns the slots of those that could serve; a slot's ID is the server's index.
func usable(servers []ServerState, backup bool) []Slot {
	var slots []Slot
	for i, s := range servers {
		if s.Up && s.Backup == backup && s.Weight > 0 {
			slots = append(slots, Slot{ID: i, Number: s.Number, Weight: s.Weight, Scaled: cmp.Or(s.Scaled, s.Weight*scale), Load: s.Load})
		}
	}
	return slots
}
