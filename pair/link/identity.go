package link

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"baton/pair"
)

// Identity is a node's key and the certificate made of it.
type Identity struct {
	ID   pair.ID
	cert tls.Certificate
}

// Peer is a pinned key.
type Peer struct {
	ID   pair.ID
	Node string // its name when it was paired
}

// FormatID is how an ID is shown and stored.
func FormatID(id pair.ID) string { return "sha256:" + hex.EncodeToString(id[:]) }

// ParseID reads what FormatID wrote.
func ParseID(s string) (id pair.ID, err error) {
	digits, ok := strings.CutPrefix(s, "sha256:")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != len(id) {
		return id, fmt.Errorf("%q is no key of a node: it must be sha256: and 64 hexadecimal digits", s)
	}
	copy(id[:], b)
	return id, nil
}

const keyType = "PRIVATE KEY"

// Create makes a key at path unless there is one, and loads it.
func Create(path string) (id *Identity, made bool, err error) {
	id, err = Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return id, false, err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, false, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, false, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: keyType, Bytes: der})
	if err := write(path, text, 0o640); err != nil {
		return nil, false, fmt.Errorf("make key: %w", err)
	}
	id, err = Load(path)
	return id, true, err
}

// Load reads a key. One that anybody may read is refused.
func Load(path string) (*Identity, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key of this node: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("key of this node: %s may be read by everybody (mode %#o): chmod o-rwx it, and pair again if somebody might have", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key of this node: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != keyType {
		return nil, fmt.Errorf("key of this node: %s holds no PEM block %q", path, keyType)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key of this node: %s: %w", path, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key of this node: %s holds a %T, not an ed25519 key", path, parsed)
	}
	return newIdentity(key)
}

// newIdentity makes the certificate. Its dates span all of time: the key is what
// is pinned, and two nodes whose clocks differ must still know each other.
func newIdentity(key ed25519.PrivateKey) (*Identity, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "baton"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate of this node: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate of this node: %w", err)
	}
	return &Identity{ID: idOf(cert), cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}}, nil
}

// idOf is the ID of whoever proves to have a certificate's key.
func idOf(c *x509.Certificate) pair.ID { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// SavePeer pins the peer's key.
func SavePeer(path string, p Peer) error {
	return write(path, []byte(FormatID(p.ID)+" "+p.Node+"\n"), 0o644)
}

// LoadPeer reads the pinned key.
func LoadPeer(path string) (p Peer, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return p, fmt.Errorf("key of the peer: %w", err)
	}
	id, node, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if p.ID, err = ParseID(id); err != nil {
		return p, fmt.Errorf("key of the peer: %s: %w", path, err)
	}
	p.Node = node
	return p, nil
}

// shareWithFolder gives a file that root makes to the group of its folder.
func shareWithFolder(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	folder, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s has no owner", filepath.Dir(f.Name()))
	}
	return f.Chown(-1, int(folder.Gid))
}

// write makes a file whole or not at all. What root writes belongs to the group of
// its folder, so that the daemon's user can read it there.
func write(path string, text []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), shareWithFolder(f), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
