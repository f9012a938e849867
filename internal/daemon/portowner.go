package daemon

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"baton/internal/sys"
	"baton/lb/spec"
)

// listener is one listening socket.
type listener struct {
	addr  netip.AddrPort
	inode string
}

// listeners lists the sockets that listen, in TCP. Where the kernel has no sock_diag,
// which it may load as a module, /proc tells, slowly: it goes through all connections.
func listeners() []listener {
	if sockets, err := sys.ListeningSockets(); err == nil {
		var out []listener
		for _, s := range sockets {
			out = append(out, listener{s.Addr, strconv.FormatUint(uint64(s.Inode), 10)})
		}
		return out
	}
	return procListeners()
}

func procListeners() []listener {
	var out []listener
	for _, file := range []string{"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"} {
		if text, err := os.ReadFile(file); err == nil {
			out = append(out, parseListeners(string(text))...)
		}
	}
	return out
}

// occupied reports whether somebody among those who listen listens already where b wants to, and
// who. It is asked before binding, because SO_REUSEPORT would let two processes of
// one user share the port in silence, each with a part of the clients.
func occupied(b spec.Bind, present []listener) (owner string, yes bool) {
	for _, l := range present {
		if overlap(b, l.addr) {
			return ownerOf(l.inode), true
		}
	}
	return "", false
}

// overlap reports whether the kernel would call a bind on an address that is in
// use. An IPv6 wildcard socket of somebody else may or may not take IPv4 too,
// which /proc does not tell; it counts as IPv6 only.
func overlap(b spec.Bind, used netip.AddrPort) bool {
	if b.Addr.Port() != used.Port() {
		return false
	}
	want, have := b.Addr.Addr().Unmap(), used.Addr().Unmap()
	if want.Is4() != have.Is4() {
		return b.V4V6 && have.Is4()
	}
	return want == have || want.IsUnspecified() || have.IsUnspecified()
}

// stateListen is TCP_LISTEN in /proc/net/tcp.
const stateListen = "0A"

// parseListeners reads the listening sockets of a /proc/net/tcp file.
func parseListeners(text string) []listener {
	var out []listener
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != stateListen {
			continue
		}
		if addr, ok := parseProcAddr(f[1]); ok {
			out = append(out, listener{addr, f[9]})
		}
	}
	return out
}

// parseProcAddr reads "0100007F:1F90": 32-bit words in host order (little endian
// on all that Go and we run on), then the port.
func parseProcAddr(s string) (netip.AddrPort, bool) {
	host, portText, ok := strings.Cut(s, ":")
	port, err := strconv.ParseUint(portText, 16, 16)
	raw, hexErr := hex.DecodeString(host)
	if !ok || err != nil || hexErr != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
	}
	addr, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), ok
}

// ownerOf finds the process that holds a socket. It needs root for other users'
// processes; "" when it cannot tell.
func ownerOf(inode string) string {
	want := "socket:[" + inode + "]"
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err != nil || target != want {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		comm, _ := os.ReadFile("/proc/" + pid + "/comm")
		return fmt.Sprintf("%s, pid %s", strings.TrimSpace(string(comm)), pid)
	}
	return ""
}
