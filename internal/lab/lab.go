package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The virtual IP and its network: TEST-NET-1 (RFC 5737), which no real host has.
const (
	vip        = "192.0.2.100"
	prefixBits = 24
)

// DefaultName is the lab's name unless told otherwise.
const DefaultName = "baton"

// role is what runs on a host.
type role int

const (
	node   role = iota // baton run
	web                // baton lab web
	names              // baton lab nameserver
	client             // what the user starts there
)

type host struct {
	name string // as the user says it
	addr string // on eth0
	role role
}

// hosts are the members of the lab, in the order in which they are started.
func hosts() []host {
	return []host{
		{nameServer, "192.0.2.53", names},
		{"web1", "192.0.2.21", web},
		{"web2", "192.0.2.22", web},
		{"web3", "192.0.2.23", web},
		{"lb1", "192.0.2.11", node},
		{"lb2", "192.0.2.12", node},
		{"client", "192.0.2.50", client},
	}
}

// nameServer is the host of the name server.
const nameServer = "dns"

// switchName is the namespace of the bridge.
const switchName = "switch"

// Lab is a lab on this host, there or not.
type Lab struct {
	name string // its namespaces are NAME-lb1, NAME-web1, ...
	dir  string // files, logs and status sockets
	ip   string // the program
	exe  string // this binary
}

// Open checks that a lab can be worked with at all here: root, and `ip`.
func Open(name string) (*Lab, error) {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`).MatchString(name) {
		return nil, fmt.Errorf("%q cannot name a lab: small letters, digits and - only", name)
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("the lab makes network namespaces, and only root may do that\ntry: sudo %s", strings.Join(os.Args, " "))
	}
	ip, err := findIP()
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's file: %w", err)
	}
	return &Lab{name: name, dir: "/run/" + name + "-lab", ip: ip, exe: exe}, nil
}

// findIP also looks where `ip` is when sbin is not on the PATH.
func findIP() (string, error) {
	for _, name := range []string{"ip", "/usr/sbin/ip", "/sbin/ip"} {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", errors.New("the program `ip` is missing; it makes the lab's network namespaces\n" +
		"Debian, Ubuntu: apt-get install iproute2\nFedora, RHEL:   dnf install iproute")
}

// find returns a host by its name.
func find(name string) (host, error) {
	all := hosts()
	i := slices.IndexFunc(all, func(h host) bool { return h.name == name })
	if i < 0 {
		names := make([]string, len(all))
		for i, h := range all {
			names[i] = h.name
		}
		return host{}, fmt.Errorf("the lab has no host %q; it has %s", name, strings.Join(names, ", "))
	}
	return all[i], nil
}

func nodes() []host {
	return slices.DeleteFunc(hosts(), func(h host) bool { return h.role != node })
}

// namespace is a host's network namespace, as for `ip netns exec`.
func (l *Lab) namespace(h string) string { return l.name + "-" + h }

// path is a file of a host, or of the lab (h empty).
func (l *Lab) path(h string, file ...string) string {
	return filepath.Join(append([]string{l.dir, h}, file...)...)
}

func (l *Lab) socket(h string) string { return l.path(h, "baton.sock") }

// verb is a command line of the lab's, for messages.
func (l *Lab) verb(words string) string {
	if l.name != DefaultName {
		return "baton lab --name " + l.name + " " + words
	}
	return "baton lab " + words
}
