package daemon

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"baton/checkscript"
	"baton/checkscript/notifier"
	"baton/checkscript/runner"
	"baton/internal/admin"
	"baton/lb"
	"baton/lb/spec"
	"baton/vrrp/vrrpnet"
)

// spareSlots is by how many slots of Go's scheduler there are more than processors.
const spareSlots = 4

// process is the running whole. Parts that the configuration does not ask for
// are nil.
type process struct {
	RunOptions
	cfg     *Config
	started time.Time
	phase   atomic.Value // string: starting, running, stopping

	balancer *lb.Service  // nil: none is configured
	balances *spec.Config // the balancer's present configuration
	speaker  *vrrpnet.Speaker
	probes   *runner.Runner
	health   *health
	refusals refusals
	partner  *partner // nil: no pair link is configured
	notifier *notifier.Notifier
	half     atomic.Pointer[half] // nil without VRRP
	socket   *admin.Socket

	tasks struct {
		admin, balancer, speaker, links, probes, partner, notifier, mailer, watchdog *running
	}
	failed  chan error
	orders  chan order    // a verb asks for a reload
	changes chan struct{} // something that the status line shows has changed

	reloaded  chan struct{}             // what a reload has changed has been told
	uncounted map[string]vrrpnet.Status // counters when they were cleared, by instance
}

// buildBalancer makes the balancer; listen opens its sockets.
func (d *process) buildBalancer() error {
	d.changes = make(chan struct{}, 1)
	if d.cfg.Balancer == nil {
		return nil
	}
	var err error
	d.balances = d.cfg.Balancer
	d.balancer, err = lb.NewService(d.cfg.Balancer, lb.Options{Log: d.Log, OnBackend: func(backend string, _ int) {
		if d.probes != nil {
			d.probes.BackendChanged(backend)
		}
		d.changed()
	}})
	return err
}

func (d *process) listen() error {
	if d.balancer == nil {
		return nil
	}
	return d.balancer.Listen()
}

func (d *process) startBalancer() {
	if d.balancer != nil {
		d.tasks.balancer = start(&task{name: "balancer", run: d.balancer.Run, ready: d.balancer.Ready()}, d.failed)
	}
}

// buildVRRP makes the owner of the addresses, the speaker and the probes.
// Addresses that a dead baton left behind are taken off here.
func (d *process) buildVRRP() error {
	v := d.cfg.VRRP
	if v == nil {
		return nil
	}
	o := runner.Options{Probes: v.Probes, Secure: v.ScriptSecurity, Log: d.Log, OnVerdict: func(name string) { d.health.refresh(name) }}
	if d.balancer != nil {
		o.Serving, o.Usable, o.Dial, o.Full = d.balancer.Serving, d.balancer.Usable, d.balancer.ProbeDial, d.balancer.Full
	}
	var err error
	if d.probes, err = runner.New(o); err != nil {
		return err
	}
	if d.notifier, err = notifier.New(notifier.Options{Notify: v.Notify, Secure: v.ScriptSecurity, Log: d.Log}); err != nil {
		return err
	}
	d.half.Store(&half{cfg: v, mailer: d.newMailer(v)})
	if err := d.buildSpeaker(); err != nil {
		return err
	}
	d.health = &health{instances: v.Instances, reading: d.probes.Reading, send: d.speaker.Health}
	d.resumeMaintenance()
	d.buildPartner()
	return nil
}

func (d *process) startVRRP() {
	if d.cfg.VRRP == nil {
		return
	}
	// The VRRP thread needs a slot of its own whenever it comes out of a system call,
	// and others may hold theirs while a busy host keeps them from running.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), runtime.NumCPU()+spareSlots))
	// What the probes have to say comes before the elections begin: a pending
	// probe of weight 0 holds its instance back from the first moment.
	d.health.refresh("")
	if d.partner != nil {
		d.tasks.partner = start(&task{name: "pair link", run: d.partner.run}, d.failed)
	}
	d.tasks.notifier = start(&task{name: "notify scripts", run: d.notifier.Run}, d.failed)
	d.startMailer()
	d.startLinks()
	d.tasks.speaker = start(&task{name: "VRRP speaker", run: d.speaker.Run, ready: d.speaker.Ready()}, d.failed)
	d.tasks.probes = start(&task{name: "probes", run: d.probes.Run}, d.failed)
}

// watchdog collects the parts that must turn for the process to be alive.
func (d *process) watchdog() *watchdog {
	w := &watchdog{log: d.Log}
	if d.balancer != nil {
		w.pulses = append(w.pulses, pulse{"an event loop of the balancer", d.balancer.Alive})
	}
	if d.speaker != nil {
		w.pulses = append(w.pulses, pulse{"the VRRP thread", d.speaker.Alive})
	}
	return w
}

// changed asks for a new status line. It does not block.
func (d *process) changed() {
	d.partner.touch()
	select {
	case d.changes <- struct{}{}:
	default:
	}
}

// tellStatus writes the line that `systemctl status` shows.
func (d *process) tellStatus() {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return // a status of hundreds of instances is not made for nobody
	}
	st := d.status()
	parts := tellInstances(st.Instances)
	for _, b := range st.Backends {
		if b.Usable < len(b.Servers) {
			parts = append(parts, fmt.Sprintf("backend %s: %d of %d servers usable", b.Name, b.Usable, len(b.Servers)))
		}
	}
	if len(parts) == 0 {
		parts = []string{"running"}
	}
	notify(d.Log, "STATUS="+strings.Join(parts, "; "))
}

// tellInstances says what the instances are; of many, how many are what.
func tellInstances(list []admin.Instance) (parts []string) {
	const many = 8
	if len(list) <= many {
		for _, i := range list {
			parts = append(parts, fmt.Sprintf("%s is %s (priority %d)", i.Name, i.State, i.Priority))
		}
		return parts
	}
	count := map[string]int{}
	for _, i := range list {
		count[i.State]++
	}
	for _, state := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d of %d instances are %s", count[state], len(list), state))
	}
	return parts
}

// RunsScripts reports whether the configuration starts programs.
func (c *Config) RunsScripts() bool {
	if c.VRRP == nil {
		return false
	}
	for _, p := range c.VRRP.Probes {
		if p.Kind == checkscript.Script {
			return true
		}
	}
	return len(c.VRRP.Notify.Commands()) > 0
}

// Summary counts what a configuration holds.
func (c *Config) Summary() string {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, Count(n, what))
		}
	}
	if b := c.Balancer; b != nil {
		servers := 0
		for _, be := range b.Backends {
			servers += len(be.Servers)
		}
		add(len(b.Frontends), "frontend")
		add(len(b.Backends), "backend")
		add(servers, "server")
	}
	if v := c.VRRP; v != nil {
		addresses := 0
		for _, i := range v.Instances {
			addresses += len(i.VIP.Addresses)
		}
		add(len(v.Instances), "VRRP instance")
		add(addresses, "virtual address")
		add(len(v.Probes), "probe")
	}
	return strings.Join(parts, ", ")
}

// Count says "1 error", "2 errors", "2 virtual addresses".
func Count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
