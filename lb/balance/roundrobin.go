package balance

import "baton/internal/mono"

// roundRobin gives each server its turns. Backups have rounds of their own, which stand
// still while other servers serve, as those of the others do meanwhile.
type roundRobin struct {
	plan           *Plan
	active, backup round
	skip           int // turns to let pass once there are servers; 0: that is done
}

func (r *roundRobin) Pick(k Key, now mono.Time) (int, Result) { return r.PickExcept(k, -1, now) }

func (r *roundRobin) PickExcept(_ Key, except int, _ mono.Time) (int, Result) {
	switch {
	case r.plan == nil:
		return 0, None
	case len(r.plan.actives) > 0:
		return r.active.pick(except)
	case len(r.plan.Slots) == len(r.plan.backups):
		return r.backup.pick(except)
	}
	switch s := &r.plan.Slots[0]; { // one backup for all, which takes no turns
	case s.ID == except:
		return 0, None
	case s.Load.Full():
		return 0, Full
	default:
		return s.ID, Picked
	}
}

func (r *roundRobin) Update(p *Plan) {
	r.plan = p
	r.active.update(p.actives)
	r.backup.update(p.backups)
	if n := len(p.Slots); n > 0 {
		for range r.skip % n {
			r.PickExcept(Key{}, -1, 0)
		}
		r.skip = 0
	}
}

// round spreads turns as evenly as the weights allow, in the order that HAProxy 2.6 was
// seen to choose (see testdata/haproxy).
//
// A round has as many positions as all servers weigh together, and a server of
// weight w takes a step of total/w positions after each turn. The server whose
// position has come serves; where there is none, the heaviest one that has not had a
// turn in this round; else the one whose position comes next. A server whose next
// position lies behind the round's end waits for the next round.
type round struct {
	turns []turn // by server ID
	fresh line   // have had no turn in this round, heaviest first
	due   line   // have a position in this round
	done  line   // wait for the next round
	aside []int  // full servers that were passed over in this pick

	position int // of this round
	length   int // of this round: the total weight when it began
	total    int // weight now
	count    int // entries so far
}

// turn is one server's place. Weights are Slot.Scaled.
type turn struct {
	slot   *Slot
	weight int
	at     int // the position of the next turn
	last   int // that of the last one
	rest   int // what whole steps have left, in units of 1/weight
	in     *line
	key    [3]int // in orders by it
}

// pick takes a turn from the servers that it passes over too: else the turns
// that others take for them would bring them back sooner.
func (r *round) pick(except int) (int, Result) {
	if r.total == 0 {
		return 0, None
	}
	picked, result, passed := 0, None, -1
	for result != Picked {
		id, ok := r.next()
		if !ok {
			break
		}
		r.move(id)
		switch s := r.turns[id].slot; {
		case id == except:
			passed = id
			continue
		case s.Load.Full():
			r.aside = append(r.aside, id)
			result = Full
			continue
		}
		picked, result = id, Picked
		r.place(id)
	}
	if passed >= 0 {
		r.place(passed)
	}
	for _, id := range r.aside {
		r.place(id)
	}
	r.aside = r.aside[:0]
	return picked, result
}

// next takes out the server that is to serve at this position.
func (r *round) next() (id int, ok bool) {
	if r.due.empty() && r.fresh.empty() {
		if r.done.empty() {
			return 0, false
		}
		r.fresh, r.done = r.done, r.fresh
		for _, id := range r.fresh.heap {
			r.turns[id].in = &r.fresh
		}
		r.length, r.position = r.total, 0
	}
	switch {
	case !r.due.empty() && (r.fresh.empty() || r.turns[r.due.heap[0]].at <= r.position):
		return r.due.pop(r), true
	default:
		return r.fresh.pop(r), true
	}
}

// move accounts for a turn of a server that is in no line.
func (r *round) move(id int) {
	t := &r.turns[id]
	if t.at == 0 {
		t.at, t.rest = r.position, 0
	}
	t.last = t.at
	t.at += r.total / t.weight
	if t.rest += r.total % t.weight; t.rest >= t.weight {
		t.rest -= t.weight
		t.at++
	}
	r.position++
}

// place puts a server in line for its next turn.
func (r *round) place(id int) {
	t := &r.turns[id]
	if t.at >= min(r.length, r.total) {
		t.at = 0
		r.enter(&r.done, id)
		return
	}
	r.enter(&r.due, id)
}

// enter queues a server: by weight, or by position and then by how much of a step it
// is behind; first come, first served among equals.
func (r *round) enter(l *line, id int) {
	t := &r.turns[id]
	r.count++
	t.in = l
	if l == &r.due {
		t.key = [3]int{t.at, (numbers + t.rest - t.weight) / scale, r.count}
	} else {
		t.key = [3]int{-t.weight, 0, r.count}
	}
	l.push(r, id)
}

// update keeps the turns of servers that stay as they are, so that a server's
// return or a new weight elsewhere starts no new round; who comes gets no turns for
// the time it was away.
func (r *round) update(slots []Slot) {
	first := r.turns == nil
	for _, s := range slots {
		for s.ID >= len(r.turns) {
			r.turns = append(r.turns, turn{})
		}
	}
	for id := range r.turns {
		if t := &r.turns[id]; t.slot != nil {
			r.leave(id, slots)
		}
	}
	for i := range slots {
		s := &slots[i]
		t := &r.turns[s.ID]
		switch {
		case first:
			t.slot, t.weight = s, s.Scaled
			r.total += s.Scaled
			r.enter(&r.fresh, s.ID)
		case t.slot == nil:
			r.join(s)
		case t.weight != s.Scaled:
			r.reweigh(s)
		}
		t.slot = s
	}
	if first {
		r.length = r.total
	}
}

// leave takes a server out unless it is still one of slots.
func (r *round) leave(id int, slots []Slot) {
	for i := range slots {
		if slots[i].ID == id {
			return
		}
	}
	t := &r.turns[id]
	t.in.remove(r, id)
	t.slot = nil
	r.total -= t.weight
}

// join gives a server that has come back a position as far ahead as what is left of
// the round gives it a turn.
func (r *round) join(s *Slot) {
	t := &r.turns[s.ID]
	t.slot, t.weight = s, s.Scaled
	r.total += t.weight
	t.at = r.position + (r.total-r.position)/t.weight
	r.place(s.ID)
}

// reweigh moves a server's next turn as if it had had its new weight since the last
// one, though not back, and not before the others have had a chance.
func (r *round) reweigh(s *Slot) {
	t := &r.turns[s.ID]
	r.total += s.Scaled - t.weight
	t.weight = s.Scaled
	in := t.in
	in.remove(r, s.ID)
	if in == &r.fresh {
		r.enter(in, s.ID)
		return
	}
	step := r.total / t.weight
	t.at, t.rest = min(t.last+step, t.at), 0
	if t.at < r.position+2 {
		t.at = r.position + step
	}
	r.place(s.ID)
}
