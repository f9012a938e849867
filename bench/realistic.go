package main

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

//go:embed testdata/realistic.cfg
var realisticConf string

// mapSize is how many hosts the map of realistic.cfg has.
const mapSize = 10_000

// hostsMap is that map: each host's backend.
func hostsMap() string {
	var b strings.Builder
	for i := range mapSize {
		fmt.Fprintf(&b, "www%d.example site%d\n", i, i%2)
	}
	return b.String()
}

// realisticHeaders are those of a browser that has come before.
var realisticHeaders = []string{
	"Host: WWW4711.example", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Accept: text/html,application/xhtml+xml",
	"Accept-Language: en-GB,en;q=0.5", "Accept-Encoding: gzip, deflate", "Cookie: SESSION=c0ffee; SRV=b; theme=dark",
}

// startRealistic starts baton and haproxy with the realistic file, and what drains
// its log, away from the proxies' core.
func (st *stage) startRealistic(baton string) error {
	cfg := filepath.Join(st.dir, "realistic.cfg")
	for path, text := range map[string]string{cfg: realisticConf, filepath.Join(st.dir, "hosts.map"): hostsMap()} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	socket := filepath.Join(st.dir, "log.sock")
	if st.drain, err = st.start(loadCore, nil, self, "-drain", socket); err != nil {
		return err
	}
	if err := awaitFile(socket); err != nil {
		return fmt.Errorf("nobody reads the log: %w\n%s", err, st.log(st.drain))
	}
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	st.realistic = []*proxy{
		{name: "baton", http: ports[0], version: st.proxies[0].version},
		{name: "haproxy", http: ports[1], version: st.proxies[1].version},
	}
	return st.startProxies(st.realistic, [][]string{
		{baton, "run", "-f", cfg, "--socket", filepath.Join(st.dir, "realistic.sock")},
		{"haproxy", "-db", "-f", cfg},
	})
}

// drain reads log lines until it is killed.
func drain(socket string) error {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	buf := make([]byte, 64<<10)
	for {
		if _, err := c.Read(buf); err != nil {
			return err
		}
	}
}
