package build

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestOutputs builds with each engine, and wants the image where it was asked
// for, by the digests that are reported.
func TestOutputs(t *testing.T) { eachRig(t, testOutputs) }

func testOutputs(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": "in it"})
			out := imagetest.Dir(t)
			s.outputs(out)
			s.Builds.Load = true
			built := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:"+string(engine.Kind), false))
			wantArchive(t, filepath.Join(out, "image.tar"), built.Image)
			wantLayout(t, filepath.Join(out, "layout"), built)
			wantStored(t, s, built)
		})
	}
}

// TestIDOfAnImageWithoutLayers wants it to be right of an image with nothing in
// it, which some tools have no place for.
func TestIDOfAnImageWithoutLayers(t *testing.T) { eachRig(t, testIDOfAnImageWithoutLayers) }

func testIDOfAnImageWithoutLayers(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nLABEL a=" + string(engine.Kind) + "\n"})
			out := imagetest.Dir(t)
			s.outputs(out)
			s.Builds.Load = true
			reply := s.build(t.Context(), t, "shop:empty-"+string(engine.Kind), false)
			if engine.Kind == Docker && reply.Error != nil && strings.Contains(reply.Error.Message, "empty export - not implemented") {
				// An engine as old as 20.10 can keep such an image, and gives none out.
				s.Builds.Outputs = nil
				reply = s.build(t.Context(), t, "shop:empty-"+string(engine.Kind), false)
			} else {
				wantLayout(t, filepath.Join(out, "layout"), hosttest.As[abi.DockerBuildResult](t, reply))
			}
			built := hosttest.As[abi.DockerBuildResult](t, reply)
			wantStored(t, s, built)
		})
	}
}

// TestTwoLayouts has one image written twice: it is the same one.
func TestTwoLayouts(t *testing.T) { eachRig(t, testTwoLayouts) }

func testTwoLayouts(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": "in it"})
			out := imagetest.Dir(t)
			for _, name := range []string{"one", "two"} {
				s.Builds.Outputs = append(s.Builds.Outputs, Output{Layout: true, Path: filepath.Join(out, name)})
			}
			built := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:two", false))
			wantLayout(t, filepath.Join(out, "one"), built)
			wantLayout(t, filepath.Join(out, "two"), built)
			if len(built.OtherDigests) > 0 {
				t.Errorf("built was %+v", built)
			}
		})
	}
}

// TestFileIsLoaded loads the file that each engine writes, and wants the engine to
// have the image by a digest that was reported.
func TestFileIsLoaded(t *testing.T) { eachRig(t, testFileIsLoaded) }

func testFileIsLoaded(t *testing.T, r rig) {
	for _, engine := range []Engine{r.daemon, embeddedKind} {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": "loaded from a file"})
			file := filepath.Join(imagetest.Dir(t), "image.tar")
			s.Builds.Outputs = []Output{{Path: file}}
			built := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:file-"+string(engine.Kind), false))
			e, err := s.images().engines.docker(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := e.Load(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			found, ok, err := e.Find(t.Context(), built.Image)
			if err != nil || !ok || found.Engine != built.Digest && found.Engine != built.Config {
				t.Errorf("the engine has %+v, %v, %v, built was %+v", found, ok, err, built)
			}
		})
	}
}

// wantStored wants the engine to have what was built, by its ID and by its name.
func wantStored(t *testing.T, s site, built abi.DockerBuildResult) {
	t.Helper()
	e, err := s.images().engines.docker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, ref := range []string{built.Image, built.ID} {
		if found, ok, err := e.Find(t.Context(), ref); err != nil || !ok || found.Engine != built.ID {
			t.Errorf("the engine has %+v for %s, %v, %v, built was %+v\n%s", found, ref, ok, err, built, s.progress)
		}
	}
}

// wantLayout wants a layout to have what was built, as each builder's has it.
func wantLayout(t *testing.T, dir string, built abi.DockerBuildResult) {
	t.Helper()
	var index struct {
		MediaType string
		Manifests []map[string]any
	}
	readJSON(t, filepath.Join(dir, "index.json"), &index)
	if len(index.Manifests) != 1 || index.MediaType != "application/vnd.oci.image.index.v1+json" {
		t.Fatalf("the index has %v", index)
	}
	is := index.Manifests[0]
	_, tag, _ := strings.Cut(built.Image, ":")
	want := map[string]any{
		"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": is["digest"], "size": is["size"],
		"annotations": map[string]any{"io.containerd.image.name": "docker.io/library/" + built.Image, "org.opencontainers.image.ref.name": tag},
	}
	if diff := cmp.Diff(want, is); diff != "" {
		t.Errorf("-want +is:\n%s", diff)
	}
	if is["digest"] != built.Digest && !slices.Contains(built.OtherDigests, is["digest"].(string)) {
		t.Errorf("%s is in it, built was %+v", is["digest"], built)
	}
	var manifest struct {
		MediaType string
		Config    struct{ MediaType, Digest string }
		Layers    []struct{ MediaType string }
	}
	blob := func(digest string) string {
		return filepath.Join(dir, "blobs", filepath.FromSlash(strings.Replace(digest, ":", "/", 1)))
	}
	readJSON(t, blob(is["digest"].(string)), &manifest)
	if manifest.MediaType != "application/vnd.oci.image.manifest.v1+json" || manifest.Config.MediaType != "application/vnd.oci.image.config.v1+json" {
		t.Errorf("its manifest is %+v", manifest)
	}
	for _, l := range manifest.Layers {
		if l.MediaType != "application/vnd.oci.image.layer.v1.tar+gzip" {
			t.Errorf("it has a layer %+v", l)
		}
	}
	if manifest.Config.Digest != built.Config {
		t.Errorf("its image is %s, built was %+v", manifest.Config.Digest, built)
	}
	readJSON(t, blob(built.Config), new(any))
	wantReadable(t, dir)
}

// wantReadable wants a layout to be for everybody, and nothing else to be in it.
func wantReadable(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o644)
		if entry.IsDir() {
			want = fs.ModeDir | 0o755
		}
		name, err := filepath.Rel(dir, path)
		known := entry.IsDir() || name == "index.json" || name == "oci-layout" || strings.HasPrefix(name, "blobs/sha256/")
		if info.Mode() != want || !known {
			t.Errorf("there is %s, %v", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
