package sandbox_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// TestTables expects the tables of a module to be bounded.
func TestTables(t *testing.T) {
	_, err := sandbox.Open(t.Context(), guest(t, "huge-table"), sandbox.Options{Helper: sandbox.TestHelper})
	if e, ok := errors.AsType[*sandbox.LoadError](err); !ok || e.Reason != "its tables have 100000000 elements, at most 1048576 are allowed" {
		t.Errorf("a huge table: %v", err)
	}
	m, err := sandbox.Open(t.Context(), guest(t, "table-grow"), sandbox.Options{Helper: sandbox.TestHelper})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	if _, err := m.Call(t.Context(), "dev", nil); err == nil || err.Error() != "crashed: unreachable" {
		t.Errorf("a table that grows: %v", err)
	}
}

// TestTablesDamaged expects damaged sections to be refused before wazero reads them.
func TestTablesDamaged(t *testing.T) {
	whole := guest(t, "table-grow")
	section := []byte{4, 4, 1, 0x70, 0, 1}
	if bytes.Count(whole, section) != 1 {
		t.Fatal("the module has another table section")
	}
	for name, damaged := range map[string][]byte{
		"more tables than there are": {4, 4, 9, 0x70, 0, 1},
		"no most":                    {4, 4, 1, 0x70, 1, 1},
		"more after them":            {4, 4, 0, 0x70, 0, 1},
		"unknown limits":             {4, 4, 1, 0x70, 8, 1},
		"unknown elements":           {4, 5, 1, 0x63, 0, 0, 1},
	} {
		_, err := sandbox.Open(t.Context(), bytes.Replace(whole, section, damaged, 1), sandbox.Options{Helper: sandbox.TestHelper})
		if _, ok := errors.AsType[*sandbox.LoadError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
