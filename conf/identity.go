package conf

// The HAProxy that baton stands in for: conditional blocks, `haproxy -cc` and
// `haproxy -vv` all answer from here.
const (
	HAProxyVersion = "3.4.0"
	haproxyBranch  = "3.4"
)

// Feature is one build option of HAProxy's, as `feature(NAME)` knows it.
type Feature struct {
	Name    string
	Present bool
}

// Features lists HAProxy's build options. One is present when a file that asks
// for it gets what it promises: not OPENSSL as long as there is no TLS, and not
// PCRE2, because regular expressions are Go's (RE2), without look-around and
// back-references.
func Features() []Feature {
	return []Feature{
		{"51DEGREES", false},
		{"ACCEPT4", true},
		{"BACKTRACE", true},
		{"CPU_AFFINITY", false},
		{"CRYPT_H", false},
		{"DEVICEATLAS", false},
		{"DL", false},
		{"ENGINE", false},
		{"EPOLL", true},
		{"EVPORTS", false},
		{"GETADDRINFO", true},
		{"KQUEUE", false},
		{"LIBCRYPT", false},
		{"LINUX_CAP", false},
		{"LINUX_SPLICE", true},
		{"LINUX_TPROXY", true},
		{"LUA", false},
		{"MATH", true},
		{"NETFILTER", false},
		{"NS", false},
		{"OPENSSL", false},
		{"OT", false},
		{"PCRE", false},
		{"PCRE2", false},
		{"PCRE2_JIT", false},
		{"PCRE_JIT", false},
		{"POLL", false},
		{"PRCTL", true},
		{"PROCCTL", false},
		{"PROMEX", false},
		{"QUIC", false},
		{"RT", true},
		{"SLZ", false},
		{"SSL", false},
		{"STATIC_PCRE", false},
		{"STATIC_PCRE2", false},
		{"SYSTEMD", true},
		{"TFO", false},
		{"THREAD", true},
		{"THREAD_DUMP", false},
		{"TPROXY", true},
		{"WURFL", false},
		{"ZLIB", false},
	}
}

// runtimeOptions are what `enabled(NAME)` knows, with their values: how baton
// works, which no flag changes.
var runtimeOptions = map[string]bool{
	"EPOLL":                  true,
	"EVPORTS":                false,
	"FAST-FORWARD":           true,
	"GETADDRINFO":            true,
	"KQUEUE":                 false,
	"POLL":                   false,
	"REUSEPORT":              true,
	"SERVER-SSL-VERIFY-NONE": false,
	"SPLICE":                 true,
}
