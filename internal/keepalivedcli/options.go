package keepalivedcli

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// The names that keepalived uses when the command line gives none.
const (
	DefaultFile        = "/etc/keepalived/keepalived.conf"
	DefaultPIDFile     = "/run/keepalived.pid"
	DefaultVRRPPIDFile = "/run/vrrp.pid" // and not what keepalived(8) says
)

// Action is what the command line asks for.
type Action uint8

// The actions.
const (
	Run          Action = iota
	TestConfig          // -t
	PrintSignal         // --signum
	PrintVersion        // -v
	PrintHelp           // -h
)

// Options is what a command line says.
type Options struct {
	Action     Action
	SignalName string // PrintSignal
	TestLog    string // TestConfig: where the findings go; "": stderr

	File      string
	ConfigID  string // "": the host name
	Namespace string // "": this one

	Foreground           bool
	PIDFile, VRRPPIDFile string
	Umask                int // -1: as it is
	CoreDump             bool
	DumpConf             bool

	Console  bool
	NoSyslog bool
	Facility int // number of the syslog facility
	LogFile  string

	Notes []string // about flags that change nothing, for the log
}

// usageError is a command line that keepalived refuses with status 1.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func wrong(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// Parse reads a command line without the program's name, as getopt_long(3) does:
// flags may be joined (-nlD) and long names cut short as long as they are unique.
// What is no flag is told and passed over, as keepalived does it. --version,
// --help and --signum end the reading.
func Parse(args []string) (Options, error) {
	o := Options{File: DefaultFile, Umask: -1, Facility: facilityDaemon}
	table := flags()
	var strangers []string
	for i := 0; i < len(args); i++ {
		word := args[i]
		next := func() (string, bool) {
			if i+1 >= len(args) {
				return "", false
			}
			i++
			return args[i], true
		}
		var err error
		switch {
		case word == "--":
			strangers = append(strangers, args[i+1:]...)
			i = len(args)
		case strings.HasPrefix(word, "--"):
			err = o.long(table, word[2:], next)
		case len(word) > 1 && word[0] == '-':
			err = o.short(table, word[1:], next)
		default:
			strangers = append(strangers, word)
		}
		if err != nil {
			return o, err
		}
		if o.Action == PrintSignal || o.Action == PrintVersion || o.Action == PrintHelp {
			return o, nil
		}
	}
	if len(strangers) > 0 {
		o.Notes = append(o.Notes, "Unexpected argument(s): "+strings.Join(strangers, " "))
	}
	o.defaults()
	return o, nil
}

// defaults names the pid files. With a namespace they have a folder of their own
// (keepalived(8), NAMESPACES).
func (o *Options) defaults() {
	dir := filepath.Dir(DefaultPIDFile)
	if o.Namespace != "" {
		dir = filepath.Join(dir, "keepalived", "keepalived_"+o.Namespace)
	}
	if o.PIDFile == "" {
		o.PIDFile = filepath.Join(dir, filepath.Base(DefaultPIDFile))
	}
	if o.VRRPPIDFile == "" {
		o.VRRPPIDFile = filepath.Join(dir, filepath.Base(DefaultVRRPPIDFile))
	}
}

// long takes a word that began with two dashes.
func (o *Options) long(table []flag, word string, next func() (string, bool)) error {
	name, value, has := strings.Cut(word, "=")
	f, found := findLong(table, name)
	if !found {
		return wrong("Unknown option --%s", name)
	}
	if has && f.arg == none {
		return wrong("option --%s takes no value", f.long)
	}
	if f.arg == required && !has {
		if value, has = next(); !has {
			return wrong("Missing parameter for option --%s", f.long)
		}
	}
	return o.apply(f, "--"+f.long, value)
}

// findLong finds a name, or the one that begins so.
func findLong(table []flag, name string) (found flag, ok bool) {
	n := 0
	for _, f := range table {
		if f.long == name {
			return f, true
		}
		if name != "" && strings.HasPrefix(f.long, name) {
			found = f
			n++
		}
	}
	return found, n == 1
}

// short takes the letters behind one dash.
func (o *Options) short(table []flag, letters string, next func() (string, bool)) error {
	for letters != "" {
		c := letters[0]
		letters = letters[1:]
		i := 0
		for i < len(table) && table[i].short != c {
			i++
		}
		if i == len(table) || c == 0 {
			return wrong("Unknown option -%c", c)
		}
		f, value := table[i], ""
		if f.arg != none {
			value, letters = letters, ""
			if value == "" && f.arg == required {
				var ok bool
				if value, ok = next(); !ok {
					return wrong("Missing parameter for option -%c", c)
				}
			}
		}
		if err := o.apply(f, "-"+string(c), value); err != nil {
			return err
		}
	}
	return nil
}

// apply does what a flag says.
func (o *Options) apply(f flag, as, value string) error {
	switch {
	case f.refused != "":
		return wrong("option %s (--%s) is not supported: %s", as, f.long, f.refused)
	case f.ignored != "":
		o.Notes = append(o.Notes, fmt.Sprintf("option %s changes nothing: %s", as, f.ignored))
		return nil
	}
	return f.set(o, value)
}

// The syslog facilities that -S can name.
const (
	facilityUser   = 1
	facilityDaemon = 3
	facilityLocal0 = 16
)

// setFacility reads -S. One that it does not know is told and changes nothing, as
// with keepalived.
func setFacility(o *Options, v string) error {
	n, err := strconv.Atoi(strings.TrimPrefix(v, "local"))
	switch {
	case v == "user":
		o.Facility = facilityUser
	case v == "daemon":
		o.Facility = facilityDaemon
	case err == nil && n >= 0 && n <= 7:
		o.Facility = facilityLocal0 + n
	default:
		o.Notes = append(o.Notes, fmt.Sprintf("Invalid log facility '%s'", v))
	}
	return nil
}

func setUmask(o *Options, v string) error {
	n, err := strconv.ParseInt(v, 0, 32) // 022, 0x12, 18
	if err != nil || n < 0 || n > 0o777 {
		return wrong("Invalid --umask option '%s'", v)
	}
	o.Umask = int(n)
	return nil
}

// Absolute makes the file names independent of the working directory, which a
// daemon leaves.
func (o *Options) Absolute(dir string) {
	for _, name := range []*string{&o.File, &o.PIDFile, &o.VRRPPIDFile, &o.LogFile, &o.TestLog} {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(dir, *name)
		}
	}
}

// VRRPLogFile is where the log goes with -g: keepalived's VRRP process puts _vrrp
// before the last dot of the name.
func (o *Options) VRRPLogFile() string {
	if o.LogFile == "" {
		return ""
	}
	ext := filepath.Ext(o.LogFile)
	return strings.TrimSuffix(o.LogFile, ext) + "_vrrp" + ext
}
