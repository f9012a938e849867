package vrrp

import (
	"testing"
	"time"
)

// clients is one client beside each node, on the same side of every partition, and
// the node that each believes to have the addresses of each member: 0 for none, else
// its number from 1.
type clients struct {
	believe [5][2]int
}

// hear lets all clients that a node reaches believe its announcement.
func (c *clients) hear(m *model, from, member int) {
	for j := range m.nodes {
		if !m.apart[0][from][j] {
			c.believe[j][member] = from + 1
		}
	}
}

// ask lets a client ask who has the addresses. Kernels answer, also for a process
// that stands still; of two answers the client may believe either.
func (c *clients) ask(m *model, j, member int) {
	for _, i := range m.rng.Perm(len(m.nodes)) {
		if m.nodes[i].holds[member] && !m.apart[0][i][j] {
			m.say("client %s is told %s", m.nodes[j].name, m.nodes[i].name)
			c.believe[j][member] = i + 1
		}
	}
}

// TestModelClients plays partitions, and nodes that stand still, are suspended, fall ill
// or let go in them. A network that is whole again has not only one master: every client believes
// it, without having to ask again and without waiting for a periodic announcement.
func TestModelClients(t *testing.T) {
	for seed := range uint64(*modelRuns) {
		if seed%5 == 4 {
			continue // with a second path no partition makes two masters
		}
		m := newModel(t, seed)
		for i := range m.nodes {
			m.nodes[i].cfg.HigherPrioSendAdvert = true // keepalived's, and our, default
			m.boot(i)
		}
		m.clients = clients{}
		for round := range 6 {
			m.divide()
			m.calm()
			m.askClients()
			if m.failed {
				t.Fatalf("seed %d, round %d; the last steps:\n%s", seed, round, m.tail())
			}
		}
	}
}

// divide has the network fall into two halves and be whole again, with 20 intervals
// of trouble with the nodes before and after each. It does not fall apart
// a second time: a client that is on neither's side when two masters settle it learns
// of that by the periodic announcement only.
func (m *model) divide() {
	m.trouble()
	sides := m.rng.IntN(1 << len(m.nodes))
	m.say("sides %05b", sides)
	for i := range m.nodes {
		for j := range m.nodes {
			m.apart[0][i][j] = sides>>i&1 != sides>>j&1
			for k := range m.size {
				if m.apart[0][i][j] && m.clients.believe[j][k] == i+1 {
					m.clients.believe[j][k] = 0 // it reaches nobody there, and asks again
				}
			}
		}
	}
	m.trouble()
	// A master of the other side that is first heard just when a successor would speak
	// is taken for one.
	m.run(m.now.Add(3 * m.interval))
	m.say("whole")
	m.apart = [2][5][5]bool{}
	m.trouble()
}

func (m *model) trouble() {
	end := m.now.Add(time.Duration(m.rng.IntN(20)) * m.interval)
	for m.now < end && !m.failed {
		m.run(m.now.Add(time.Duration(m.rng.IntN(3000)) * m.interval / 1000))
		i := m.rng.IntN(len(m.nodes))
		n := m.nodes[i]
		switch m.rng.IntN(5) {
		case 0:
			if n.naps == 0 {
				n.asleep = m.now.Add(time.Duration(m.rng.IntN(9000)) * m.interval / 1000)
				m.say("%s stands still until %v", n.name, time.Duration(n.asleep))
			}
		case 1:
			if n.asleep <= m.now {
				n.naps = time.Duration(m.rng.IntN(9000)) * m.interval / 1000
				n.asleep = m.now.Add(n.naps)
				m.say("%s is suspended until %v", n.name, time.Duration(n.asleep))
			}
		case 2:
			m.clients.ask(m, i, m.rng.IntN(m.size))
		case 3:
			if n.asleep <= m.now {
				n.ill = !n.ill
				m.say("%s is ill %v", n.name, n.ill)
				m.health(i)
			}
		case 4:
			if n.asleep <= m.now {
				m.step(i, Event{Kind: Resign})
			}
		}
	}
}

// askClients looks at what the clients believe when all is calm.
func (m *model) askClients() {
	for i, n := range m.nodes {
		if n.g.Member(0).State() != Master {
			continue
		}
		for j := range m.nodes {
			for k := range m.size {
				if b := m.clients.believe[j][k]; b != 0 && b != i+1 {
					m.fail("the client beside %s believes %s of member %d, the master is %s", m.nodes[j].name, m.nodes[b-1].name, k, n.name)
				}
			}
		}
	}
}
