package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"
	"time"
)

// Two frames as the capture file has them: an advert of 10.77.0.11 for router 51 and the
// announcement of 10.78.0.51.
func TestReadPcap(t *testing.T) {
	advert, _ := hex.DecodeString("01005e000012" + "020000000011" + "0800" +
		"45c0002000000000ff7000000a4d000be0000012" + "313396010001d3c50a4e0033")
	arp, _ := hex.DecodeString("ffffffffffff" + "020000000011" + "0806" + "0001080006040001" + "020000000011" + "0a4e0033" + "ffffffffffff" + "0a4e0033")
	var file bytes.Buffer
	head := make([]byte, 24)
	binary.LittleEndian.PutUint32(head, 0xa1b2c3d4)
	file.Write(head)
	for i, data := range [][]byte{advert, arp} {
		for _, n := range []int{1000, 10000 * i, len(data), len(data)} {
			_ = binary.Write(&file, binary.LittleEndian, uint32(n))
		}
		file.Write(data)
	}
	frames, err := readPcap(bytes.NewReader(file.Bytes()))
	if err != nil || len(frames) != 2 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	if node, id, priority, ok := frames[0].advert(); node != 11 || id != 51 || priority != 150 || !ok {
		t.Errorf("the advert is of node %d for router %d with priority %d, %v", node, id, priority, ok)
	}
	if _, _, _, ok := frames[1].advert(); ok {
		t.Error("ARP is taken for an advert")
	}
	if a, ok := frames[1].announces(); a != netip.MustParseAddr("10.78.0.51") || !ok {
		t.Errorf("announced is %v, %v", a, ok)
	}
	if d := frames[1].at.Sub(frames[0].at); d != 10*time.Millisecond {
		t.Errorf("%v apart", d)
	}
	if _, err := readPcap(bytes.NewReader(file.Bytes()[:60])); err == nil {
		t.Error("half a file is no error")
	}
}

func TestSpacings(t *testing.T) {
	at := time.Unix(1000, 0)
	advert := func(node byte, after time.Duration) frame {
		at = at.Add(after)
		d := make([]byte, 14+20+8)
		d[12], d[14], d[14+9], d[14+15], d[34], d[35] = 8, 0x45, 112, node, 0x31, 51
		return frame{at, d}
	}
	s := spacings([]frame{advert(11, 0), advert(11, 10*time.Millisecond), advert(12, 40*time.Millisecond), advert(11, time.Millisecond)}, 51)
	if s.n != 4 || s.changes != 2 || s.quantile(1) != 40*time.Millisecond || s.quantile(0.5) != 10*time.Millisecond {
		t.Errorf("got %+v", s)
	}
}
