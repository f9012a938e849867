package haproxycli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Options is a command line of haproxy's.
type Options struct {
	Files []string // -f, and what follows --
	Dir   string   // -C

	Check     bool    // -c
	Condition *string // -cc
	Version   int     // -v: 1, -vv: 2
	Libraries bool    // -dL

	Quiet   bool // -q
	Verbose bool // -V

	Daemon       bool // -D
	Foreground   bool // -db, -d
	MasterWorker bool // -W, -Ws
	Notify       bool // -Ws

	PIDFile      string // -p
	LocalPeer    string // -L
	Maxconn      int    // -n; 0: as the files say
	ProxyMaxconn int    // -N
	Megabytes    int    // -m

	Finish    []int // -sf: end these when their connections have
	Terminate []int // -st: end these at once

	ZeroWarning bool // -dW
	Diagnostic  bool // -dD
	AnyAddress  bool // -dr: servers whose names do not resolve are no error

	OldSocket string // -x: a stats socket of an old process, which has listening sockets to give

	// Notes say what of the command line has no effect though it might be missed.
	Notes []string
}

// ErrUsage asks for the list of flags: instead of a message, or behind the one that wraps it.
var ErrUsage = errors.New("see the list of options")

// harmless are the flags that choose among ways to do the same: baton has one.
// A debugging aid is none of them.
var harmless = map[string]bool{
	"-dG": true, // no getaddrinfo
	"-dR": true, // no SO_REUSEPORT
	"-dS": true, // no splice
	"-dF": true, // no fast-forward
	"-dZ": true, // no zero-copy forwarding
	"-dV": true, // no TLS verification: there is no TLS to servers
	"-dI": true, // forking allowed
	"-de": true, // no epoll
	"-dk": true, // no kqueue
	"-dp": true, // no poll
	"-dv": true, // no event ports
	"-dc": true, // no CPU affinity
}

// Parse reads the words behind the program's name.
func Parse(args []string) (*Options, error) {
	o := &Options{}
	p := parser{o: o, args: args}
	for len(p.args) > 0 {
		flag := p.args[0]
		p.args = p.args[1:]
		if err := p.flag(flag); err != nil {
			return nil, err
		}
	}
	if len(o.Files) == 0 && o.Version == 0 && o.Condition == nil {
		return nil, ErrUsage
	}
	return o, nil
}

// parser walks a command line.
type parser struct {
	o    *Options
	args []string
}

func (p *parser) flag(flag string) (err error) {
	o := p.o
	switch flag {
	case "-f":
		var file string
		file, err = p.word(flag)
		o.Files = append(o.Files, file)
	case "--":
		o.Files = append(o.Files, p.args...)
		p.args = nil
	case "-C":
		o.Dir, err = p.value(flag)
	case "-c":
		o.Check = true
	case "-cc":
		var text string
		text, err = p.word(flag)
		o.Condition = &text
	case "-v":
		o.Version, p.args = 1, nil // nothing behind it counts
	case "-vv":
		o.Version, p.args = 2, nil
	case "-dL":
		o.Libraries = true
	case "-q":
		o.Quiet, o.Verbose = true, false
	case "-V":
		o.Verbose, o.Quiet = true, false
	case "-D":
		o.Daemon = true
	case "-d", "-db":
		o.Foreground = true
	case "-W":
		o.MasterWorker = true
	case "-Ws":
		o.MasterWorker, o.Notify = true, true
	case "-p":
		o.PIDFile, err = p.value(flag)
	case "-L":
		o.LocalPeer, err = p.value(flag)
	case "-n":
		o.Maxconn, err = p.number(flag)
	case "-N":
		o.ProxyMaxconn, err = p.number(flag)
	case "-m":
		o.Megabytes, err = p.number(flag)
	case "-sf":
		o.Finish, err = p.pids(flag)
	case "-st":
		o.Terminate, err = p.pids(flag)
	case "-dW":
		o.ZeroWarning = true
	case "-dD":
		o.Diagnostic = true
	case "-dr":
		o.AnyAddress = true
	case "-S":
		var bind string
		bind, err = p.value(flag)
		o.Notes = append(o.Notes, fmt.Sprintf("-S %s: there is no master CLI yet, nobody listens there", bind))
	case "-x":
		o.OldSocket, err = p.value(flag)
	default:
		return p.other(flag)
	}
	return err
}

// other takes the flags that change nothing and refuses the rest.
func (p *parser) other(flag string) error {
	switch {
	case harmless[flag], strings.HasPrefix(flag, "-dM"):
		return nil
	case strings.HasPrefix(flag, "-dC"), strings.HasPrefix(flag, "-dK"), strings.HasPrefix(flag, "-dt"):
		return fmt.Errorf("option %s is known, not supported yet", flag)
	}
	return ErrUsage
}

// word takes the next word, whatever it is: files and conditions may begin with a dash.
func (p *parser) word(flag string) (string, error) {
	if len(p.args) == 0 {
		return "", fmt.Errorf("option %s: its value is missing", flag)
	}
	v := p.args[0]
	p.args = p.args[1:]
	return v, nil
}

// value takes the next word, which must not be a flag: `-p -c -f FILE` has lost the value
// of -p, and would start what it was to check.
func (p *parser) value(flag string) (string, error) {
	v, err := p.word(flag)
	if err == nil && strings.HasPrefix(v, "-") {
		return "", fmt.Errorf("option %s: its value is missing before %s: %w", flag, v, ErrUsage)
	}
	return v, err
}

func (p *parser) number(flag string) (int, error) {
	text, err := p.value(flag)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("option %s: '%s' is no number", flag, text)
	}
	return n, nil
}

// pids takes numbers up to the next flag; none at all is right too, when they come
// from a command that found no process.
func (p *parser) pids(flag string) ([]int, error) {
	var list []int
	for len(p.args) > 0 && !strings.HasPrefix(p.args[0], "-") {
		// $(cat pidfile) in quotes is one word.
		for word := range strings.FieldsSeq(p.args[0]) {
			n, err := strconv.Atoi(word)
			if err != nil || n <= 0 {
				return nil, fmt.Errorf("option %s: '%s' is no process number", flag, word)
			}
			list = append(list, n)
		}
		p.args = p.args[1:]
	}
	return list, nil
}
