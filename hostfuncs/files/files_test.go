package files

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

const allowFiles = "version: 1\nproviders: {test: {files: {read: {allow: ['**'], deny: [secret]}}}}"

func gateOf(t *testing.T, h *hosttest.Host, policy string) *hostfuncs.Gate {
	t.Helper()
	return hosttest.NewGate(t, h.GateOptions(t, policy, NewProject(h.Root).Operations()...))
}

func TestFiles(t *testing.T) {
	p := hosttest.New(t, map[string]string{"a/one": "1", "a/two": "22", "a/sub/": "", "secret": "x"})
	g := gateOf(t, p, allowFiles)
	if got := hosttest.As[abi.ReadFileResult](t, hosttest.Call(t, g, abi.OpReadFile, abi.PathRequest{Path: "a/two"})); string(got.Data) != "22" {
		t.Errorf("got %q", got.Data)
	}
	if got := hosttest.As[abi.FileInfo](t, hosttest.Call(t, g, abi.OpStat, abi.StatRequest{Path: "./a/../a/two"})); got != (abi.FileInfo{Name: "two", Size: 2}) {
		t.Errorf("got %+v", got)
	}
	list := hosttest.As[abi.ListResult](t, hosttest.Call(t, g, abi.OpList, abi.PathRequest{Path: filepath.Join(p.Root, "a")}))
	var names []string
	for _, e := range list.Entries {
		names = append(names, e.Name)
		if e.Dir != (e.Name == "sub") {
			t.Errorf("%s: dir is %v", e.Name, e.Dir)
		}
	}
	if got := strings.Join(names, " "); got != "one sub two" {
		t.Errorf("got %s", got)
	}
}

func TestFilesRefuse(t *testing.T) {
	hosttest.NeedUnix(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "key"), []byte("private"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := hosttest.New(t, map[string]string{"file": "x", "secret": "s", "large": strings.Repeat("x", abi.MaxFile+1)})
	for name, target := range map[string]string{
		"out": outside, "out-file": filepath.Join(outside, "key"), "chain": "out", "to-secret": "secret", "loop": "loop", "dangling": "../nowhere",
	} {
		if err := os.Symlink(target, filepath.Join(p.Root, name)); err != nil {
			t.Fatal(err)
		}
	}
	g := gateOf(t, p, allowFiles)
	for _, tt := range []struct {
		path string
		code abi.Code
		want string
	}{
		{"..", abi.CodeInvalid, "leaves the project directory"},
		{"../" + filepath.Base(p.Root) + "x", abi.CodeInvalid, "leaves the project directory"},
		{"/etc/passwd", abi.CodeInvalid, `"/etc/passwd" leaves the project directory`},
		{"/proc/self/environ", abi.CodeInvalid, "leaves the project directory"},
		{"out/key", abi.CodeInvalid, `leaves the project directory: the link "out" leads to nothing in it`},
		{"out-file", abi.CodeInvalid, "leaves the project directory"},
		{"chain/key", abi.CodeInvalid, "leaves the project directory"},
		{"loop", abi.CodeInvalid, `the link "loop" leads to nothing in it`},
		{"dangling", abi.CodeInvalid, ""},
		{"a\x00b", abi.CodeInvalid, "NUL byte"},
		{strings.Repeat("a/", 400_000), abi.CodeInvalid, "a path has 800000 bytes, at most 4096 are taken"},
		{"to-secret", abi.CodeDenied, `denied by "secret"`},
		{"none", abi.CodeNotFound, `"none" does not exist`},
		{"file/x", abi.CodeNotFound, `"file/x" does not exist`},
		{".", abi.CodeInvalid, "is not a regular file"},
		{"large", abi.CodeTooLarge, "more than"},
	} {
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpReadFile, abi.PathRequest{Path: tt.path}), tt.code, tt.want)
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpList, abi.PathRequest{Path: "file"}), abi.CodeInvalid, "is not a directory")
}

// TestOutsideTellsNothing wants every path outside to be refused in the same
// words, whatever is there.
func TestOutsideTellsNothing(t *testing.T) {
	hosttest.NeedUnix(t)
	outside := t.TempDir()
	for name, target := range map[string]string{"link": "/etc", "loop": "loop", "dangling": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(outside, name)); err != nil {
			t.Fatal(err)
		}
	}
	g := gateOf(t, hosttest.New(t, nil), allowFiles)
	for _, name := range []string{"link", "link/passwd", "loop", "dangling", "dangling/x", "none", "none/x"} {
		path := filepath.Join(outside, name)
		reply := hosttest.Call(t, g, abi.OpStat, abi.StatRequest{Path: path})
		if want := strconv.Quote(path) + " leaves the project directory"; reply.Error == nil || reply.Error.Message != want {
			t.Errorf("%s: got %+v", name, reply.Error)
		}
	}
}

// TestSwappedFile puts another file in the place of the one decided on.
func TestSwappedFile(t *testing.T) {
	hosttest.NeedUnix(t)
	for name, swap := range map[string]func(path, secret string) error{
		"link": func(path, _ string) error { return os.Symlink("secret", path) },
		"file": func(path, secret string) error { return os.Rename(secret, path) },
	} {
		t.Run(name, func(t *testing.T) {
			p := hosttest.New(t, map[string]string{"file": "x", "secret": "s"})
			decided, err := NewProject(p.Root).Locate("file")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(p.Root, "file")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := swap(path, filepath.Join(p.Root, "secret")); err != nil {
				t.Fatal(err)
			}
			if got, err := NewProject(p.Root).readFile(t.Context(), decided); err == nil || !strings.Contains(err.Error(), "was replaced") {
				t.Errorf("got %q, %v", got.Data, err)
			}
		})
	}
}
