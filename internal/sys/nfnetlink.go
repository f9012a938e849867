package sys

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Numbers of nf_tables' netlink messages (linux/netfilter/nf_tables.h).
const (
	NftNewTable = unix.NFT_MSG_NEWTABLE
	NftGetTable = unix.NFT_MSG_GETTABLE
	NftDelTable = unix.NFT_MSG_DELTABLE
	NftNewChain = unix.NFT_MSG_NEWCHAIN
	NftNewRule  = unix.NFT_MSG_NEWRULE

	nftSubsystem = unix.NFNL_SUBSYS_NFTABLES
	nftPatience  = 2 // seconds; the kernel answers before the request returns
)

// NftMessage is one message of a transaction; Attrs are its attributes, encoded.
type NftMessage struct {
	Type   uint16
	Create bool
	Family uint8 // NFPROTO_*
	Attrs  []byte
}

// NftTransaction has the kernel carry out messages all or not at all, in the calling
// thread's network namespace. The error is that of the first message that failed, an
// Errno inside.
func NftTransaction(msgs []NftMessage) error {
	var b []byte
	b = appendNft(b, unix.NFNL_MSG_BATCH_BEGIN, 0, 0, unix.AF_UNSPEC, nil)
	for i, m := range msgs {
		flags := uint16(0)
		if m.Create {
			flags = unix.NLM_F_CREATE | unix.NLM_F_APPEND
		}
		if i == len(msgs)-1 {
			flags |= unix.NLM_F_ACK // an error is told without being asked for
		}
		b = appendNft(b, nftSubsystem<<8|m.Type, flags, uint32(i+1), m.Family, m.Attrs)
	}
	b = appendNft(b, unix.NFNL_MSG_BATCH_END, 0, uint32(len(msgs)+1), unix.AF_UNSPEC, nil)
	answer, err := nftAsk(b)
	if err != nil {
		return err
	}
	return nftAnswer(answer)
}

// NftFind asks for one object and returns nil when it is there, an Errno inside the
// error when not. Even a transaction that fails has the kernel wait for all processors,
// ten milliseconds and more; this has not.
func NftFind(m NftMessage) error {
	answer, err := nftAsk(appendNft(nil, nftSubsystem<<8|m.Type, 0, 1, m.Family, m.Attrs))
	if err != nil {
		return err
	}
	if len(answer) >= unix.SizeofNlMsghdr && binary.NativeEndian.Uint16(answer[4:])>>8 == nftSubsystem {
		return nil
	}
	return nftAnswer(answer)
}

// nftAsk sends messages and returns the first answer.
func nftAsk(b []byte) ([]byte, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("open netfilter netlink: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: nftPatience}); err != nil {
		return nil, fmt.Errorf("set timeout of netfilter netlink: %w", err)
	}
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("send to netfilter: %w", err)
	}
	answer := make([]byte, 65536)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return nil, fmt.Errorf("receive from netfilter: %w", err)
	}
	return answer[:n], nil
}

// appendNft appends a message: struct nlmsghdr, struct nfgenmsg, attributes.
func appendNft(b []byte, kind, flags uint16, seq uint32, family uint8, attrs []byte) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(unix.SizeofNlMsghdr+4+len(attrs)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0) // port: the kernel
	b = append(b, family, 0)
	b = binary.BigEndian.AppendUint16(b, nftSubsystem) // res_id, of the batch's ends
	return append(b, attrs...)
}

// nftAnswer reads the first answer: all went well, or the first error.
func nftAnswer(b []byte) error {
	if len(b) < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(b[4:]) != unix.NLMSG_ERROR {
		return errors.New("receive from netfilter: no answer to the request")
	}
	if code := int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
