package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestStatAbove: stat reports whether the nearest .git above the project is a file, and
// nothing else above it.
func TestStatAbove(t *testing.T) {
	const may = "version: 1\nproviders:\n  test: {files: {read: [.git]}}\n"
	above := abi.StatRequest{Path: ".git", Above: true}
	for name, tt := range map[string]struct {
		files map[string]string // below the directory that the project is two below
		yes   bool
	}{
		"a worktree":           {map[string]string{".git": "gitdir: x"}, true},
		"a clone":              {map[string]string{".git/HEAD": "x"}, false},
		"a clone in it":        {map[string]string{".git": "gitdir: x", "a/.git/HEAD": "x"}, false},
		"a submodule in it":    {map[string]string{".git/HEAD": "x", "a/.git": "gitdir: x"}, true},
		"the project's own":    {map[string]string{".git/HEAD": "x", "a/b/.git": "gitdir: x"}, false},
		"beside what is asked": {map[string]string{".git/HEAD": "x", "a/.gitmodules": "x"}, false},
	} {
		root := imagetest.Dir(t)
		imagetest.Write(t, root, tt.files)
		p := hosttest.New(t, nil)
		p.Root = filepath.Join(root, "a", "b")
		if err := os.MkdirAll(p.Root, 0o755); err != nil {
			t.Fatal(err)
		}
		reply := hosttest.Call(t, gateOf(t, p, may), abi.OpStat, above)
		if !tt.yes {
			hosttest.WantError(t, reply, abi.CodeNotFound, "no .git above the project directory is a file")
		} else if got := hosttest.As[abi.FileInfo](t, reply); got != (abi.FileInfo{Name: ".git"}) {
			t.Errorf("%s: got %+v", name, got)
		}
		hosttest.WantError(t, hosttest.Call(t, gateOf(t, p, "version: 1\nproviders:\n  test: {files: {read: [a]}}\n"), abi.OpStat, above), abi.CodeDenied, ".git")
	}
	g := gateOf(t, hosttest.New(t, nil), allowFiles)
	for _, path := range []string{"", ".", "..", "../.git", ".git/", "./.git", ".GIT", ".ssh", "a/.git", "/.git"} {
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpStat, abi.StatRequest{Path: path, Above: true}), abi.CodeInvalid, "above the project directory")
	}
}
