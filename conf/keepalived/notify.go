package keepalived

import (
	"path"
	"slices"

	"baton/checkscript"
	"baton/conf"
	"baton/internal/diag"
)

// notifyDraft is what an instance or a sync group tells to the outside.
type notifyDraft struct {
	scripts    map[checkscript.Word]*checkscript.Command
	all        *checkscript.Command
	deleted    bool
	priorities *bool // nil: as vrrp_notify_priority_changes
	mail       *bool // nil: as smtp_alert_vrrp or smtp_alert of global_defs
}

// notifyKeywords are those that vrrp_instance and vrrp_sync_group share.
func notifyKeywords() []entry[instanceDraft] {
	on := func(name, doc string, w checkscript.Word) entry[instanceDraft] {
		return entry[instanceDraft]{name: name, doc: doc + `: "/path/to/script arguments" [USER [GROUP]]`, min: 1, max: 3, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			c := l.notifyCommand(b)
			if c == nil {
				return
			}
			if d.notify.scripts == nil {
				d.notify.scripts = make(map[checkscript.Word]*checkscript.Command)
			}
			d.notify.scripts[w] = c
		}}
	}
	return []entry[instanceDraft]{
		on("notify_master", "runs on entering MASTER", checkscript.ToMaster),
		on("notify_backup", "runs on entering BACKUP", checkscript.ToBackup),
		on("notify_fault", "runs on entering FAULT", checkscript.ToFault),
		on("notify_stop", "runs when baton stops", checkscript.Stopped),
		{name: "notify", doc: "runs on every change of state, after the others, with INSTANCE or GROUP, name, state and priority as last arguments", min: 1, max: 3, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			d.notify.all = l.notifyCommand(b)
		}},
		toggle("notify_priority_changes", docPriorities, func(d *instanceDraft, on bool) { d.notify.priorities = &on }),
		toggle("smtp_alert", "mail to notification_email on every change of state", func(d *instanceDraft, on bool) { d.notify.mail = &on }),
	}
}

// notifyInstanceKeywords are those that only an instance has.
func notifyInstanceKeywords() []entry[instanceDraft] {
	return []entry[instanceDraft]{
		{name: "notify_deleted", doc: "when a reload removes the instance, tell DELETED and not FAULT, and run this script: [\"/path/to/script arguments\" [USER [GROUP]]]", max: 3, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			d.notify.deleted = true
			if len(b.Words) == 1 {
				return
			}
			if c := l.notifyCommand(b); c != nil {
				if d.notify.scripts == nil {
					d.notify.scripts = make(map[checkscript.Word]*checkscript.Command)
				}
				d.notify.scripts[checkscript.Deleted] = c
			}
		}},
		{name: "notify_master_rx_lower_pri", doc: "runs when a master hears an advert of lower priority, twice a second at most", min: 1, max: 3, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			if c := l.notifyCommand(b); c != nil {
				if d.notify.scripts == nil {
					d.notify.scripts = make(map[checkscript.Word]*checkscript.Command)
				}
				d.notify.scripts[checkscript.RxLower] = c
			}
		}},
	}
}

// notifyCommand reads a script with its user. Arguments must stand in quotes
// together with the script: what follows is the user.
func (l *lowerer) notifyCommand(b *conf.Block) *checkscript.Command {
	argv := l.command(b.Words[1:2])
	if len(argv) == 0 {
		return nil
	}
	c := &checkscript.Command{Keyword: b.Words[0].Text, Argv: argv, Pos: b.Words[1].Pos}
	if len(b.Words) > 2 {
		c.User = b.Words[2].Text
	}
	if len(b.Words) > 3 {
		c.Group = b.Words[3].Text
	}
	return c
}

// addTarget completes what is told about an instance or a sync group.
func (l *lowerer) addTarget(group bool, d *instanceDraft) {
	t := checkscript.Target{Group: group, Name: d.name.Text, Scripts: d.notify.scripts, Any: d.notify.all, Deleted: d.notify.deleted, Priorities: l.globals.states.notifyPriorities}
	if d.notify.priorities != nil {
		t.Priorities = *d.notify.priorities
	}
	t.Mail = l.mailed(d)
	if len(t.Scripts) == 0 && t.Any == nil && len(l.fifos) == 0 && !t.Mail {
		return
	}
	l.config.Notify.Targets = append(l.config.Notify.Targets, t)
}

// fifoDraft is a FIFO of global_defs on its way.
type fifoDraft struct {
	path   conf.Word
	fifo   checkscript.FIFO
	script *checkscript.Command
}

// fifoKeywords are those of global_defs.
func fifoKeywords() []entry[globals] {
	var rows []entry[globals]
	for _, name := range []string{"vrrp_notify_fifo", "notify_fifo"} {
		of := func(g *globals) *fifoDraft {
			i := slices.IndexFunc(g.fifos, func(f *fifoDraft) bool { return f.fifo.Keyword == name })
			if i < 0 {
				i = len(g.fifos)
				g.fifos = append(g.fifos, &fifoDraft{fifo: checkscript.FIFO{Keyword: name}})
			}
			return g.fifos[i]
		}
		rows = append(rows,
			entry[globals]{name: name, doc: `named pipe that gets a line such as INSTANCE "VI_1" MASTER 100 on every change: PATH [USER [GROUP]]`, min: 1, max: 3, parse: func(l *lowerer, b *conf.Block, g *globals) {
				f, w := of(g), b.Words[1]
				if !path.IsAbs(w.Text) {
					l.errs.Errorf(w.Pos, "write the whole path", "%s: `%s` is a relative path", name, w.Text)
					return
				}
				f.path, f.fifo.Path, f.fifo.Pos = w, w.Text, w.Pos
				if len(b.Words) > 2 {
					f.fifo.User = b.Words[2].Text
				}
				if len(b.Words) > 3 {
					f.fifo.Group = b.Words[3].Text
				}
			}},
			entry[globals]{name: name + "_script", doc: "runs all the time and reads the pipe, whose path is its last argument", min: 1, max: 3, parse: func(l *lowerer, b *conf.Block, g *globals) {
				of(g).script = l.notifyCommand(b)
			}},
		)
	}
	return rows
}

// finishFIFOs checks the FIFOs as a whole.
func (l *lowerer) finishFIFOs() {
	seen := make(map[string]diag.Pos)
	for _, d := range l.globals.fifos {
		f := d.fifo
		if f.Path == "" {
			if d.script != nil {
				l.errs.Errorf(d.script.Pos, "add "+f.Keyword+" PATH", "%s has no pipe to read", d.script.Keyword)
			}
			continue
		}
		if first, twice := seen[f.Path]; twice {
			l.errs.Errorf(f.Pos, "", "each pipe needs a name of its own: %s stands at %s as well", f.Path, first)
			continue
		}
		seen[f.Path] = f.Pos
		f.Script = d.script
		if f.User == "" {
			f.User, f.Group = l.globals.scriptUser, l.globals.scriptGroup
		}
		l.fifos = append(l.fifos, f)
	}
	l.config.Notify.FIFOs = l.fifos
}

// finishNotify gives the scripts that name no user that of script_user.
func (l *lowerer) finishNotify() {
	l.finishMail()
	for _, c := range l.config.Notify.Commands() {
		if c.User == "" {
			c.User, c.Group = l.globals.scriptUser, l.globals.scriptGroup
		}
	}
}
