package spec

import "baton/lb/sample"

// Balance is how a backend chooses servers: `balance`, `hash-type`, `hash-balance-factor`
// and `hash-preserve-affinity`.
type Balance struct {
	Algorithm Algorithm

	Name       string       // ByParam, ByHeader, ByRDPCookie: of what
	Len, Depth int          // ByURI; 0: no limit
	Whole      bool         // ByURI: the query too
	PathOnly   bool         // ByURI: without scheme and authority
	CheckPost  bool         // ByParam: look in the body of a POST too
	DomainOnly bool         // ByHeader: the main part of a domain name alone
	Draws      int          // Random
	Expr       *sample.Expr // ByExpr

	Consistent bool // hash-type consistent; false: map-based
	Function   HashFunction
	Avalanche  bool
	Factor     int // hash-balance-factor in percent; 0: none
	Affinity   Affinity
}

// Affinity is how far a key of a consistent hash stays with its server
// (hash-preserve-affinity).
type Affinity uint8

// The choices.
const (
	AffinityAlways   Affinity = iota // whatever its load
	AffinityMaxconn                  // as long as it is below its maxconn
	AffinityMaxqueue                 // as long as its queue is below its maxqueue
)

// Algorithm is the `balance` keyword.
type Algorithm uint8

// The algorithms. Those from SourceHash on tie a key to a server.
const (
	RoundRobin Algorithm = iota
	StaticRR
	LeastConn
	First
	Random
	SourceHash
	ByURI
	ByParam
	ByHeader
	ByRDPCookie
	ByExpr
)

var algorithmNames = [...]string{
	RoundRobin: "roundrobin", StaticRR: "static-rr", LeastConn: "leastconn", First: "first", Random: "random",
	SourceHash: "source", ByURI: "uri", ByParam: "url_param", ByHeader: "hdr", ByRDPCookie: "rdp-cookie", ByExpr: "hash",
}

func (a Algorithm) String() string { return algorithmNames[a] }

// Hashes reports whether the algorithm ties a key, such as the client's address, to a
// server.
func (a Algorithm) Hashes() bool { return a >= SourceHash }

// Static reports whether a weight that changes while the server is up, as in a slow
// start, has no effect.
func (b *Balance) Static() bool {
	return b.Algorithm == StaticRR || b.Algorithm == First || b.Algorithm.Hashes() && !b.Consistent
}

// HashFunction is the function of `hash-type`.
type HashFunction uint8

// The hash functions.
const (
	SDBM HashFunction = iota
	DJB2
	WT6
	CRC32
)

var hashNames = [...]string{SDBM: "sdbm", DJB2: "djb2", WT6: "wt6", CRC32: "crc32"}

func (f HashFunction) String() string { return hashNames[f] }
