package guard

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goCommand runs the go command for the program as it is released.
func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestProgramSize: the released program carries this one, and reads it for its first
// command.
func TestProgramSize(t *testing.T) {
	const most = 2_000_000
	for _, arch := range []string{"amd64", "arm64"} {
		t.Setenv("GOARCH", arch)
		file := filepath.Join(t.TempDir(), "guard")
		goCommand(t, "build", "-trimpath", "-ldflags=-s -w", "-o", file, "./stagecraft-guard")
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() >= most {
			t.Errorf("%s: %d bytes, expected fewer than %d", arch, info.Size(), most)
		}
	}
}

// TestProgramImports: what the standard library initialises delays each first command.
// reflect comes with encoding/binary and x/sys, which make it do nothing.
func TestProgramImports(t *testing.T) {
	allowed := []string{
		"bytes", "cmp", "encoding/binary", "errors", "io", "iter", "math", "math/bits", "reflect", "runtime", "slices", "sort",
		"strconv", "strings", "sync", "sync/atomic", "syscall", "time", "unicode", "unicode/utf8", "unsafe",
		"golang.org/x/sys/unix",
	}
	for _, name := range strings.Fields(goCommand(t, "list", "-deps", "./stagecraft-guard")) {
		part := strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "runtime/") ||
			strings.HasPrefix(name, "github.com/stagecraft-dev/stagecraft/hostfuncs/internal/")
		if !part && !slices.Contains(allowed, name) {
			t.Errorf("it imports %s", name)
		}
	}
}
