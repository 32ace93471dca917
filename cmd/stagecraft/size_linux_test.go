package main_test

import (
	"os"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// mostBytes is the size of the released binary that a download may have.
const mostBytes = 45_000_000

// TestSize bounds the binary with the built-in providers and the helpers inside. "make
// build" makes it a little smaller, since it takes longer to compress.
func TestSize(t *testing.T) {
	info, err := os.Stat(clitest.Binary())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > mostBytes {
		t.Errorf("it has %d bytes, expected at most %d", info.Size(), mostBytes)
	}
}
