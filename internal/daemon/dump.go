package daemon

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"baton/internal/dump"
	"baton/vrrp/vrrpnet"
)

// dumpDir is where keepalived's dumps go.
const dumpDir = "/tmp"

// dump writes one of keepalived's files.
func (d *process) dump(c Command) {
	s := d.snapshot()
	if s == nil {
		d.Log.Warn("nothing to dump: there is no vrrp_instance")
		return
	}
	name, text := "", []byte(nil)
	var err error
	switch c {
	case DumpData:
		name, text = "keepalived.data", dump.Data(s)
	case DumpJSON:
		name = "keepalived.json"
		text, err = dump.JSON(s)
	default:
		name, text = "keepalived.stats", dump.Stats(s)
	}
	if err == nil {
		err = replaceFile(filepath.Join(dumpDir, name), text)
	}
	if err != nil {
		d.Log.Error(fmt.Sprintf("dump: %v", err))
		return
	}
	d.Log.Info("wrote " + filepath.Join(dumpDir, name))
	if c == DumpStatsClear {
		d.uncounted = make(map[string]vrrpnet.Status)
		for _, st := range d.speaker.Status() {
			d.uncounted[st.Name] = st
		}
	}
}

// logConfig writes the configuration to the log, line by line.
func (d *process) logConfig() {
	if s := d.snapshot(); s != nil {
		for line := range strings.Lines(string(dump.Data(s))) {
			d.Log.Info(strings.TrimSuffix(line, "\n"))
		}
	}
}

// snapshot collects what a dump shows; nil without VRRP.
func (d *process) snapshot() *dump.Snapshot {
	if d.speaker == nil {
		return nil
	}
	h := d.half.Load()
	s := &dump.Snapshot{Node: d.cfg.Name, Config: h.cfg, Probes: d.probes.Status(), Interfaces: d.interfaces()}
	holdings := h.holdings()
	states := make(map[string]vrrpnet.Status)
	for _, st := range d.speaker.Status() {
		states[st.Name] = st
	}
	for _, in := range h.cfg.Instances {
		name := in.VRRP.Name
		s.Instances = append(s.Instances, dump.Instance{Instance: in, Status: since(states[name], d.uncounted[name]), Holding: holdings[name]})
	}
	return s
}

// since takes off what was counted before the counters were cleared. They go on
// for `baton status`, which knows no clearing.
func since(st, before vrrpnet.Status) vrrpnet.Status {
	st.Sent -= before.Sent
	st.Received -= before.Received
	st.BecameMaster -= before.BecameMaster
	st.LeftMaster -= before.LeftMaster
	st.ZeroSent -= before.ZeroSent
	st.ZeroReceived -= before.ZeroReceived
	for r := range st.Refused {
		st.Refused[r] -= before.Refused[r]
	}
	return st
}

// interfaces lists those of this host. One that vanishes meanwhile is left out.
func (d *process) interfaces() []dump.Interface {
	list, err := net.Interfaces()
	if err != nil {
		d.Log.Warn(fmt.Sprintf("dump: list interfaces: %v", err))
		return nil
	}
	var out []dump.Interface
	for _, ifi := range list {
		addrs, err := ifi.Addrs()
		if err != nil {
			continue
		}
		one := dump.Interface{Interface: ifi}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				one.Addresses = append(one.Addresses, p)
			}
		}
		out = append(out, one)
	}
	return out
}

// replaceFile writes a file that readers see whole or not at all. Only its owner
// may read it: passwords of VRRP are in it. A link under that name is replaced and
// not followed.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
