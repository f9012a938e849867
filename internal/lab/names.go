package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"baton/internal/dnsd"
)

// zoneFile is what the name server answers from, on its host, in the form of hosts(5).
const zoneFile = "hosts"

// noAddress stands in `lab dns NAME none` for a name that is no more.
const noAddress = "none"

// firstZone has a name for each web server.
func firstZone() []byte {
	var b []byte
	for _, h := range hosts() {
		if h.role == web {
			b = fmt.Appendf(b, "%s %s.lab\n", h.addr, h.name)
		}
	}
	return b
}

// NameServer answers on addr from a file in the form of hosts(5) until ctx ends, and
// reads it anew whenever again says so. It writes one line to ready when it listens.
func NameServer(ctx context.Context, addr, file string, ready io.Writer, again <-chan os.Signal) error {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("name server: %w", err)
	}
	zone, err := readZone(file)
	if err != nil {
		return err
	}
	s, err := dnsd.Listen(at)
	if err != nil {
		return fmt.Errorf("name server: %w", err)
	}
	defer s.Close()
	s.Set(zone)
	if _, err := fmt.Fprintf(ready, "the name server listens on %v\n", at); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again:
			if zone, err = readZone(file); err != nil {
				return err
			}
			s.Set(zone)
		}
	}
}

func readZone(file string) (dnsd.Zone, error) {
	z := dnsd.Zone{Addrs: make(map[string][]netip.Addr)}
	text, err := os.ReadFile(file)
	if err != nil {
		return z, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		addr, err := netip.ParseAddr(f[0])
		if err != nil {
			return z, fmt.Errorf("%s: %w", file, err)
		}
		for _, name := range f[1:] {
			z.Addrs[name] = append(z.Addrs[name], addr)
		}
	}
	return z, nil
}

// Names prints what the lab's name server answers.
func (l *Lab) Names(out io.Writer) error {
	if err := l.mustBeThere(); err != nil {
		return err
	}
	text, err := os.ReadFile(l.path(nameServer, zoneFile))
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// SetName gives a name other addresses: hosts of the lab, addresses, or none.
func (l *Lab) SetName(name string, addrs []string, out io.Writer) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	h, err := l.host(nameServer)
	if err != nil {
		return err
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	var lines []string
	for _, a := range addrs {
		if a == noAddress && len(addrs) == 1 {
			break
		}
		if host, err := find(a); err == nil {
			a = host.addr
		}
		ip, err := netip.ParseAddr(a)
		if err != nil {
			return fmt.Errorf("%q is no address, no host of the lab, and not %s alone", a, noAddress)
		}
		lines = append(lines, ip.String()+" "+name+"\n")
	}
	file := l.path(nameServer, zoneFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(slices.Collect(strings.Lines(string(text))), func(line string) bool {
		f := strings.Fields(line)
		return len(f) > 1 && f[1] == name
	})
	pid, err := l.find(h)
	if err != nil {
		return err
	}
	if pid == 0 {
		return errors.New("the name server is not running; start it: " + l.verb("start "+nameServer))
	}
	// A new file in place of the old one: the server may be reading it.
	if err := os.WriteFile(file+".new", []byte(strings.Join(append(kept, lines...), "")), 0o644); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		return fmt.Errorf("tell the name server: %w", err)
	}
	fmt.Fprintf(out, "%s is %s now; the nodes ask every second\n", name, strings.Join(addrs, ", "))
	return nil
}
