package health

import (
	"cmp"
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
	noise  uint64
	agent  bool
	next   mono.Time // when the next check is due; Never while one runs
	begun  mono.Time // when the last check began
}

// New returns the machine of a server whose first check is due at first. By init-state
// it is one failure away from down, or one success from up, or has all of them before it.
func New(c spec.Check, first mono.Time) Machine {
	c.Rise, c.Fall = max(c.Rise, 1), max(c.Fall, 1)
	m := Machine{check: c, health: c.Rise, next: first, noise: uint64(first)}
	switch c.Init {
	case spec.InitFullyUp:
		m.health = c.Rise + c.Fall - 1
	case spec.InitDown:
		m.health = c.Rise - 1
	case spec.InitFullyDown:
		m.health = 0
	}
	return m
}

// StartsUp reports whether a server is up before its first check.
func StartsUp(c *spec.Check) bool {
	m := New(*c, 0)
	return m.Up()
}

// NewAgent returns the machine of an agent. It starts up, and only its own word takes
// it down: one that cannot be asked is as it was.
func NewAgent(c spec.Check, first mono.Time) Machine {
	m := New(spec.Check{Inter: c.Inter, Spread: c.Spread, Rise: 1, Fall: 1}, first)
	m.agent = true
	return m
}

// Restore goes on from a health that was saved, as far as it fits to the server's state.
func (m *Machine) Restore(health int, up bool) {
	least, most := 0, m.check.Rise-1
	if up {
		least, most = m.check.Rise, m.check.Rise+m.check.Fall-1
	}
	m.health = min(max(health, least), most)
}

// Continue takes over from the machine that the server had before, by other rules
// perhaps: it stays up or down, and no further from the other than the new rules have it.
func (m *Machine) Continue(was *Machine) {
	m.last = was.last
	switch n, of := was.Health(); {
	case !was.Up():
		m.health = min(n, m.check.Rise-1)
	case n == of:
		m.health = m.check.Rise + m.check.Fall - 1
	default:
		m.health = m.check.Rise + min(n, m.check.Fall) - 1
	}
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
	if r.Status == L7OKConditional && !wasUp {
		r.Status = L7Status // a stopped server stays stopped (chapter 4.2, http-check disable-on-404)
	}
	if !m.agent || r.Status == L7OK || r.Status == L7Status {
		m.count(r.Passed())
	}
	noted = m.health != health || m.last.Status != r.Status && r.Status != Same
	m.last = r
	m.next = max(now, m.begun.Add(m.spread(m.interval())))
	return m.Up() != wasUp, noted
}

// Observe takes what traffic has met, where a server's observe, error-limit and
// on-error ask for it, between two checks.
func (m *Machine) Observe(now mono.Time, what spec.OnError, r Result) (changed, noted bool) {
	wasUp := m.Up()
	if soon := now.Add(m.fast()); soon < m.next {
		m.next = soon
	}
	switch what {
	case spec.FastInter:
		return false, false
	case spec.SuddenDeath:
		m.health = min(m.health, m.check.Rise+1)
	case spec.MarkDown:
		m.health = min(m.health, m.check.Rise)
	}
	m.count(false)
	m.last = r
	return m.Up() != wasUp, true
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
	switch m.health {
	case 0:
		return cmp.Or(m.check.DownInter, m.check.Inter)
	case m.check.Rise + m.check.Fall - 1:
		return m.check.Inter
	}
	return m.fast() // between up and down, or unchecked
}

func (m *Machine) fast() time.Duration { return cmp.Or(m.check.FastInter, m.check.Inter) }

// spread changes an interval by up to Check.Spread percent in either direction.
func (m *Machine) spread(d time.Duration) time.Duration {
	if m.check.Spread == 0 {
		return d
	}
	// A linear congruential sequence (Knuth, MMIX) is noise enough, and the same in
	// every test.
	m.noise = m.noise*6364136223846793005 + 1442695040888963407
	span := int64(d) * int64(m.check.Spread) / 100
	return d + time.Duration(int64(m.noise>>1)%(2*span+1)-span)
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
