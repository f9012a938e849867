package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"baton/internal/admin"
)

// upMark is a file that says that the lab was brought up to stay. A lab without
// it and without a holder of the lock is what a killed command left.
const upMark = "up"

// patience bounds the wait for something that should come soon; it is long
// because the host may be busy.
const patience = 15 * time.Second

// clear makes room for a new lab: it refuses when one is up, and removes what a
// killed command left. The caller holds the lock.
func (l *Lab) clear(out io.Writer) error {
	if !l.present() {
		return nil
	}
	if _, err := os.Stat(l.path("", upMark)); err == nil {
		return fmt.Errorf("a lab is up already (see: %s)\ntake it down first: %s", l.verb("status"), l.verb("down"))
	}
	fmt.Fprintln(out, "removing what an interrupted lab left behind")
	return l.remove()
}

// Up makes the lab and leaves it running.
func (l *Lab) Up(ctx context.Context, out io.Writer) (err error) {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.clear(out); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = afterwards(err, l.remove())
		}
	}()
	if err := l.build(); err != nil {
		return err
	}
	if err := l.writeFiles(); err != nil {
		return err
	}
	for _, h := range hosts() {
		if h.role == web || h.role == names {
			if _, err := l.startServer(h, detached); err != nil {
				return err
			}
		}
	}
	for _, h := range nodes() {
		p, err := l.startNode(h, detached, nil)
		if err != nil {
			return err
		}
		if err := l.awaitRunning(ctx, p); err != nil {
			return err
		}
	}
	holder, err := l.awaitHolder(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.path("", upMark), nil, 0o644); err != nil {
		return fmt.Errorf("mark the lab as up: %w", err)
	}
	l.welcome(out, holder)
	return nil
}

func (l *Lab) welcome(out io.Writer, holder string) {
	fmt.Fprintf(out, "The lab is up: %s holds %s.\n\n", holder, vip)
	for _, h := range hosts() {
		fmt.Fprintf(out, "  %-7s %-12s ip netns exec %-14s ", h.name, h.addr, l.namespace(h.name))
		switch h.role {
		case node:
			fmt.Fprintf(out, "%s/{haproxy.cfg,keepalived.conf,%s,%s}\n", l.path(h.name), ownLog, trafficLog)
		case web:
			fmt.Fprintln(out, "answers with its name")
		case names:
			fmt.Fprintf(out, "answers for web1.lab and so on, from %s\n", l.path(h.name, zoneFile))
		case client:
			fmt.Fprintln(out, "for requests of yours")
		}
	}
	fmt.Fprintln(out, "\nThings to try:")
	for _, t := range [][2]string{
		{"exec client -- curl -s http://" + vip + "/", "a request through the virtual IP"},
		{"status", "both nodes, as `baton status` shows them"},
		{"kill lb1", "SIGKILL; then: status, and: start lb1"},
		{"kill lb1 --signal TERM", "an orderly stop"},
		{"kill web2", "a web server dies"},
		{"dns web1.lab web3", "the server web1 moves; then: status"},
		{"exec lb2 -- ip addr show eth0", "what the kernel says"},
		{"down", "take everything away"},
	} {
		fmt.Fprintf(out, "  %-52s # %s\n", l.verb(t[0]), t[1])
	}
}

// awaitRunning waits until a node's daemon says by its status socket that it runs.
func (l *Lab) awaitRunning(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if _, st, err := admin.Fetch(ctx, l.socket(p.host)); err == nil && st.State == "running" {
			return nil
		}
		select {
		case <-p.done:
			return p.failed(fmt.Errorf("baton on %s ended at once (%v)", p.host, p.cmd.ProcessState))
		case <-ctx.Done():
			return p.failed(fmt.Errorf("baton on %s does not get ready: %w", p.host, ctx.Err()))
		case <-time.After(20 * time.Millisecond): // outside of systemd nothing signals readiness
		}
	}
}

// awaitHolder waits until a node holds the address and names it.
func (l *Lab) awaitHolder(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	changes, err := l.watchNodes(ctx)
	if err != nil {
		return "", err
	}
	for {
		select {
		case c := <-changes:
			if c.err != nil {
				return "", c.err
			}
			if c.held {
				return c.node, nil
			}
		case <-ctx.Done():
			return "", fmt.Errorf("no node takes %s: %w; see the logs in %s", vip, ctx.Err(), l.dir)
		}
	}
}

// Down takes the lab away; it says so when there is none.
func (l *Lab) Down(out io.Writer) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if !l.present() {
		fmt.Fprintln(out, "there is no lab")
		return nil
	}
	if err := l.remove(); err != nil {
		return err
	}
	fmt.Fprintln(out, "the lab is gone")
	return nil
}

// host finds a host of a lab that is there.
func (l *Lab) host(name string) (host, error) {
	h, err := find(name)
	if err != nil {
		return h, err
	}
	return h, l.mustBeThere()
}

func (l *Lab) mustBeThere() error {
	if !l.present() {
		return fmt.Errorf("there is no lab; make one: %s", l.verb("up"))
	}
	return nil
}

// Kill sends a signal to baton, or to the server, of a host. After one that
// ends it, it waits for the end: 40 s at the most, for an orderly stop lets
// connections end first.
func (l *Lab) Kill(name string, sig syscall.Signal, out io.Writer) error {
	h, err := l.host(name)
	if err != nil {
		return err
	}
	if h.role == client {
		return fmt.Errorf("nothing of the lab's runs on %s", name)
	}
	pid, err := l.find(h)
	if err != nil {
		return err
	}
	if pid == 0 {
		return fmt.Errorf("%s is not running; start it: %s", name, l.verb("start "+name))
	}
	if sig != syscall.SIGKILL && sig != syscall.SIGTERM && sig != syscall.SIGINT {
		if err := syscall.Kill(pid, sig); err != nil {
			return fmt.Errorf("send %v to %s: %w", sig, name, err)
		}
		fmt.Fprintf(out, "%s got signal %d (pid %d)\n", name, int(sig), pid)
		return nil
	}
	if err := endProcess(pid, sig, 40*time.Second); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(out, "%s has ended (pid %d, %v)\n", name, pid, sig)
	return nil
}

// Start starts baton, or the server, of a host again.
func (l *Lab) Start(ctx context.Context, name string, out io.Writer) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	h, err := l.host(name)
	if err != nil {
		return err
	}
	if h.role == client {
		return fmt.Errorf("nothing of the lab's runs on %s; use: %s", name, l.verb("exec client -- COMMAND"))
	}
	pid, err := l.find(h)
	if err != nil {
		return err
	}
	if pid != 0 {
		return fmt.Errorf("%s is running already (pid %d)", name, pid)
	}
	var p *process
	if h.role == web || h.role == names {
		p, err = l.startServer(h, detached)
	} else if p, err = l.startNode(h, detached, nil); err == nil {
		err = l.awaitRunning(ctx, p)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is running (pid %d)\n", name, p.cmd.Process.Pid)
	return nil
}

// Exec replaces this process by a command on a host; it returns only on failure.
func (l *Lab) Exec(name string, command []string) error {
	if _, err := l.host(name); err != nil {
		return err
	}
	args := append([]string{"ip", "netns", "exec", l.namespace(name)}, command...)
	return fmt.Errorf("run ip: %w", syscall.Exec(l.ip, args, os.Environ()))
}

// Status prints both nodes as `baton status` does, and what else runs.
func (l *Lab) Status(ctx context.Context, out io.Writer) error {
	if err := l.mustBeThere(); err != nil {
		return err
	}
	var holders []string
	for _, h := range nodes() {
		held, err := l.holds(h)
		if err != nil {
			return err
		}
		pid, err := l.find(h)
		if err != nil {
			return err
		}
		switch {
		case held && pid == 0:
			holders = append(holders, h.name+", whose baton is dead: its kernel lets it go when the lease ends")
		case held:
			holders = append(holders, h.name)
		}
	}
	if holders == nil {
		holders = []string{"no node"}
	}
	fmt.Fprintf(out, "%s is on %s\n", vip, strings.Join(holders, " and on "))
	for _, h := range nodes() {
		fmt.Fprintf(out, "\n──── %s  %s  %s\n", h.name, h.addr, strings.Repeat("─", 50))
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, st, err := admin.Fetch(ctx, l.socket(h.name))
		cancel()
		if err != nil {
			pid, findErr := l.find(h)
			if findErr != nil {
				return findErr
			}
			if pid != 0 {
				fmt.Fprintf(out, "baton runs (pid %d), but: %v\n", pid, err)
				continue
			}
			fmt.Fprintf(out, "baton does not run; start it: %s\nthe end of its log, %s:\n%s\n", l.verb("start "+h.name), l.path(h.name, ownLog), lastLines(l.path(h.name, ownLog), 0, 3))
			continue
		}
		if err := st.WriteText(out, time.Now()); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n──── web servers %s\n", strings.Repeat("─", 57))
	for _, h := range hosts() {
		if h.role != web {
			continue
		}
		pid, err := l.find(h)
		if err != nil {
			return err
		}
		state := "not running; start it: " + l.verb("start "+h.name)
		if pid != 0 {
			state = fmt.Sprintf("running, pid %d", pid)
		}
		fmt.Fprintf(out, "%s  %s  %s\n", h.name, h.addr, state)
	}
	return nil
}

// holds asks a node's kernel whether it has the address.
func (l *Lab) holds(h host) (bool, error) {
	out, err := l.run("-n", l.namespace(h.name), "-o", "-4", "addr", "show", "to", vip+"/32")
	return strings.TrimSpace(out) != "", err
}

// afterwards joins what went wrong and what went wrong in taking the lab away.
// An interruption that leaves something behind is no longer a mere interruption.
func afterwards(err, removal error) error {
	if removal == nil {
		return err
	}
	return fmt.Errorf("%v\nand the lab could not be taken away: %w", err, removal)
}

// Interrupted reports whether an error says no more than that the caller's
// context was cancelled.
func Interrupted(err error) bool { return errors.Is(err, context.Canceled) }
