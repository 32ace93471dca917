package main_test

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// What a package of ours may allocate before main. A regular expression of more
// than a few characters takes more.
const (
	mostInitBytes  = 2 << 10
	mostInitAllocs = 24
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
		if m[1] == "hostfuncs/capability" || m[1] == "hostfuncs/internal/denial" {
			continue // they still compile theirs at start
		}
		if bytes > mostInitBytes || allocs > mostInitAllocs {
			t.Errorf("%s: init allocates %d bytes in %d allocations, expected at most %d in %d", m[1], bytes, allocs, mostInitBytes, mostInitAllocs)
		}
	}
}
