package keepalivedcli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	defaults := func(change func(*Options)) Options {
		o := Options{File: DefaultFile, PIDFile: DefaultPIDFile, VRRPPIDFile: DefaultVRRPPIDFile, Umask: -1, Facility: facilityDaemon}
		change(&o)
		return o
	}
	for _, c := range []struct {
		args string
		want Options
	}{
		{"", defaults(func(*Options) {})},
		{"-nlDf x.conf", defaults(func(o *Options) { o.Foreground, o.Console, o.File = true, true, "x.conf" })},
		{"--dont-fork --use-file=x.conf", defaults(func(o *Options) { o.Foreground, o.File = true, "x.conf" })},
		{"--use-file x.conf --dont-f", defaults(func(o *Options) { o.Foreground, o.File = true, "x.conf" })},
		{"-t -f x.conf", defaults(func(o *Options) { o.Action, o.File = TestConfig, "x.conf" })},
		{"-tlog -fx.conf", defaults(func(o *Options) { o.Action, o.File, o.TestLog = TestConfig, "x.conf", "log" })},
		{"--config-test=log", defaults(func(o *Options) { o.Action, o.TestLog = TestConfig, "log" })},
		{"-S 3 -G -g /l/k.log", defaults(func(o *Options) { o.Facility, o.NoSyslog, o.LogFile = 19, true, "/l/k.log" })},
		{"-S local7", defaults(func(o *Options) { o.Facility = 23 })},
		{"-S 9", defaults(func(o *Options) { o.Notes = []string{"Invalid log facility '9'"} })},
		{"-p a -r b -c c -b d", defaults(func(o *Options) { o.PIDFile, o.VRRPPIDFile = "a", "b" })},
		{"-u 022 -m -d -i lb1", defaults(func(o *Options) { o.Umask, o.CoreDump, o.DumpConf, o.ConfigID = 18, true, true, "lb1" })},
		{"-PBXIRe --all", defaults(func(o *Options) {
			o.Notes = []string{"option --all changes nothing: there is no other subsystem than VRRP"}
		})},
		{"x -n y", defaults(func(o *Options) { o.Foreground, o.Notes = true, []string{"Unexpected argument(s): x y"} })},
		{"-s red", defaults(func(o *Options) {
			o.Namespace = "red"
			o.PIDFile, o.VRRPPIDFile = "/run/keepalived/keepalived_red/keepalived.pid", "/run/keepalived/keepalived_red/vrrp.pid"
		})},
	} {
		got, err := Parse(strings.Fields(c.args))
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
		} else if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.args, d)
		}
	}
}

func TestParseEndsEarly(t *testing.T) {
	for args, want := range map[string]Action{"-v --nonsense": PrintVersion, "-nh -y": PrintHelp, "--signum=JSON -y": PrintSignal, "--signum STOP": PrintSignal, "--vers": PrintVersion} {
		if o, err := Parse(strings.Fields(args)); err != nil || o.Action != want {
			t.Errorf("%s: action %d, %v; want %d", args, o.Action, err, want)
		}
	}
}

// The words are keepalived's, the status is in exit.go.
func TestParseRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"--nonsense": "Unknown option --nonsense",
		"-y":         "Unknown option -y",
		"-nlz":       "Unknown option -z",
		"--v":        "Unknown option --v", // vrrp, vrrp_pid, version
		"-f":         "Missing parameter for option -f",
		"--pid":      "Missing parameter for option --pid",
		"-V":         "option -V (--dont-release-vrrp) is not supported",
		"-n -C":      "option -C (--check) is not supported",
		"-x":         "option -x (--snmp) is not supported",
		"--debug=D":  "option --debug (--debug) is not supported",
		"-u 8":       "",
		"-u 9999999": "Invalid --umask option '9999999'",
		"--vrrp=1":   "option --vrrp takes no value",
	} {
		_, err := Parse(strings.Fields(args))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", args, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

// Every flag of keepalived(8) of 2.2.7 is there, and can be told apart.
func TestFlagsAreComplete(t *testing.T) {
	short := map[byte]bool{}
	for _, f := range flags() {
		if f.short != 0 && short[f.short] {
			t.Errorf("-%c stands twice", f.short)
		}
		short[f.short] = true
		ways := 0
		for _, is := range []bool{f.set != nil, f.ignored != "", f.refused != ""} {
			if is {
				ways++
			}
		}
		if ways != 1 || f.help == "" {
			t.Errorf("--%s is done, ignored or refused in %d ways", f.long, ways)
		}
	}
	for _, c := range []byte("fPCBlDSgGXVIRndprTcabseixAumMtvh") {
		if !short[c] {
			t.Errorf("-%c is missing", c)
		}
	}
}

func TestLogFileName(t *testing.T) {
	for name, want := range map[string]string{"": "", "/var/log/k.log": "/var/log/k_vrrp.log", "k": "k_vrrp"} {
		o := Options{LogFile: name}
		if got := o.VRRPLogFile(); got != want {
			t.Errorf("-g %s: %s, want %s", name, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"-nlDf x", "--signum=JSON", "-t", "--", "-", "--=x", "-u 07"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		_, _ = Parse(strings.Split(s, " "))
	})
}
