package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
)

// orphanLimit is how long a dead node's kernel is watched for the address.
const orphanLimit = 6 * time.Second

// figure is what is read off a run beside the client's gap.
type figure int

const (
	gapOnly figure = iota
	twoOwners
	orphan // how long the dead node's kernel has the address
)

// row is a fault.
type row struct {
	name, title string
	figure      figure
	checks      checks
	applies     func(system) bool // nil: to all
	play        func(p *pair) (sample, error)
}

// sample is what one run shows.
type sample struct {
	gap   time.Duration // the client's longest
	both  time.Duration // that both kernels had the address
	held  time.Duration // orphan: that the dead node's kernel had it; orphanLimit: and more
	right bool          // the client believes the right node in the end
}

// rows are the faults, those of one kind of check together: each kind has a pair of its own.
func rows() []row {
	onlyBaton := func(s system) bool { return s.link }
	onlyKeepalived := func(s system) bool { return !s.baton }
	return []row{
		{name: "quiet", title: "nothing happens for a second", figure: twoOwners, play: quiet},
		{name: "kill", title: "SIGKILL of all the node's processes", figure: orphan, play: kill},
		{name: "stop", title: "SIGTERM", figure: twoOwners, play: stop},
		{name: "start", title: "process started again, preempt", figure: twoOwners, play: start},
		{name: "restart", title: "SIGTERM and start again", figure: twoOwners, play: restart},
		{name: "handover", title: "handover", figure: twoOwners, applies: onlyBaton, play: handover},
		{name: "port", title: "the node's port down", figure: gapOnly, play: port},
		{name: "pause", title: "SIGSTOP of all processes", figure: gapOnly, play: pause},
		{name: "resume", title: "SIGCONT later", figure: twoOwners, play: resume},
		{name: "heal", title: "partition healed", figure: twoOwners, play: heal},
		{name: "cold", title: "cold start of both, until the page is there", figure: gapOnly, play: cold},
		{name: "script", title: "track script fails, gap after detection", figure: gapOnly, checks: flagCheck, play: script},
		{name: "proxy", title: "the proxy killed (script every 1 s, fall 2)", figure: gapOnly, checks: pageCheck, applies: onlyKeepalived, play: proxyKilled},
		{name: "wedge", title: "the proxy part wedged (script every 1 s, fall 2; baton: track_traffic)", figure: gapOnly, checks: pageCheck, play: wedge},
	}
}

// measure plays a row on a pair on which a serves, and leaves it so.
func (p *pair) measure(r row) (sample, error) {
	s, err := r.play(p)
	if err == nil {
		err = p.await("a serves again", p.settledOn(p.a))
	}
	return s, err
}

// settle is how long the pair is watched when all seems over.
func (p *pair) settle() time.Duration { return max(300*time.Millisecond, 2*p.col.interval) }

// observe lets something happen, waits for its end and for what may come behind it,
// and reads off what the client and the kernels have seen. owner is who should have the address then.
func (p *pair) observe(act func() error, owner *node, until func() bool) (sample, error) {
	calm := time.Now().Add(-100 * time.Millisecond)
	time.Sleep(p.settle()) // what happened before must not be seen here
	p.st.client.forget(calm)
	from := time.Now()
	if err := act(); err != nil {
		return sample{}, err
	}
	waited := p.await(fmt.Sprintf("the address is settled on %s", owner.name), until)
	if waited == nil {
		time.Sleep(p.settle())
	}
	end := time.Now()
	answers, err := p.st.client.since(from)
	if err != nil {
		return sample{}, err
	}
	spans, err := p.st.kernels.tenure(from, end)
	if err != nil {
		return sample{}, err
	}
	return sample{
		gap: longest(answers, from, end), both: both(spans), held: heldBy(spans, p.a.name), right: p.st.kernels.believed() == owner.name,
	}, waited
}

func quiet(p *pair) (sample, error) {
	return p.observe(func() error { time.Sleep(time.Second); return nil }, p.a, p.settledOn(p.a))
}

func kill(p *pair) (sample, error) {
	var from time.Time
	s, err := p.observe(func() error {
		from = time.Now()
		return p.a.signal(syscall.SIGKILL, "")
	}, p.b, func() bool {
		return p.settledOn(p.b)() && (!p.st.kernels.holds("a") || time.Since(from) > orphanLimit)
	})
	s.held = min(s.held, orphanLimit)
	if err != nil {
		return s, err
	}
	return s, errors.Join(p.a.gone(), p.a.start())
}

func stop(p *pair) (sample, error) {
	s, err := p.observe(func() error { return p.a.signal(syscall.SIGTERM, "") }, p.b, p.settledOn(p.b))
	if err != nil {
		return s, err
	}
	return s, errors.Join(p.a.gone(), p.a.start())
}

func start(p *pair) (sample, error) {
	if err := errors.Join(p.a.signal(syscall.SIGTERM, ""), p.a.gone(), p.await("b serves", p.settledOn(p.b))); err != nil {
		return sample{}, err
	}
	return p.observe(p.a.start, p.a, p.onlyOn(p.a))
}

func restart(p *pair) (sample, error) {
	return p.observe(func() error {
		return errors.Join(p.a.signal(syscall.SIGTERM, ""), p.a.gone(), p.a.start(), p.await("b has it", func() bool { return p.st.kernels.holds("b") }))
	}, p.a, p.onlyOn(p.a))
}

func handover(p *pair) (sample, error) {
	hand := func(n *node) func() error {
		return func() error {
			out, err := p.st.command(n.name, p.st.baton, "handover", "--socket", n.socket()).CombinedOutput()
			if err != nil {
				return fmt.Errorf("baton handover on %s: %w\n%s", n.name, err, out)
			}
			return nil
		}
	}
	s, err := p.observe(hand(p.a), p.b, p.onlyOn(p.b))
	if err != nil {
		return s, err
	}
	return s, hand(p.b)()
}

func port(p *pair) (sample, error) {
	s, err := p.observe(func() error { return p.st.net.Port("a", false) }, p.b, p.settledOn(p.b))
	return s, errors.Join(err, p.st.net.Port("a", true))
}

func pause(p *pair) (sample, error) {
	s, err := p.observe(func() error { return p.a.signal(syscall.SIGSTOP, "") }, p.b, p.settledOn(p.b))
	return s, errors.Join(err, p.a.signal(syscall.SIGCONT, ""))
}

func resume(p *pair) (sample, error) {
	if err := errors.Join(p.a.signal(syscall.SIGSTOP, ""), p.await("b serves", p.settledOn(p.b))); err != nil {
		return sample{}, errors.Join(err, p.a.signal(syscall.SIGCONT, ""))
	}
	// Longer than a lease: a node that is stopped for less is not the worse case.
	time.Sleep(4 * time.Second)
	return p.observe(func() error { return p.a.signal(syscall.SIGCONT, "") }, p.a, p.onlyOn(p.a))
}

func heal(p *pair) (sample, error) {
	// The client believes the one that is to lose: it took over last.
	if err := errors.Join(p.st.isolate(true), p.await("both are masters, and the client believes b", func() bool {
		return p.st.kernels.holds("a") && p.settledOn(p.b)()
	})); err != nil {
		return sample{}, err
	}
	time.Sleep(rand.N(p.col.interval)) // the phase in which the two advertise
	return p.observe(func() error { return p.st.isolate(false) }, p.a, p.onlyOn(p.a))
}

func cold(p *pair) (sample, error) {
	if err := errors.Join(p.a.signal(syscall.SIGTERM, ""), p.b.signal(syscall.SIGTERM, ""), p.a.gone(), p.b.gone()); err != nil {
		return sample{}, err
	}
	if err := p.await("nobody holds the address", func() bool { return !p.st.kernels.holds("a") && !p.st.kernels.holds("b") }); err != nil {
		return sample{}, err
	}
	p.st.client.forget(time.Now())
	var from time.Time
	_, err := p.observe(func() error {
		from = time.Now()
		return errors.Join(p.a.start(), p.b.start())
	}, p.a, p.settledOn(p.a))
	if err != nil {
		return sample{}, err
	}
	answers, err := p.st.client.since(from)
	if err != nil {
		return sample{}, err
	}
	first := time.Now()
	for _, a := range answers {
		if a.After(from) && a.Before(first) {
			first = a
		}
	}
	return sample{gap: first.Sub(from), right: p.st.kernels.believed() == "a"}, nil
}

func script(p *pair) (sample, error) {
	s, err := p.observe(func() error { return p.a.flag(true) }, p.b, p.settledOn(p.b))
	return s, errors.Join(err, p.a.flag(false))
}

func proxyKilled(p *pair) (sample, error) {
	s, err := p.observe(func() error { return p.a.signal(syscall.SIGKILL, "haproxy") }, p.b, p.settledOn(p.b))
	if err != nil {
		return s, err
	}
	return s, p.a.start()
}

// wedge keeps the proxy of a from taking connections, while all else goes on: haproxy is
// stopped, and of baton the threads of the event loops.
func wedge(p *pair) (sample, error) {
	release := func() error { return p.a.signal(syscall.SIGCONT, "haproxy") }
	s, err := p.observe(func() (err error) {
		if p.sys.baton {
			release, err = p.a.freezeLoops()
			return err
		}
		return p.a.signal(syscall.SIGSTOP, "haproxy")
	}, p.b, p.settledOn(p.b))
	return s, errors.Join(err, release())
}

// onlyOn is settledOn, and the other kernel has let go.
func (p *pair) onlyOn(n *node) func() bool {
	other := p.a
	if n == p.a {
		other = p.b
	}
	settled := p.settledOn(n)
	return func() bool { return settled() && !p.st.kernels.holds(other.name) }
}
