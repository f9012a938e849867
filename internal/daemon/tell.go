package daemon

import (
	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

// teller turns what the speaker reports into news for scripts and FIFOs. It works
// on the speaker's reporting goroutine only.
type teller struct {
	tell   func(checkscript.News)
	states map[string]vrrp.State // of instances, as last told
}

func newTeller(tell func(checkscript.News)) *teller {
	return &teller{tell: tell, states: make(map[string]vrrp.State)}
}

func (t *teller) event(e vrrpnet.Event) {
	news := checkscript.News{Name: e.Instance, Priority: int(e.Priority)}
	switch e.Kind {
	case vrrpnet.GroupChanged:
		news.Group, news.Name, news.Priority = true, e.Group, 0
		news.Word = wordOf(e.State, e.Why)
	case vrrpnet.StateChanged:
		t.states[e.Instance] = e.State
		if news.Word = wordOf(e.State, e.Why); e.Why == vrrp.Removed {
			delete(t.states, e.Instance)
		}
	case vrrpnet.Resync:
		// Steps in between are lost, where it ended must not be.
		if t.states[e.Instance] != e.State {
			t.states[e.Instance] = e.State
			news.Word = wordOf(e.State, e.Why)
		}
	case vrrpnet.Noted:
		switch state := t.states[e.Instance]; {
		case e.Note == vrrp.LowerHeard:
			news.Word = checkscript.RxLower
		case e.Note == vrrp.PriorityChanged && state == vrrp.Master:
			news.Word = checkscript.MasterPriority
		case e.Note == vrrp.PriorityChanged && state == vrrp.Backup:
			news.Word = checkscript.BackupPriority
		}
	}
	if news.Word != "" {
		t.tell(news)
	}
}

// wordOf is the word for a state; "" if nobody is told.
func wordOf(s vrrp.State, why vrrp.Why) checkscript.Word {
	switch {
	case s == vrrp.Master:
		return checkscript.ToMaster
	case s == vrrp.Backup:
		return checkscript.ToBackup
	case s == vrrp.Fault:
		return checkscript.ToFault
	case why == vrrp.Stopped:
		return checkscript.Stopped
	case why == vrrp.Removed:
		return checkscript.Deleted
	}
	return ""
}

func groupsOf(c *keepalived.Config) []vrrpnet.Group {
	var out []vrrpnet.Group
	for _, g := range c.Groups {
		out = append(out, vrrpnet.Group{Name: g.Name, Members: g.Members})
	}
	return out
}
