package hash

import "testing"

// The figures are HAProxy 2.6.12's; more of them, for all lengths, are among the cases of
// lb/sample.
func TestHashes(t *testing.T) {
	abc := []byte("abc")
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"sdbm", uint64(SDBM(abc)), 807794786},
		{"sdbm avalanche", uint64(Avalanche(SDBM(abc))), 659243622},
		{"djb2", uint64(DJB2(abc)), 193485963},
		{"wt6", uint64(WT6(abc)), 2483038440},
		{"wt6 avalanche", uint64(Avalanche(WT6(abc))), 266135527},
		{"crc32", uint64(CRC32(abc)), 891568578},
		// The vectors of the xxHash specification's sanity checks for no input.
		{"xxh32", uint64(XXH32(nil, 0)), 0x02cc5d05},
		{"xxh64", XXH64(nil, 0), 0xef46db3751d8e999},
		{"xxh3", XXH3(nil, 0), 0x2d06800538d394c2},
	} {
		if c.got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, c.got, c.want)
		}
	}
}
