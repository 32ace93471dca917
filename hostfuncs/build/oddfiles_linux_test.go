package build

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// oddFiles are what no image can have, each made at a path, with what is said of
// it where an instruction takes it.
var oddFiles = map[string]struct {
	make func(t *testing.T, path string)
	want string
}{
	"a pipe": {func(t *testing.T, path string) {
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}, "it is a named pipe, which cannot be sent; name it in .dockerignore"},
	"a socket": {func(t *testing.T, path string) {
		t.Chdir(filepath.Dir(path)) // the path of a socket is short, and that of the context may not be
		l, err := net.Listen("unix", filepath.Base(path))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}, "it is a socket, which cannot be sent; name it in .dockerignore"},
	"a device": {func(t *testing.T, path string) {
		if err := unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
			t.Skip("only root makes devices")
		}
	}, "it is a device, which cannot be sent; name it in .dockerignore"},
	"a file that can't be opened": {func(t *testing.T, path string) {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		lease(t, path)
	}, "resource temporarily unavailable"},
}

// TestOddFiles builds with each engine where no instruction takes what no image
// can have, and wants the line of the one that does.
func TestOddFiles(t *testing.T) { eachRig(t, testOddFiles) }

func testOddFiles(t *testing.T, r rig) {
	for _, engine := range r.all() {
		for name, odd := range oddFiles {
			t.Run(string(engine.Kind)+" "+name, func(t *testing.T) {
				s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY a c* /\n", "a": "x", "c/file": "x"})
				path := filepath.Join(s.Root, "app", "odd")
				odd.make(t, path)
				s.embeddedOutputs(t)
				hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:odd", false))
				for text, line := range map[string]string{
					"FROM scratch\nCOPY a /\nCOPY . /\n":           "3: build: COPY: ",
					"FROM scratch\nADD a o?d /\n":                  "2: build: ADD: ",
					"FROM scratch\nCOPY --exclude=x odd /\n":       "2: build: COPY: ",
					"FROM scratch AS x\nCOPY / /\nFROM x\nENV a=b": "2: build: COPY: ",
				} {
					imagetest.Write(t, filepath.Join(s.Root, "app"), map[string]string{"Dockerfile": text})
					s.wantLine(t, s.build(t.Context(), t, "shop:odd", false), abi.CodeFailed, "app/Dockerfile:"+line+"build context: "+path+": "+odd.want)
				}
			})
		}
	}
}

// TestNamesThatAreNoText has a file whose name cannot be sent to BuildKit, and
// which nothing takes; the others take it as it is.
func TestNamesThatAreNoText(t *testing.T) { eachRig(t, testNamesThatAreNoText) }

func testNamesThatAreNoText(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": "x", "no\xfftext": "x", "no\xffdir/file": "x"})
			s.embeddedOutputs(t)
			hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:odd", false))
		})
	}
}

// TestPathThatIsTooLong has a file deeper than a path may be long.
func TestPathThatIsTooLong(t *testing.T) { eachRig(t, testPathThatIsTooLong) }

func testPathThatIsTooLong(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": "x", "deep/b": "x"})
			makeDeep(t, filepath.Join(s.Root, "app", "deep"), 5000)
			s.embeddedOutputs(t)
			hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:odd", false))
			imagetest.Write(t, filepath.Join(s.Root, "app"), map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\nCOPY deep /\n"})
			s.wantLine(t, s.build(t.Context(), t, "shop:odd", false), abi.CodeFailed, "app/Dockerfile:3: build: COPY: ", "its path is longer than")
		})
	}
}

// makeDeep makes directories in each other, of so many bytes in all.
func makeDeep(t *testing.T, dir string, length int) {
	t.Helper()
	at, err := unix.Open(dir, unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("d", 200)
	for n := 0; n < length; n += len(name) + 1 {
		if err := unix.Mkdirat(at, name, 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := unix.Openat(at, name, unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(at)
		at = next
	}
	unix.Close(at)
}
