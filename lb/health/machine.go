package health

import (
	"strconv"
	"time"

	"baton/internal/mono"
	"baton/lb/spec"
)

// Machine is the state of one checked server. It is a plain value: a copy is a
// snapshot.
type Machine struct {
	check  spec.Check
	health int
	last   Result
	next   mono.Time // when the next check is due; Never while one runs
	begun  mono.Time // when the last check began
}

// New returns the machine of a server whose first check is due at first.
func New(c spec.Check, first mono.Time) Machine {
	c.Rise, c.Fall = max(c.Rise, 1), max(c.Fall, 1)
	return Machine{check: c, health: c.Rise, next: first}
}

// Continue is the machine of a server that was checked before, by other rules perhaps: it
// stays up or down, and no further from the other than the new rules have it.
func (m *Machine) Continue(c spec.Check, first mono.Time) Machine {
	next := New(c, first)
	next.last = m.last
	switch n, of := m.Health(); {
	case !m.Up():
		next.health = min(n, next.check.Rise-1)
	case n == of:
		next.health = next.check.Rise + next.check.Fall - 1
	default:
		next.health = next.check.Rise + min(n, next.check.Fall) - 1
	}
	return next
}

// Offset spreads the first checks of n servers over the shortest of their
// intervals, so that they do not stay in step: that of the i-th one, from 0.
func Offset(i, n int, shortest time.Duration) time.Duration {
	return shortest * time.Duration(i) / time.Duration(max(n, 1))
}

// Deadline returns when the next check is due, Never while one runs.
func (m *Machine) Deadline() mono.Time { return m.next }

// Begin notes that a check starts now.
func (m *Machine) Begin(now mono.Time) { m.begun, m.next = now, mono.Never }

// Step takes the result of the check that began last and sets the time of the next:
// an interval after that one began, at once if it took longer. changed means that
// the server went up or down; noted, that `option log-health-checks` logs this
// check, because its status or the health is not what it was before.
func (m *Machine) Step(now mono.Time, r Result) (changed, noted bool) {
	wasUp, health := m.Up(), m.health
	m.count(r.Passed())
	noted = m.health != health || m.last.Status != r.Status
	m.last = r
	m.next = max(now, m.begun.Add(m.interval()))
	return m.Up() != wasUp, noted
}

func (m *Machine) count(passed bool) {
	rise, top := m.check.Rise, m.check.Rise+m.check.Fall-1
	switch {
	case passed && m.health < top:
		if m.health++; m.health >= rise {
			m.health = top
		}
	case !passed && m.health > rise:
		m.health--
	case !passed:
		m.health = 0
	}
}

// interval follows the table at `inter` in the manual.
func (m *Machine) interval() time.Duration {
	d := m.check.FastInter // between up and down, or unchecked
	switch m.health {
	case 0:
		d = m.check.DownInter
	case m.check.Rise + m.check.Fall - 1:
		d = m.check.Inter
	}
	if d == 0 {
		d = m.check.Inter
	}
	return d
}

// Up reports whether the server is up.
func (m *Machine) Up() bool { return m.health >= m.check.Rise }

// Last returns the result of the last check, Unchecked before the first.
func (m *Machine) Last() Result { return m.last }

// Health returns how far the server is on its way and how far it is to go: up, out
// of fall; down, out of rise.
func (m *Machine) Health() (n, of int) {
	if m.Up() {
		return m.health - m.check.Rise + 1, m.check.Fall
	}
	return m.health, m.check.Rise
}

// String is the state as statistics show it: UP, UP 1/3, DOWN 1/2, DOWN.
func (m *Machine) String() string {
	word := "DOWN"
	if m.Up() {
		word = "UP"
	}
	n, of := m.Health()
	if n == 0 || m.Up() && n == of {
		return word
	}
	return word + " " + strconv.Itoa(n) + "/" + strconv.Itoa(of)
}
