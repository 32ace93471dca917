//go:build helpers

package sandbox

import (
	_ "embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Both are laid over this directory by TestEmbedded.
var (
	//go:embed stagecraft-sandbox
	moduleProgram []byte
	//go:embed stagecraft-schema.s2
	schemaProgram []byte
)

// TestHelper is the program that runs the modules of the tests.
var TestHelper = NewHelper(moduleProgram, schemaProgram)

// withoutMemoryFiles is the helper on an old kernel, or with vm.memfd_noexec.
func withoutMemoryFiles() *Helper {
	refuses := func() (*os.File, error) { return nil, unix.EACCES }
	h := NewHelper(moduleProgram, schemaProgram)
	h.module.memory, h.schema.memory = refuses, refuses
	return h
}

func openWorks(t *testing.T, helper *Helper, cache string) error {
	t.Helper()
	wasm, err := os.ReadFile("testdata/works.wasm")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(t.Context(), wasm, Options{Helper: helper, Operations: abi.Operations(), CacheDir: cache})
	if err != nil {
		return err
	}
	_, err = m.Call(t.Context(), abi.ExportDev, nil)
	return errors.Join(err, m.Close(t.Context()))
}

func TestWithoutMemoryFiles(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	if err := openWorks(t, withoutMemoryFiles(), cache); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(cache, "helper-*")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
	// Commands may write to the directory of temporary files.
	err := openWorks(t, withoutMemoryFiles(), "")
	if want := "from memory: permission denied; there is no directory for a copy"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestNoExec runs where the directory of compiled code does not allow programs either.
func TestNoExec(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_NOEXEC, "mode=700"); err != nil {
		t.Skipf("mounting needs root: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	err := openWorks(t, withoutMemoryFiles(), filepath.Join(dir, "cache"))
	want := "starting the process of a provider's module: cannot execute the helper: from memory: permission denied; from " + dir + "/cache: permission denied"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestNoExecutableMemory runs where the kernel refuses executable memory files.
func TestNoExecutableMemory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change vm.memfd_noexec, in a namespace of its own")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(t.TempDir(), "cache")
	for _, tt := range []struct{ setting, cache, want string }{
		{"0", "", "open\nresult: <nil>\n"},
		{"1", "", "open\nresult: <nil>\n"},
		{"2", cache, "open\nresult: <nil>\ncompiled: <nil>\n"},
		{"2", "", "from memory: memfd_create: permission denied; there is no directory for a copy\n"},
	} {
		cmd := exec.CommandContext(t.Context(), "unshare", "--fork", "--pid", "--mount-proc", "bash", "-c",
			`echo $SETTING >/proc/sys/vm/memfd_noexec || exit 77; exec -a host "$SELF" "" testdata/works.wasm "$CACHE"`)
		cmd.Env = append(os.Environ(), "SELF="+self, "SETTING="+tt.setting, "CACHE="+tt.cache)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() == 77 || cmd.ProcessState == nil {
			t.Skipf("%v: %s", err, out)
		}
		if err != nil || !strings.HasSuffix(string(out), tt.want) {
			t.Errorf("vm.memfd_noexec=%s, %q: %v, got %q, want %q", tt.setting, tt.cache, err, out, tt.want)
		}
	}
}

// TestNoHelper has a program that was built with the tag, without the helper.
func TestNoHelper(t *testing.T) {
	err := openWorks(t, nil, "")
	if want := "this program was built with the tag helpers, but without the helper"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
