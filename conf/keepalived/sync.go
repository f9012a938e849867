package keepalived

import (
	"slices"

	"baton/checkscript"
	"baton/conf"
	"baton/internal/diag"
)

// groupDraft is what vrrp_sync_group adds to the fields it shares with an instance.
type groupDraft struct {
	members        []conf.Word
	globalTracking bool
	keepWeights    bool // sync_group_tracking_weight
}

// groupKeywords is vrrp_sync_group.
func groupKeywords() [][]entry[instanceDraft] {
	return [][]entry[instanceDraft]{
		{
			{name: "group", doc: "the vrrp_instances that move together", body: true, many: true, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
				d.group.members = append(d.group.members, l.flatten(b.Body)...)
			}},
			{name: "global_tracking", doc: "what one member tracks counts for all; better: track in the group", parse: func(_ *lowerer, _ *conf.Block, d *instanceDraft) {
				d.group.globalTracking = true
			}},
			{name: "sync_group_tracking_weight", doc: "keep the weights of what the members track, which are 0 otherwise", parse: func(_ *lowerer, _ *conf.Block, d *instanceDraft) {
				d.group.keepWeights = true
			}},
		},
		trackRows(),
		notifyKeywords(),
		warn[instanceDraft]("only an instance tells that it was deleted", "notify_deleted"),
	}
}

// lowerGroup reads a vrrp_sync_group block. The instances are known by then.
func (l *lowerer) lowerGroup(b *conf.Block) {
	name := b.Words[1]
	d := &instanceDraft{name: name, seen: make(map[string]bool)}
	lowerBody(l, "vrrp_sync_group", l.group, b.Body, d)
	if first, twice := l.groups[name.Text]; twice {
		l.errs.Errorf(name.Pos, "", "vrrp_sync_group %s stands twice: it is also at %s", name.Text, first)
		return
	}
	l.groups[name.Text] = name.Pos
	g := Group{Pos: name.Pos, Name: name.Text}
	var members []*Instance
	for _, w := range d.group.members {
		if m := l.member(w, name.Text); m != nil {
			members = append(members, m)
			g.Members = append(g.Members, w.Text)
		}
	}
	switch {
	case len(d.group.members) == 0:
		l.errs.Errorf(name.Pos, "add group { INSTANCE ... }", "vrrp_sync_group %s has no members", name.Text)
		return
	case len(members) == 0:
		return
	case len(members) == 1:
		l.errs.Warnf(name.Pos, "", "vrrp_sync_group %s has one member only: nothing moves with it", name.Text)
	}
	l.syncTracks(d, members)
	l.config.Groups = append(l.config.Groups, g)
	l.addTarget(true, d)
}

// member finds an instance for a group.
func (l *lowerer) member(w conf.Word, group string) *Instance {
	i := slices.IndexFunc(l.config.Instances, func(in Instance) bool { return in.VRRP.Name == w.Text })
	if i < 0 {
		var names []string
		for _, in := range l.config.Instances {
			names = append(names, in.VRRP.Name)
		}
		hint := ""
		if near := diag.Nearest(w.Text, names); near != "" {
			hint = "did you mean `" + near + "`?"
		}
		l.errs.Errorf(w.Pos, hint, "there is no vrrp_instance %s", w.Text)
		return nil
	}
	if first, twice := l.memberOf[w.Text]; twice {
		l.errs.Errorf(w.Pos, "", "vrrp_instance %s is in a vrrp_sync_group already: at %s", w.Text, first)
		return nil
	}
	l.memberOf[w.Text] = w.Pos
	return &l.config.Instances[i]
}

// syncTracks gives the members what the group tracks. What they track themselves
// must not move their priorities apart, so its weight becomes 0, unless the file
// says otherwise.
func (l *lowerer) syncTracks(d *instanceDraft, members []*Instance) {
	shared := d.tracks
	if d.group.globalTracking {
		for _, m := range members {
			shared = union(shared, m.Tracks)
		}
	}
	for _, m := range members {
		if !d.group.globalTracking && !d.group.keepWeights {
			for i := range m.Tracks {
				if t := &m.Tracks[i]; t.Weight != 0 {
					l.errs.Warnf(t.Pos, "track it in the group, or add sync_group_tracking_weight to the group",
						"the weight of %s counts as 0: vrrp_instance %s is in a vrrp_sync_group", t.Probe, m.VRRP.Name)
					t.Weight = 0
				}
			}
		}
		m.Tracks = l.withoutOwn(union(slices.Clone(shared), m.Tracks), &m.VRRP)
	}
}

// union appends those tracks whose probe is not in the list yet.
func union(to, more []checkscript.Track) []checkscript.Track {
	for _, t := range more {
		if !slices.ContainsFunc(to, func(u checkscript.Track) bool { return u.Probe == t.Probe }) {
			to = append(to, t)
		}
	}
	return to
}
