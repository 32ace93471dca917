package tree_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// guests bounds the built-in modules, in bytes: the time to load one follows its size. Go 1.26
// makes 1,816,045 of an empty main with one export, nearly all of it the runtime. The table
// by which generic detects projects, and what reads it, is 400,000 of its size.
var guests = map[string]int64{
	"providers/generic":  3_000_000,
	"providers/encorets": 2_620_000,
}

func TestGuestSizes(t *testing.T) {
	b := providertest.NewBuilder(t.TempDir())
	for pkg, most := range guests {
		path, err := b.Module(pkg)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > most {
			t.Errorf("the module of %s has %d bytes, expected at most %d", pkg, info.Size(), most)
		}
	}
}

// TestGuestImports names what the modules must not link, even for one function: importing
// time or fmt runs their initialization, which the linker keeps. Package encoding/binary
// imports reflect, and uses no more of it than its types.
func TestGuestImports(t *testing.T) {
	for pkg := range guests {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-tags", "stagecraft_small", "-deps", "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", "./"+pkg)
		cmd.Dir = root
		cmd.Env = append(cmd.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			importer, imports, _ := strings.Cut(strings.TrimSpace(line), ": ")
			for _, imported := range strings.Fields(imports) {
				if slices.Contains([]string{"context", "embed", "encoding/json", "fmt", "net", "net/netip", "os", "reflect", "regexp", "time"}, imported) && importer != "encoding/binary" {
					t.Errorf("%s: %s imports %s", pkg, importer, imported)
				}
			}
		}
	}
}
