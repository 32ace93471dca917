package builtin_test

import (
	"os"
	"testing"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// sizes bounds the modules, in bytes: the time to load one follows its size. A module
// without any code of ours has 1.82 MB, most of it the Go runtime.
var sizes = map[string]int64{
	"providers/generic":  2_300_000,
	"providers/encorets": 3_000_000,
}

func TestSizes(t *testing.T) {
	b := providertest.NewBuilder(t.TempDir())
	for pkg, most := range sizes {
		path, err := b.Module(pkg)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > most {
			t.Errorf("the module of %s has %d bytes, expected at most %d: see what it imports", pkg, info.Size(), most)
		}
		t.Logf("%s: %d bytes", pkg, info.Size())
	}
}
