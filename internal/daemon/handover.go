package daemon

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"baton/internal/admin"
	"baton/pair"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

// quiesceTime bounds how long a handover waits for the moment when no client is
// connected. Meanwhile keep-alive is off, so that connections end by themselves.
const quiesceTime = 2 * time.Second

// handover gives the instances that this node is master of, or the named one, to
// the other node: that one takes over first, this one lets go when it hears it.
// force: also to one that is not ready, and without one by a resignation.
func (d *process) handover(ctx context.Context, name string, force bool) admin.Answer {
	var masters []vrrpnet.Status
	known := false
	for _, st := range d.instancesOf() {
		known = known || st.Name == name
		if st.State == vrrp.Master && (name == "" || d.together(name, st.Name)) {
			masters = append(masters, st)
		}
	}
	switch {
	case name != "" && !known:
		return admin.Answer{Error: "there is no instance " + name}
	case len(masters) == 0 && name != "":
		return admin.Answer{Error: fmt.Sprintf("%s is not MASTER here: there is nothing to hand over", name)}
	case len(masters) == 0:
		return admin.Answer{Error: "no instance is MASTER here: there is nothing to hand over"}
	}
	var answer admin.Answer
	if !force { // ask before connections are told to end for nothing
		for _, st := range masters {
			if why := d.partner.cannot(st.Name); why != "" {
				answer.Outcomes = append(answer.Outcomes, admin.Outcome{Instance: st.Name, Text: why})
			}
		}
		if len(answer.Outcomes) > 0 {
			return answer
		}
	}
	defer d.quiesce(ctx)()
	answer.Outcomes = make([]admin.Outcome, len(masters))
	var all sync.WaitGroup
	for i, st := range masters {
		all.Go(func() {
			err := d.partner.handOver(ctx, st.Name, force)
			answer.Outcomes[i] = d.outcome(ctx, st, err, force)
		})
	}
	all.Wait()
	return answer
}

// together reports whether two instances move together: the same, or of one sync
// group.
func (d *process) together(a, b string) bool {
	if a == b {
		return true
	}
	for _, g := range d.half.Load().cfg.Groups {
		if slices.Contains(g.Members, a) && slices.Contains(g.Members, b) {
			return true
		}
	}
	return false
}

// outcome tells how it ended, after the plain way where that was wanted.
func (d *process) outcome(ctx context.Context, st vrrpnet.Status, err error, force bool) admin.Outcome {
	out := admin.Outcome{Instance: st.Name, Done: err == nil}
	switch {
	case err == nil:
		out.Text = "handed over to " + d.partner.name()
	case force:
		d.speaker.Hint(st.Name, vrrp.Event{Kind: vrrp.Resign})
		out.Done = true
		out.Text = fmt.Sprintf("let go by priority 0, because %v", err)
	default:
		out.Text = err.Error()
	}
	d.Log.InfoContext(ctx, "handover: "+out.Text, "instance", st.Name)
	return out
}

// quiesce makes client connections end by themselves and waits for a moment
// without any; resume has the balancer go on as before.
func (d *process) quiesce(ctx context.Context) (resume func()) {
	if d.balancer == nil {
		return func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, quiesceTime)
	defer cancel()
	return d.balancer.Quiesce(ctx)
}

// instancesOf is the speaker's status, empty without one.
func (d *process) instancesOf() []vrrpnet.Status {
	if d.speaker == nil {
		return nil
	}
	return d.speaker.Status()
}

// cannot says why the peer could not be handed an instance, or "".
func (p *partner) cannot(instance string) string {
	if p == nil {
		return "there is no pair link in the configuration (--force lets go by priority 0)"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	in, text := p.counterpart(instance)
	if text != "" {
		return text + " (--force lets go by priority 0)"
	}
	if in.Reason != "" {
		return fmt.Sprintf("%s is not ready: %s", p.peer.Node, in.Reason)
	}
	if b, found := worse(p.look().Backends, p.state.Backends); found {
		return fmt.Sprintf("%s is not ready: backend %s has no usable server there, and has some here", p.peer.Node, b)
	}
	return ""
}

// counterpart is the peer's instance, or why there is none. p.mu is held.
func (p *partner) counterpart(instance string) (pair.InstanceState, string) {
	if !p.up || p.state == nil {
		st := p.link.Status()
		why := st.Why
		if st.Problem != "" {
			why = st.Problem
		}
		return pair.InstanceState{}, "the pair link is down: " + why
	}
	for i, k := range p.keys {
		if k.Name != instance {
			continue
		}
		if n := pair.Match(p.keys, i, p.state.StateKeys()); n >= 0 {
			return p.state.Instances[n], ""
		}
	}
	return pair.InstanceState{}, fmt.Sprintf("%s has no counterpart of %s", p.peer.Node, instance)
}

// name is the peer's.
func (p *partner) name() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.peer == nil {
		return p.cfg.Peer.Addr().String()
	}
	return p.peer.Node
}

// handOver asks the peer to take an instance over and returns when this node has
// let it go, or why it has not.
func (p *partner) handOver(ctx context.Context, instance string, force bool) error {
	if p == nil {
		return fmt.Errorf("there is no pair link in the configuration")
	}
	ctx, cancel := context.WithTimeout(ctx, vrrp.HandoverTime)
	defer cancel()
	p.mu.Lock()
	in, text := p.counterpart(instance)
	if text != "" {
		p.mu.Unlock()
		return fmt.Errorf("%s", text)
	}
	p.lastID++
	id, answers := p.lastID, make(chan pair.Answer, 1)
	p.asked[id] = answers
	i := 0
	for p.keys[i].Name != instance {
		i++
	}
	key, node := p.keys[i], p.peer.Node
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.asked, id)
		p.mu.Unlock()
	}()

	// Before the peer is asked: its advert may be here before its answer.
	p.hint(instance, vrrp.Event{Kind: vrrp.Yield, From: in.Source})
	p.link.Say(pair.Takeover{ID: id, Key: key, Force: force})
	keep := func(err error) error {
		if !p.isMaster(instance) {
			return nil // it has let go at the last moment
		}
		p.link.Say(pair.Cancel{ID: id, Key: key})
		p.hint(instance, vrrp.Event{Kind: vrrp.Keep})
		return err
	}
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		if !p.isMaster(instance) {
			return nil
		}
		select {
		case a := <-answers:
			if !a.Accepted {
				return keep(fmt.Errorf("%s refused: %s", node, a.Reason))
			}
		case <-changed:
		case <-ctx.Done():
			return keep(fmt.Errorf("%s was asked, and did not become master within %v", node, vrrp.HandoverTime))
		}
	}
}

func (p *partner) isMaster(instance string) bool {
	for _, st := range p.vrrp() {
		if st.Name == instance {
			return st.State == vrrp.Master
		}
	}
	return false
}

// leave hands everything over before the daemon stops. What the other node does
// not take now it takes the plain way, when this one resigns.
func (d *process) leave() {
	if d.partner == nil {
		return
	}
	masters := 0
	for _, st := range d.speaker.Status() {
		if st.State == vrrp.Master && d.partner.reachable(st.Name) {
			masters++
		}
	}
	if masters == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), quiesceTime+2*vrrp.HandoverTime)
	defer cancel()
	d.quiesce(ctx)
	var all sync.WaitGroup
	for _, st := range d.speaker.Status() {
		if st.State != vrrp.Master {
			continue
		}
		all.Go(func() {
			if err := d.partner.handOver(ctx, st.Name, true); err != nil {
				d.Log.Warn(fmt.Sprintf("not handed over, resigning: %v", err), "instance", st.Name)
			}
		})
	}
	all.Wait()
}

// reachable reports whether the peer could be asked, and is a backup.
func (p *partner) reachable(instance string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	in, text := p.counterpart(instance)
	return text == "" && in.Role == pair.Backup
}
