package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// capture is a running dumpcap on the host that watches.
type capture struct {
	cmd  *exec.Cmd
	file string
}

// capture starts to record adverts and ARP, and returns when it does.
func (st *stage) capture() (*capture, error) {
	c := &capture{file: filepath.Join(st.dir, "capture.pcap")}
	_ = os.Remove(c.file) // of the last scenario
	var err error
	// Large buffers: the host is to be busy. The second interface is on the same bridge, so one is enough.
	c.cmd, err = st.start("watch", "dumpcap", "dumpcap", "-q", "-P", "-B", "64", "-i", "eth0", "-f", "ip proto 112 or arp", "-w", c.file)
	if err != nil {
		return nil, err
	}
	return c, await("dumpcap writes its file", func() bool {
		info, err := os.Stat(c.file)
		return err == nil && info.Size() > 0
	})
}

// frame is a captured frame.
type frame struct {
	at   time.Time
	data []byte
}

// stop ends the recording and returns what was recorded.
func (c *capture) stop() ([]frame, error) {
	_ = c.cmd.Process.Signal(syscall.SIGINT)
	if err := c.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("dumpcap: %w", err)
	}
	f, err := os.Open(c.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readPcap(bufio.NewReader(f))
}

// readPcap reads a capture file in the classic format (pcap-savefile(5)) with
// microseconds, written by a little-endian machine.
func readPcap(r io.Reader) ([]frame, error) {
	var head [24]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("capture file: %w", err)
	}
	if m := binary.LittleEndian.Uint32(head[:]); m != 0xa1b2c3d4 {
		return nil, fmt.Errorf("capture file: unknown magic number %#x", m)
	}
	var all []frame
	for {
		var rec [16]byte
		if _, err := io.ReadFull(r, rec[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			return nil, fmt.Errorf("capture file: %w", err)
		}
		at := time.Unix(int64(binary.LittleEndian.Uint32(rec[:])), int64(binary.LittleEndian.Uint32(rec[4:]))*1000)
		data := make([]byte, min(binary.LittleEndian.Uint32(rec[8:]), 1<<16))
		if _, err := io.ReadFull(r, data); err != nil {
			return nil, fmt.Errorf("capture file: %w", err)
		}
		all = append(all, frame{at, data})
	}
}

// advert returns who sent an advert, by the last byte of the address, and for which router.
func (f frame) advert() (node, vrid, priority byte, ok bool) {
	const ether, proto = 14, 112
	d := f.data
	if len(d) < ether+20 || d[12] != 8 || d[13] != 0 || d[ether+9] != proto {
		return 0, 0, 0, false
	}
	body := d[ether+int(d[ether]&15)*4:]
	if len(body) < 3 {
		return 0, 0, 0, false
	}
	return d[ether+15], body[1], body[2], true
}

// announces returns the address that a gratuitous ARP frame announces.
func (f frame) announces() (netip.Addr, bool) {
	const ether = 14
	d := f.data
	if len(d) < ether+28 || d[12] != 8 || d[13] != 6 {
		return netip.Addr{}, false
	}
	sender, target := [4]byte(d[ether+14:ether+18]), [4]byte(d[ether+24:ether+28])
	return netip.AddrFrom4(sender), sender == target
}
