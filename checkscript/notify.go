package checkscript

import (
	"strconv"
	"strings"

	"baton/internal/diag"
)

// Command is a script that runs when something happens. It is valid when
// conf/keepalived made it.
type Command struct {
	Keyword string   // notify_master and so on, for messages
	Argv    []string // program and arguments; no shell is involved
	User    string   // user to run as; "" = keepalived_script if it exists, else baton's own
	Group   string   // group; "" = the user's
	Pos     diag.Pos // of the command
}

// Word is what is told about an instance or a sync group.
type Word string

// The words, as scripts and readers of a FIFO get them (keepalived.conf, vrrp_sync_group).
const (
	ToMaster       Word = "MASTER"
	ToBackup       Word = "BACKUP"
	ToFault        Word = "FAULT"
	Stopped        Word = "STOP"
	Deleted        Word = "DELETED"             // a reload removed it; instances only
	RxLower        Word = "MASTER_RX_LOWER_PRI" // a master heard a lower priority; instances only
	MasterPriority Word = "MASTER_PRIORITY"     // the priority of a master changed; instances only
	BackupPriority Word = "BACKUP_PRIORITY"     // the priority of another changed; instances only
)

// Target is a vrrp_instance or vrrp_sync_group whose changes are told.
type Target struct {
	Group      bool // a vrrp_sync_group
	Name       string
	Scripts    map[Word]*Command // notify_master, notify_backup ...
	Any        *Command          // notify
	Priorities bool              // notify_priority_changes
	Deleted    bool              // notify_deleted: DELETED is told as such, and not as FAULT
	Mail       bool              // smtp_alert
}

// FIFO is a named pipe that every word is written to.
type FIFO struct {
	Keyword     string // vrrp_notify_fifo or notify_fifo
	Path        string
	User, Group string   // its owner if baton makes it; "" as in Command
	Script      *Command // reads it; its path is added as the last argument; may be nil
	Pos         diag.Pos
}

// Notify is everything that is told to the outside.
type Notify struct {
	Targets []Target
	FIFOs   []FIFO
	Mail    *Mail // nil: no target has smtp_alert, or there is nobody to write to
}

// Commands returns every script, for checks.
func (n *Notify) Commands() []*Command {
	var all []*Command
	for _, t := range n.Targets {
		for _, w := range []Word{ToMaster, ToBackup, ToFault, Stopped, Deleted, RxLower} {
			if c := t.Scripts[w]; c != nil {
				all = append(all, c)
			}
		}
		if t.Any != nil {
			all = append(all, t.Any)
		}
	}
	for _, f := range n.FIFOs {
		if f.Script != nil {
			all = append(all, f.Script)
		}
	}
	return all
}

// News is one thing to tell.
type News struct {
	Group    bool
	Name     string
	Word     Word
	Priority int // the effective one; 0 for a group, as keepalived 2.2 has it
}

// Args are the last four arguments of a `notify` script.
func (n News) Args() []string {
	kind := "INSTANCE"
	if n.Group {
		kind = "GROUP"
	}
	return []string{kind, n.Name, string(n.Word), strconv.Itoa(n.Priority)}
}

// Line is what a FIFO gets: the same four with the name in quotes.
func (n News) Line() string {
	a := n.Args()
	a[1] = `"` + a[1] + `"`
	return strings.Join(a, " ") + "\n"
}

// Heed is the news as the target wants to hear it.
func (t *Target) Heed(n News) News {
	if n.Word == Deleted && !t.Deleted {
		n.Word = ToFault
	}
	return n
}

// Wanted reports whether anybody is to be told.
func (t *Target) Wanted(w Word) bool {
	return t.Priorities || w != MasterPriority && w != BackupPriority
}

// Runs returns the scripts to run, in order, with their arguments: the one for
// this word, then `notify`, which is for changes of state only.
func (t *Target) Runs(n News) []Command {
	var runs []Command
	if c := t.Scripts[n.Word]; c != nil {
		runs = append(runs, *c)
	}
	switch n.Word {
	case ToMaster, ToBackup, ToFault, Stopped, Deleted:
		if t.Any != nil {
			c := *t.Any
			c.Argv = append(c.Argv[:len(c.Argv):len(c.Argv)], n.Args()...)
			runs = append(runs, c)
		}
	}
	return runs
}
