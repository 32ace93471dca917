package build

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

const noRoom = "no space left on device"

// smallDisk is a directory with room for so many MiB.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := imagetest.Dir(t)
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib))
	if errors.Is(err, unix.EPERM) && os.Getenv("CI") != "true" {
		t.Skip("a small disk can't be mounted here: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// noise is a context with so many MiB that no compression makes smaller.
func noise(mib int) map[string]string {
	data := make([]byte, mib<<20)
	_, _ = rand.Read(data)
	return map[string]string{"Dockerfile": "FROM scratch\nCOPY noise /\n", "noise": string(data)}
}

// TestOutputFull writes an image to where there is no room for it.
func TestOutputFull(t *testing.T) { eachRig(t, testOutputFull) }

func testOutputFull(t *testing.T, r rig) {
	out := smallDisk(t, 1)
	for _, engine := range r.all() {
		for _, kind := range []string{"tar", "oci"} {
			t.Run(string(engine.Kind)+" "+kind, func(t *testing.T) {
				s := r.site(t, engine, noise(4))
				s.Builds.Outputs = []Output{{Layout: kind == "oci", Path: filepath.Join(out, "image")}}
				reply := s.build(t.Context(), t, "shop:full", false)
				if want := "docker_build: output " + s.Builds.Outputs[0].String() + ": " + noRoom; reply.Error == nil || reply.Error.Message != want {
					t.Errorf("got %v, want %s", reply.Error, want)
				}
				wantEmpty(t, out)
				wantNobody(t)
			})
		}
	}
}

// TestTempFull has the embedded builder, which needs room for what is compressed,
// find none.
func TestTempFull(t *testing.T) {
	r := rig{host: "unix:///none.sock", config: t.TempDir()}
	temp := smallDisk(t, 1)
	t.Setenv("TMPDIR", temp)
	out := imagetest.Dir(t)
	s := r.site(t, embeddedKind, noise(4))
	s.outputs(out)
	s.wantLine(t, s.build(t.Context(), t, "shop:full", false), abi.CodeFailed, noRoom, temp)
	wantEmpty(t, temp)
	wantEmpty(t, out)
}

// TestDaemonFull builds with a daemon that has no room for the context.
func TestDaemonFull(t *testing.T) {
	r := daemonRig(t)
	data := smallDisk(t, 8)
	daemon := providertest.StartBuildKit(t, providertest.BuildKitOptions{Data: filepath.Join(data, "data")})
	out := imagetest.Dir(t)
	s := r.site(t, daemonAt(t, daemon.Address), noise(16))
	s.outputs(out)
	s.wantLine(t, s.build(t.Context(), t, "shop:full", false), abi.CodeFailed, noRoom, "that is the disk of the builder")
	wantEmpty(t, out)
	wantNobody(t)
}
