package build

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestOddContexts builds contexts that are strange, and right, with each engine.
func TestOddContexts(t *testing.T) { eachRig(t, testOddContexts) }

func testOddContexts(t *testing.T, r rig) {
	for name, fill := range map[string]func(dir string) error{
		"without files": func(dir string) error { return os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte("*\n"), 0o600) },
		"odd names": func(dir string) error {
			for _, odd := range []string{"a b", "new\nline", "*?[x]", "-rf", "ä", "\x7f", `back\slash`, "$HOME", " "} {
				if err := os.WriteFile(filepath.Join(dir, odd), []byte(odd), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		"deep": func(dir string) error {
			// With the directories that engines have for it nearly as long as a path may be.
			return os.MkdirAll(filepath.Join(dir, strings.Repeat(strings.Repeat("deep", 60)+"/", 15)), 0o755)
		},
		"loops": func(dir string) error {
			for name, to := range map[string]string{"self": "self", "up": "..", "here": ".", "a": "b", "b": "a"} {
				if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		for _, engine := range r.all() {
			t.Run(name+" "+string(engine.Kind), func(t *testing.T) {
				s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /all/\n"})
				if err := fill(filepath.Join(s.Root, "app")); err != nil {
					t.Fatal(err)
				}
				s.outputs(imagetest.Dir(t))
				if name == "loops" && engine.Kind == Docker && r.about.Podman {
					s.wantLine(t, s.build(t.Context(), t, "shop:odd", false), abi.CodeFailed, "a link in the context leads out of it")
					if err := os.Remove(filepath.Join(s.Root, "app", "up")); err != nil {
						t.Fatal(err)
					}
				}
				hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:odd", false))
			})
		}
	}
}

// TestNameThatIsNoText has a file whose name cannot be sent to BuildKit. Builders
// without it keep the name as it is.
func TestNameThatIsNoText(t *testing.T) { eachRig(t, testNameThatIsNoText) }

func testNameThatIsNoText(t *testing.T, r rig) {
	buildKit := r.about.BuildKit
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /all/\n", "a\xffb": "x"})
			if engine.Kind == Embedded || engine.Kind == Docker && !buildKit {
				out := imagetest.Dir(t)
				s.outputs(out)
				hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:odd", false))
				wantInBlobs(t, filepath.Join(out, "layout"), "all/a\xffb")
				return
			}
			s.wantLine(t, s.build(t.Context(), t, "shop:odd", false), abi.CodeFailed, "app/Dockerfile:2: build: COPY: ", "is not in UTF-8", filepath.Join(s.Root, "app"))
			if err := os.Remove(filepath.Join(s.Root, "app", "a\xffb")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("a\xffb", filepath.Join(s.Root, "app", "link")); err != nil {
				t.Fatal(err)
			}
			s.wantLine(t, s.build(t.Context(), t, "shop:odd", false), abi.CodeFailed, "app/Dockerfile:2: build: COPY: ", "is not in UTF-8", "link")
		})
	}
}

// wantInBlobs wants a text in a blob of a layout, or in what is packed in one.
func wantInBlobs(t *testing.T, layout, text string) {
	t.Helper()
	blobs, err := filepath.Glob(filepath.Join(layout, "blobs", "sha256", "*"))
	if err != nil || len(blobs) == 0 {
		t.Fatalf("%d blobs, %v", len(blobs), err)
	}
	for _, path := range blobs {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if packed, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			if data, err = io.ReadAll(packed); err != nil {
				t.Fatal(err)
			}
		}
		if bytes.Contains(data, []byte(text)) {
			return
		}
	}
	t.Errorf("no blob has %q", text)
}

// TestFileThatCannotBeOpened has a file of the context be there and yet not be
// opened, which BuildKit would take for an empty one.
func TestFileThatCannotBeOpened(t *testing.T) { eachRig(t, testFileThatCannotBeOpened) }

func testFileThatCannotBeOpened(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": "x"})
			file := filepath.Join(s.Root, "app", "file")
			lease(t, file)
			out := imagetest.Dir(t)
			s.outputs(out)
			s.wantLine(t, s.build(t.Context(), t, "shop:opened", false), abi.CodeFailed, "build context: "+file+": resource temporarily unavailable")
			wantEmpty(t, out)
		})
	}
}

// lease has a file be ours alone: whoever would open it must wait, and so gets
// an error where it does not want to.
func lease(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Fatal(err)
	}
}

// TestOneOutputForTwo has two builds write to one place at once: what is there in
// the end is whole, and a build whose directory is not the one has said so.
func TestOneOutputForTwo(t *testing.T) { eachRig(t, testOneOutputForTwo) }

func testOneOutputForTwo(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			out := imagetest.Dir(t)
			var builds []func() abi.Reply
			for i := range 2 {
				s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": fmt.Sprint(i)})
				s.outputs(out)
				builds = append(builds, s.begin(t.Context(), t, fmt.Sprint("shop:", i), false))
			}
			replies := make([]abi.Reply, len(builds))
			var wait sync.WaitGroup
			for i, build := range builds {
				wait.Go(func() { replies[i] = build() })
			}
			wait.Wait()
			good := slices.IndexFunc(replies, func(r abi.Reply) bool { return r.Error == nil })
			if good < 0 {
				t.Fatalf("neither has: %v, %v", replies[0].Error, replies[1].Error)
			}
			wantLayout(t, filepath.Join(out, "layout"), hosttest.As[abi.DockerBuildResult](t, replies[good]))
			hosttest.WantError(t, replies[1-good], abi.CodeFailed, "output oci:"+filepath.Join(out, "layout")+": ")
			t.Log(replies[1-good].Error)
			wantArchive(t, filepath.Join(out, "image.tar"), "shop:")
			if entries, err := os.ReadDir(out); err != nil || len(entries) != 2 {
				t.Errorf("there are %v, %v", entries, err)
			}
		})
	}
}

// TestLoadWithoutEngine has an image loaded where there is no Docker engine.
func TestLoadWithoutEngine(t *testing.T) { eachRig(t, testLoadWithoutEngine) }

func testLoadWithoutEngine(t *testing.T, r rig) {
	r.host = "unix:///none.sock"
	for _, engine := range []Engine{r.daemon, embeddedKind} {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": "x"})
			s.Builds.Load = true
			s.wantLine(t, s.build(t.Context(), t, "shop:load", false), abi.CodeUnavailable, "no Docker engine at unix:///none.sock")
		})
	}
}
