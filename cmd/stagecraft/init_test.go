package main_test

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// What a package of ours may allocate before main: more than its tables and lazy
// values take, and less than a regular expression with a character class repeated.
const (
	mostInitBytes  = 4 << 10
	mostInitAllocs = 64
)

// TestInit bounds what our packages allocate in init, which every command pays
// for, as does each guard: what not every run needs is made when it is first used.
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
