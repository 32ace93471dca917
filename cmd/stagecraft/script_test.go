package main_test

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

// TestScripts runs each script of testdata/script with the real binary. The
// commands that scripts have are those of [clitest.Scripts].
func TestScripts(t *testing.T) {
	p := clitest.Scripts(t.TempDir(), clitest.Binary(), nil)
	p.Dir = filepath.Join("testdata", "script")
	testscript.Run(t, p)
}
