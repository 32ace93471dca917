package main_test

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// The limits for init of each package: enough for tables and lazy values, but not for a
// regular expression with a repeated character class.
const (
	mostInitBytes  = 4 << 10
	mostInitAllocs = 64
)

// TestInit bounds the allocations of our packages in init, which cost every command and
// every guard: values that not every run needs are created when first used.
func TestInit(t *testing.T) {
	cmd := exec.Command(clitest.Binary(), "version")
	cmd.Env = append(cmd.Environ(), "GODEBUG=inittrace=1")
	var trace strings.Builder
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^init github.com/stagecraft-dev/stagecraft/(\S+) .* (\d+) bytes, (\d+) allocs$`).FindAllStringSubmatch(trace.String(), -1)
	if len(found) < 10 {
		t.Fatalf("expected the packages' init, got %s", trace.String())
	}
	for _, m := range found {
		bytes, _ := strconv.Atoi(m[2])
		allocs, _ := strconv.Atoi(m[3])
		if bytes > mostInitBytes || allocs > mostInitAllocs {
			t.Errorf("%s: init allocates %d bytes in %d allocations, expected at most %d in %d", m[1], bytes, allocs, mostInitBytes, mostInitAllocs)
		}
	}
}
