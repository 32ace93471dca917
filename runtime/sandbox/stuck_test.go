package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

const stuckEnv = "STAGECRAFT_TEST_STUCK"

func TestMain(m *testing.M) {
	if os.Getenv(stuckEnv) != "" {
		stuck()
		return
	}
	os.Exit(m.Run())
}

// TestStuckModuleIsGivenUp has a module of calls alone, which nothing stops.
// Its goroutine is lost with its process, so that is a process of its own; and
// one that makes garbage all the time, since a collection would wait for the
// module.
func TestStuckModuleIsGivenUp(t *testing.T) {
	t.Parallel()
	// Without the guard the process hangs for good. The limit is below that of all
	// tests, so that it is ended.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), stuckEnv+"=1")
	out, err := cmd.CombinedOutput()
	if want := "computing time is limited to 200ms"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%v: got %q, want %q", err, out, want)
	}
}

func stuck() {
	data, err := os.ReadFile("testdata/calltree.wasm")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := sandbox.Open(context.Background(), data, sandbox.Options{Operations: abi.Operations(), Host: &host{}, Limits: short})
	if err != nil {
		fmt.Println(err)
		return
	}
	go litter()
	_, err = m.Call(context.Background(), abi.ExportDev, nil)
	fmt.Println(err)
}

// litter makes some 300 MB of garbage: many collections' worth.
func litter() {
	var keep [16][]byte
	for i := range 300 {
		keep[i%len(keep)] = make([]byte, 1<<20)
		runtime.Gosched()
	}
	runtime.KeepAlive(&keep)
}
