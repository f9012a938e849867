package balance

// ServerState is what decides whether a server may get new traffic.
type ServerState struct {
	Up     bool // passes its checks and is not in maintenance
	Backup bool
	Number int // `id`
	Weight int
	Scaled int // see Slot; 0: 16*Weight
	Load   Load
}

// Eligible returns the slots of the servers that share the traffic; a slot's ID is
// the server's index in servers. Those are the active servers that are up, or, when
// there is none, the first backup that is up, or all of them with `option
// allbackups`. A server of weight 0 gets nothing and does not keep the backups out.
func Eligible(servers []ServerState, allBackups bool) []Slot {
	if slots := usable(servers, false); len(slots) > 0 {
		return slots
	}
	slots := usable(servers, true)
	if len(slots) > 1 && !allBackups {
		slots = slots[:1]
	}
	return slots
}

func usable(servers []ServerState, backup bool) []Slot {
	var slots []Slot
	for i, s := range servers {
		if s.Up && s.Backup == backup && s.Weight > 0 {
			slots = append(slots, Slot{ID: i, Number: s.Number, Weight: s.Weight, Scaled: s.Scaled, Load: s.Load})
		}
	}
	return slots
}
