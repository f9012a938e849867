package conf

import (
	"testing"
	"testing/fstest"
)

// Files that lines name come from the same place as the configuration.
func TestReadFile(t *testing.T) {
	src := Source{
		FS:  fstest.MapFS{"etc/t.cfg": {Data: []byte("global\n")}, "etc/pages/503.http": {Data: []byte("down")}},
		Dir: "/etc",
	}
	tree, errs := Parse(src, []string{"t.cfg"})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, tt := range []struct{ name, data, err string }{
		{"pages/503.http", "down", ""},
		{"/etc/pages/503.http", "down", ""},
		{"pages/404.http", "", "no such file or folder"},
		{"/etc/pages", "", "it is a folder"},
	} {
		data, err := tree.ReadFile(tt.name)
		if data != tt.data || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: %q, %v", tt.name, data, err)
		}
	}
}
