package lab

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

// killed names the kill in the timeline.
const killed = "the kill"

// calm is how long the demo watches after each change.
const calm = 2 * time.Second

// play is the story.
func (d *demo) play() error {
	for _, act := range []func() error{
		d.bringUp, d.killActive, d.bringBack, d.killWeb, d.bringWebBack, d.stopActive,
	} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// begin opens an act; what happens now is not due to an earlier cause.
func (d *demo) begin(title, heading string) {
	now := d.now()
	d.traffic.begin(title, now)
	d.cause = cause{}
	d.tell(now, "", fmt.Sprintf("%d. %s", len(d.traffic.acts), heading), headTone)
}

// did notes what the demo does now.
func (d *demo) did(name, who, text string) {
	d.cause = cause{d.now(), name}
	d.tell(d.cause.at, who, text, doneTone)
}

// moved waits until one node alone holds the address.
func (d *demo) moved(to, from string) error {
	if err := d.await(to+" holds "+vip, func() bool { return d.tenure.holds(to) }); err != nil {
		return fmt.Errorf("the address did not move: %w%s", err, d.logs())
	}
	if err := d.await(from+" lets "+vip+" go", func() bool { return !d.tenure.holds(from) }); err != nil {
		return fmt.Errorf("two owners of one address: %w%s", err, d.logs())
	}
	return nil
}

// answered waits until the client is served without a silence.
func (d *demo) answered() error {
	from := d.now()
	return d.await("the client is answered through "+vip, func() bool { return !d.traffic.silent && d.traffic.lastAny > from })
}

// logs is the end of both nodes' logs, for a failure.
func (d *demo) logs() string {
	var b strings.Builder
	for _, n := range nodes() {
		path := d.path(n.name, ownLog)
		fmt.Fprintf(&b, "\nthe last lines of %s:\n%s", path, lastLines(path, 0, 8))
	}
	return b.String()
}

func (d *demo) startNamed(name string) error {
	h, err := find(name)
	if err != nil {
		return err
	}
	return d.startHost(h)
}

func (d *demo) bringUp() error {
	d.begin("all is well", "The pair comes up")
	for _, h := range hosts() {
		if h.role == web || h.role == names {
			if err := d.startHost(h); err != nil {
				return err
			}
		}
	}
	d.tell(d.now(), "web1-3", "serve", plainTone)
	for _, n := range nodes() {
		d.tell(d.now(), n.name, "starts", plainTone)
		if err := d.startHost(n); err != nil {
			return err
		}
	}
	if err := d.moved("lb1", "lb2"); err != nil {
		return err
	}
	d.tell(d.now(), "client", "begins to send requests", doneTone)
	if err := d.startNamed("client"); err != nil {
		return err
	}
	if err := d.await("the client is answered through "+vip, func() bool { return d.traffic.lastAny > 0 }); err != nil {
		return err
	}
	return d.watch(calm)
}

func (d *demo) killActive() error {
	d.begin("lb1 is killed", "The active node dies: kill -9, no goodbye, nobody cleans up")
	d.did(killed, "lb1", "baton is killed with SIGKILL")
	d.tenure.died("lb1", d.cause.at)
	if err := d.stop("lb1", syscall.SIGKILL); err != nil {
		return err
	}
	if err := d.moved("lb2", "lb1"); err != nil {
		return err
	}
	d.moves.kill = d.tenure.last("lb2").from - d.cause.at
	d.moves.letGo = d.tenure.last("lb1").to - d.cause.at
	if err := d.answered(); err != nil {
		return err
	}
	return d.watch(calm)
}

func (d *demo) bringBack() error {
	d.begin("lb1 comes back", "The dead node comes back; its priority is higher, so it takes the address again")
	d.did("its start", "lb1", "baton is started")
	if err := d.startNamed("lb1"); err != nil {
		return err
	}
	if err := d.moved("lb1", "lb2"); err != nil {
		return err
	}
	if err := d.answered(); err != nil {
		return err
	}
	return d.watch(calm)
}

// noticedBy waits until both nodes see a web server in a state.
func (d *demo) noticedBy(server, state string) error {
	return d.await("both nodes find "+server+" "+state, func() bool {
		return d.noticed["lb1 "+server] == state && d.noticed["lb2 "+server] == state
	})
}

func (d *demo) killWeb() error {
	d.begin("web2 dies", "A web server dies; both nodes check it every half second")
	d.did(killed, "web2", "is killed with SIGKILL")
	if err := d.stop("web2", syscall.SIGKILL); err != nil {
		return err
	}
	if err := d.noticedBy("web2", "DOWN"); err != nil {
		return err
	}
	return d.watch(calm)
}

func (d *demo) bringWebBack() error {
	d.begin("web2 comes back", "The web server comes back")
	d.did("its start", "web2", "is started")
	if err := d.startNamed("web2"); err != nil {
		return err
	}
	if err := d.noticedBy("web2", "UP"); err != nil {
		return err
	}
	before := d.traffic.answered["web2"]
	if err := d.await("web2 answers again", func() bool { return d.traffic.answered["web2"] > before }); err != nil {
		return err
	}
	return d.watch(calm)
}

func (d *demo) stopActive() error {
	d.begin("lb1 is stopped", "The active node is stopped in order (SIGTERM, as systemctl stop does)")
	d.did("SIGTERM", "lb1", "is told to stop")
	if err := d.stop("lb1", syscall.SIGTERM); err != nil {
		return err
	}
	if err := d.moved("lb2", "lb1"); err != nil {
		return err
	}
	d.moves.stop = d.tenure.last("lb2").from - d.cause.at
	if err := d.answered(); err != nil {
		return err
	}
	return d.watch(calm)
}

// summarize prints what the demo comes to.
func (d *demo) summarize() {
	end := d.now()
	d.traffic.end(end)
	s := summary{
		acts: d.traffic.acts, spans: d.tenure.until(end), answered: d.traffic.answered,
		failed: d.traffic.failed, halves: d.traffic.halves, moves: d.moves, end: end,
	}
	d.screen.print(s.text(d.screen.style))
}
