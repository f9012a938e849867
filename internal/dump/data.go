package dump

import (
	"fmt"
	"net"
	"strings"
	"time"

	"baton/checkscript"
	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// writer collects lines.
type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

// Data is keepalived.data: the configuration as it was understood, and the state.
func Data(s *Snapshot) []byte {
	w := &writer{}
	w.line("------< Global definitions >------")
	w.line(" Router ID = %s", s.Node)
	w.line(" VRRP IPv4 mcast group = %v", packet.Group())
	w.line(" VRRP IPv6 mcast group = %v", packet.Group6())
	w.line(" Script security %s", either(s.Config.ScriptSecurity, "enabled", "disabled"))
	w.line("------< VRRP Topology >------")
	for i := range s.Instances {
		s.instance(w, &s.Instances[i])
	}
	s.scripts(w)
	s.files(w)
	s.processes(w)
	s.groups(w)
	s.interfaces(w)
	return []byte(w.String())
}

func (s *Snapshot) instance(w *writer, in *Instance) {
	c, st, announce := in.VRRP, in.Status, in.schedule()
	w.line(" VRRP Instance = %s", c.Name)
	w.line("   VRRP Version = %d", st.Version)
	if st.Group != "" {
		w.line("   Sync group = %s", st.Group)
	}
	if c.IPv6 {
		w.line("   Using Native IPv6")
	}
	w.line("   State = %v", st.State)
	if st.State == vrrp.Backup && st.Master.IsValid() {
		w.line("   Master router = %v", st.Master)
		w.line("   Master priority = %d", st.MasterPriority)
	}
	if c.Unicast() {
		w.line("   Flags:\n     Using unicast")
	} else {
		w.line("   Flags: none")
	}
	w.line("   Wantstate = %v", st.State)
	w.line("   Number of config faults = 0")
	w.line("   Number of interface and track script faults = %d", faults(st.Faults))
	w.line("   Number of track scripts init = %d", number(st.Pending))
	at := st.Since.Wall()
	w.line("   Last transition = %s", instant(at))
	if st.Deadline == mono.Never {
		w.line("   Read timeout = DISABLED")
	} else {
		w.line("   Read timeout = %s", instant(st.Deadline.Wall()))
	}
	w.line("   Master down timer = %d usecs", in.masterDown().Microseconds())
	if v := in.VIP.VMAC; v.Name != "" {
		w.line("   Use VMAC, i/f name %s, is_up = %t, xmit_base = %t", v.Name, st.State == vrrp.Master, !c.VirtualMAC)
		w.line("   Interface = %s, vmac on %s", v.Name, v.Base)
	} else {
		w.line("   Interface = %s", c.Interface)
	}
	if c.DontTrackPrimary {
		w.line("   VRRP interface tracking disabled")
	}
	if c.SkipAddressCheck {
		w.line("   Skip checking advert IP addresses")
	}
	if st.Source.IsValid() {
		w.line("   Using src_ip = %v%s", st.Source, either(c.Source.IsValid(), " (from configuration)", ""))
	}
	if !c.Unicast() {
		group := packet.Group()
		if c.IPv6 {
			group = packet.Group6()
		}
		w.line("   Multicast address %v", group)
	}
	w.line("   Gratuitous ARP delay = %d", whole(announce.Again))
	w.line("   Gratuitous ARP repeat = %d", announce.Repeat)
	w.line("   Gratuitous ARP refresh = %d", whole(announce.Refresh))
	w.line("   Gratuitous ARP refresh repeat = %d", announce.RefreshRepeat)
	w.line("   Gratuitous ARP lower priority delay = %d", whole(announce.ConflictAgain))
	w.line("   Gratuitous ARP lower priority repeat = %d", announce.ConflictRepeat)
	w.line("   Down timer adverts = %d", in.downAdverts())
	w.line("   Send advert after receive lower priority advert = %t", !c.LowerPrioNoAdvert)
	w.line("   Send advert after receive higher priority advert = %t", c.HigherPrioSendAdvert)
	w.line("   Virtual Router ID = %d", c.VRID)
	w.line("   Priority = %d", c.Priority)
	w.line("   Effective priority = %d", st.Priority)
	w.line("   Total priority = %d", int(c.Priority)+st.Delta)
	if st.Version == 3 {
		w.line("   Advert interval = %d milli-sec", c.AdvertInterval.Milliseconds())
	} else {
		w.line("   Advert interval = %d sec", whole(c.AdvertInterval))
	}
	w.line("   Accept = %s", either(in.VIP.NoAccept, "disabled", "enabled"))
	w.line("   Preempt = %s", either(c.NoPreempt, "disabled", "enabled"))
	if c.PreemptDelay > 0 {
		w.line("   Preempt delay = %g secs", c.PreemptDelay.Seconds())
	}
	w.line("   Promote_secondaries = disabled")
	if st.Version == 2 {
		authentication(w, c.Auth)
	}
	in.addressLines(w)
	if c.Unicast() {
		in.peers(w)
	}
	section(w, "Virtual Routes", routes(in))
	section(w, "Virtual Rules", rules(in))
	s.tracked(w, in)
	t := s.target(false, c.Name)
	w.line("   Using smtp notification = %s", either(t.Mail, "yes", "no"))
	s.notify(w, t)
}

func authentication(w *writer, a packet.Auth) {
	if a.Type == packet.AuthNone {
		w.line("   Authentication type = none")
		return
	}
	w.line("   Authentication type = SIMPLE_PASSWORD")
	w.line("   Password = %s", password(a))
}

func (in *Instance) addressLines(w *writer) {
	list, _ := in.addresses()
	n := 0
	for _, a := range list {
		n += number(!a.excluded)
	}
	if n > 0 {
		w.line("   Virtual IP (%d):", n)
	}
	for _, a := range list {
		if !a.excluded {
			w.line("     %s", a.text)
		}
	}
	if n < len(list) {
		w.line("   Virtual IP Excluded :")
	}
	for _, a := range list {
		if a.excluded {
			w.line("     %s", a.text)
		}
	}
}

func section(w *writer, title string, lines []string) {
	if len(lines) > 0 {
		w.line("   %s :", title)
	}
	for _, l := range lines {
		w.line("     %s", l)
	}
}

func routes(in *Instance) (out []string) {
	for _, r := range in.VIP.Routes {
		out = append(out, r.String())
	}
	return out
}

func rules(in *Instance) (out []string) {
	for _, r := range in.VIP.Rules {
		out = append(out, r.String())
	}
	return out
}

func (in *Instance) peers(w *writer) {
	ttl := in.VRRP.TTL
	if ttl == 0 {
		ttl = packet.HopLimit
	}
	w.line("   Unicast TTL = %d", ttl)
	w.line("   Check unicast src : %s", either(in.VRRP.CheckPeers, "yes", "no"))
	w.line("   Unicast Peer :")
	for _, p := range in.VRRP.Peers {
		limit := p.MaxTTL
		if limit == 0 {
			limit = 255
		}
		w.line("     %v min_ttl %d max_ttl %d", p.Addr, p.MinTTL, limit)
	}
}

// tracked lists what an instance tracks, by kind as keepalived does; baton's own
// kinds follow in the same form.
func (s *Snapshot) tracked(w *writer, in *Instance) {
	section := func(title string, kind checkscript.Kind, comma string) {
		for i, t := range s.tracks(in, kind) {
			if i == 0 {
				w.line("   %s :", title)
			}
			name := t.Probe
			if p := s.probe(t.Probe); kind == checkscript.Interface {
				name = p.Interface
			}
			w.line("     %s%s weight %d%s", name, comma, t.Weight, either(t.Reverse, " reverse", ""))
		}
	}
	section("Tracked interfaces", checkscript.Interface, "")
	section("Tracked scripts", checkscript.Script, "")
	section("Tracked files", checkscript.File, ",")
	section("Tracked processes", checkscript.Process, ",")
	section("Tracked balancer", checkscript.Self, "")
	section("Tracked backends", checkscript.Backend, "")
	section("Tracked traffic", checkscript.Traffic, "")
}

func (s *Snapshot) notify(w *writer, t checkscript.Target) {
	if !t.Group {
		w.line("   Notify deleted = %s", either(t.Deleted, "Deleted", "Fault"))
	}
	one := func(what string, c *checkscript.Command) {
		if c != nil {
			w.line("   %s state transition script = %s", what, script(c))
		}
	}
	one("Backup", t.Scripts[checkscript.ToBackup])
	one("Master", t.Scripts[checkscript.ToMaster])
	one("Fault", t.Scripts[checkscript.ToFault])
	one("Stop", t.Scripts[checkscript.Stopped])
	one("Generic", t.Any)
	one("Master rx lower pri", t.Scripts[checkscript.RxLower])
	if !t.Group {
		w.line("   Notify priority changes = %t", t.Priorities)
	}
}

func (s *Snapshot) groups(w *writer) {
	if len(s.Config.Groups) == 0 {
		return
	}
	w.line("------< VRRP Sync groups >------")
	for _, g := range s.Config.Groups {
		state, fault, starting, agreed := vrrp.Init, 0, 0, true
		for i := range s.Instances {
			st := s.Instances[i].Status
			if st.Group != g.Name {
				continue
			}
			agreed = agreed && (state == vrrp.Init || state == st.State)
			state = st.State
			fault += number(st.State == vrrp.Fault)
			starting += number(st.State == vrrp.Init)
		}
		if fault > 0 {
			state = vrrp.Fault
		} else if !agreed {
			state = vrrp.Backup
		}
		w.line(" VRRP Sync Group = %s, %v", g.Name, state)
		w.line("   Num member fault %d, num member init %d", fault, starting)
		w.line("   VRRP member instances :")
		for _, m := range g.Members {
			w.line("     %s", m)
		}
		t := s.target(true, g.Name)
		w.line("   Using smtp notification = %s", either(t.Mail, "yes", "no"))
		t.Group = true
		s.notify(w, t)
	}
}

func (s *Snapshot) interfaces(w *writer) {
	w.line("------< Interfaces >------")
	for _, ifi := range s.Interfaces {
		w.line(" Name = %s", ifi.Name)
		w.line("   index = %d", ifi.Index)
		four, six := "(none)", "(none)"
		for i := len(ifi.Addresses) - 1; i >= 0; i-- { // the first of each counts
			switch a := ifi.Addresses[i].Addr(); {
			case a.Is4():
				four = a.String()
			case a.IsLinkLocalUnicast():
				six = a.String()
			}
		}
		w.line("   IPv4 address = %s", four)
		w.line("   IPv6 address = %s", six)
		if len(ifi.HardwareAddr) > 0 {
			w.line("   MAC = %v", ifi.HardwareAddr)
		}
		state := either(ifi.Flags&net.FlagUp != 0, "UP", "DOWN") + either(ifi.Flags&net.FlagRunning != 0, ", RUNNING", ", not RUNNING")
		state += either(ifi.Flags&net.FlagBroadcast != 0, "", ", no broadcast") + either(ifi.Flags&net.FlagLoopback != 0, ", loopback", "")
		w.line("   State = %s%s", state, either(ifi.Flags&net.FlagMulticast != 0, "", ", no multicast"))
		w.line("   MTU = %d", ifi.MTU)
		first := true
		for i := range s.Instances {
			in := &s.Instances[i]
			for _, t := range append(s.interfaceTracks(in, ifi.Name), s.primary(in, ifi.Name)...) {
				if first {
					w.line("   Tracking VRRP instances :")
					first = false
				}
				w.line("     %s, weight %d", in.VRRP.Name, t.Weight)
			}
		}
	}
}

// primary is the tracking of the interface that an instance speaks on.
func (s *Snapshot) primary(in *Instance, name string) []checkscript.Track {
	if in.VRRP.Interface != name || in.VRRP.DontTrackPrimary {
		return nil
	}
	return []checkscript.Track{{}}
}

func (s *Snapshot) interfaceTracks(in *Instance, name string) []checkscript.Track {
	var out []checkscript.Track
	for _, t := range s.tracks(in, checkscript.Interface) {
		if s.probe(t.Probe).Interface == name {
			out = append(out, t)
		}
	}
	return out
}

// instant is a time as seconds and in words.
func instant(t time.Time) string {
	us := t.Nanosecond() / 1000
	return fmt.Sprintf("%d.%06d (%s.%06d %d)", t.Unix(), us, t.Format("Mon Jan _2 15:04:05"), us, t.Year())
}

func either(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// quoted is a command line, each word in quotes.
func quoted(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = "'" + a + "'"
	}
	return strings.Join(words, " ")
}

func script(c *checkscript.Command) string {
	if c == nil {
		return ""
	}
	return quoted(c.Argv)
}

// password is an auth_pass without the zeros that fill it up.
func password(a packet.Auth) string { return strings.TrimRight(string(a.Data[:]), "\x00") }
