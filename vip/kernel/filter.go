package kernel

import (
	"encoding/binary"
	"fmt"
	"slices"

	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/net/bpf"
)

// Of a message of a netlink group: struct nlmsghdr with its type at 4, struct ifaddrmsg
// of 8 bytes, attributes.
const (
	nlTypeOff  = 4
	addrFlags  = 16 + 2
	addrAttrs  = 16 + 8
	attrHeader = 4
)

// hush keeps the kernel's reports of our own renewals, one for each address every
// second, from waking up Watch. Kernels that do not keep the mark, and those without
// filters for netlink, report them; heed leaves them alone then.
func hush(sock *nl.NetlinkSocket) error {
	// BPF loads big-endian numbers, netlink has native ones.
	var kind [2]byte
	binary.NativeEndian.PutUint16(kind[:], sys.MsgNewAddr)
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: nlTypeOff, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(binary.BigEndian.Uint16(kind[:])), SkipTrue: 9},
		bpf.LoadAbsolute{Off: addrFlags, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: sys.AddrPermanent, SkipTrue: 7}, // somebody has made it his
		bpf.LoadConstant{Dst: bpf.RegA, Val: addrAttrs},
		bpf.LoadConstant{Dst: bpf.RegX, Val: sys.AttrAddrProto},
		bpf.LoadExtension{Num: bpf.ExtNetlinkAttr}, // A: where it is, 0: nowhere
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 3},
		bpf.TAX{},
		bpf.LoadIndirect{Off: attrHeader, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: Protocol, SkipTrue: 1},
		bpf.RetConstant{Val: 1<<32 - 1},
		bpf.RetConstant{Val: 0},
	})
	if err == nil {
		err = sys.AttachFilter(sock.GetFd(), program)
	}
	if err != nil {
		return fmt.Errorf("filter reports of our own renewals: %w", err)
	}
	return nil
}

// heedsOurs reports whether our own additions matter: adverts may come from static
// addresses.
func (m *Manager) heedsOurs() bool {
	return slices.ContainsFunc(m.cfgs, func(c vip.Config) bool { return c.Static && len(c.Addresses) > 0 })
}
