package hostfuncs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

const allowFiles = "version: 1\nproviders: {test: {files: {read: {allow: ['**'], deny: [secret]}}}}"

func TestFiles(t *testing.T) {
	p := newProject(t, map[string]string{"a/one": "1", "a/two": "22", "a/sub/": "", "secret": "x"})
	g := p.gate(t, allowFiles)
	if got := as[abi.ReadFileResult](t, call(t, g, abi.OpReadFile, abi.PathRequest{Path: "a/two"})); string(got.Data) != "22" {
		t.Errorf("got %q", got.Data)
	}
	if got := as[abi.FileInfo](t, call(t, g, abi.OpStat, abi.StatRequest{Path: "./a/../a/two"})); got != (abi.FileInfo{Name: "two", Size: 2}) {
		t.Errorf("got %+v", got)
	}
	list := as[abi.ListResult](t, call(t, g, abi.OpList, abi.PathRequest{Path: filepath.Join(p.Root, "a")}))
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
	needUnix(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "key"), []byte("private"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProject(t, map[string]string{"file": "x", "secret": "s", "large": strings.Repeat("x", abi.MaxFile+1)})
	for name, target := range map[string]string{
		"out": outside, "out-file": filepath.Join(outside, "key"), "chain": "out", "to-secret": "secret", "loop": "loop", "dangling": "../nowhere",
	} {
		if err := os.Symlink(target, filepath.Join(p.Root, name)); err != nil {
			t.Fatal(err)
		}
	}
	g := p.gate(t, allowFiles)
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
		{"none", abi.CodeNotFound, `there is no "none"`},
		{"file/x", abi.CodeNotFound, `there is no "file/x"`},
		{".", abi.CodeInvalid, "is no regular file"},
		{"large", abi.CodeTooLarge, "more than"},
	} {
		wantError(t, call(t, g, abi.OpReadFile, abi.PathRequest{Path: tt.path}), tt.code, tt.want)
	}
	wantError(t, call(t, g, abi.OpList, abi.PathRequest{Path: "file"}), abi.CodeInvalid, "is no directory")
}

// TestOutsideTellsNothing wants every path outside to be refused in the same
// words, whatever is there.
func TestOutsideTellsNothing(t *testing.T) {
	needUnix(t)
	outside := t.TempDir()
	for name, target := range map[string]string{"link": "/etc", "loop": "loop", "dangling": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(outside, name)); err != nil {
			t.Fatal(err)
		}
	}
	g := newProject(t, nil).gate(t, allowFiles)
	for _, name := range []string{"link", "link/passwd", "loop", "dangling", "dangling/x", "none", "none/x"} {
		path := filepath.Join(outside, name)
		reply := call(t, g, abi.OpStat, abi.StatRequest{Path: path})
		if want := quotePath(path) + " leaves the project directory"; reply.Error == nil || reply.Error.Message != want {
			t.Errorf("%s: got %+v", name, reply.Error)
		}
	}
}

// TestSwappedFile puts another file in the place of the one decided on.
func TestSwappedFile(t *testing.T) {
	needUnix(t)
	for name, swap := range map[string]func(path, secret string) error{
		"link": func(path, _ string) error { return os.Symlink("secret", path) },
		"file": func(path, secret string) error { return os.Rename(secret, path) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, map[string]string{"file": "x", "secret": "s"})
			decided, err := p.locate("file")
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
			if got, err := p.doReadFile(t.Context(), decided); err == nil || !strings.Contains(err.Error(), "was replaced") {
				t.Errorf("got %q, %v", got.Data, err)
			}
		})
	}
}

func TestEnvStatus(t *testing.T) {
	p := newProject(t, nil)
	p.Environ = []string{"FULL=first", "FULL=x", "EMPTY=", "HIDDEN=x"}
	g := p.gate(t, "version: 1\nproviders: {test: {env: {read: [FULL, EMPTY, NONE]}}}")
	got := as[abi.EnvStatusResult](t, call(t, g, abi.OpEnvStatus, abi.EnvStatusRequest{Names: []string{"FULL", "EMPTY", "NONE"}}))
	if got.States["FULL"] != abi.EnvSet || got.States["EMPTY"] != abi.EnvEmpty || got.States["NONE"] != abi.EnvMissing {
		t.Errorf("got %v", got.States)
	}
	wantError(t, call(t, g, abi.OpEnvStatus, abi.EnvStatusRequest{Names: []string{"FULL", "HIDDEN"}}), abi.CodeDenied, "HIDDEN")
	wantError(t, call(t, g, abi.OpEnvStatus, abi.EnvStatusRequest{}), abi.CodeInvalid, "names is empty")
}

func TestLog(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, "version: 1\nproviders: {test: {}}")
	as[abi.Empty](t, call(t, g, abi.OpLog, abi.LogRequest{Level: abi.LevelWarn, Message: "\x1b[2Jhello\u202e\n\n"}))
	if len(p.logged) != 1 || p.logged[0] != "warn: hello" {
		t.Errorf("got %q", p.logged)
	}
	wantError(t, call(t, g, abi.OpLog, abi.LogRequest{Level: "loud"}), abi.CodeInvalid, `level "loud"`)
}

func TestLogIsBounded(t *testing.T) {
	for name, message := range map[string]string{"lines": strings.Repeat("x\n", 999) + "x", "bytes": strings.Repeat("x", 100_000)} {
		p := newProject(t, nil)
		g := p.gate(t, "version: 1\nproviders: {test: {}}")
		var last abi.Reply
		for range 20 {
			last = call(t, g, abi.OpLog, abi.LogRequest{Level: abi.LevelInfo, Message: message})
		}
		wantError(t, last, abi.CodeTooLarge, "a run can log")
		if n := len(p.logged); n != 11 || p.logged[10] != "warn: the provider logs too much; the rest is left out" {
			t.Errorf("%s: %d messages were shown", name, n)
		}
	}
}
