package session

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// TestProvenanceHasAllOptions: each option that shapes the image is a parameter of its
// provenance.
func TestProvenanceHasAllOptions(t *testing.T) {
	external := reflect.TypeFor[provenance.External]()
	// Outputs and progress do not shape the image. Flags are the names of other fields.
	without := []string{"Progress", "Verbose", "Machine", "Load", "Outputs", "Flags", "EngineCerts"}
	for _, options := range []reflect.Type{reflect.TypeFor[BuildOptions](), reflect.TypeFor[BuildSettings]()} {
		for i := range options.NumField() {
			if name := options.Field(i).Name; !has(external, name) && !slices.Contains(without, name) {
				t.Errorf("provenance.External has no %s", name)
			}
		}
	}
}

func has(t reflect.Type, field string) bool {
	_, ok := t.FieldByName(field)
	return ok
}

// TestProvenanceOfBases: provenance lists base images as far as they are known. An image
// without an ID or digest has no provenance.
func TestProvenanceOfBases(t *testing.T) {
	s := &Session{config: &config.Config{File: filepath.Join(t.TempDir(), "stagecraft.yml"), Root: t.TempDir()}}
	built := finished{run: &run{session: s, mode: live{}}}
	const id, digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111", "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	found, err := Image{run: built, Reference: "shop:1", ID: id, Digest: digest, Bases: []Base{{"alpine:3.20", id}, {"scratch:1", ""}}}.Provenance()
	if err != nil {
		t.Fatal(err)
	}
	bases := found.Predicate.BuildDefinition.ResolvedDependencies[1:]
	want := []provenance.Descriptor{
		{Name: "alpine:3.20", URI: "pkg:docker/alpine@3.20", Digest: map[string]string{"sha256": id[len("sha256:"):]}},
		{Name: "scratch:1", URI: "pkg:docker/scratch@1"},
	}
	if !reflect.DeepEqual(bases, want) {
		t.Errorf("bases %+v, want %+v", bases, want)
	}
	// A pushed image is named by the registry's digest.
	if got := found.Subject[0].Digest["sha256"]; "sha256:"+got != digest {
		t.Errorf("subject %s, want %s", got, digest)
	}
	if _, err := (Image{run: built, Reference: "shop:1"}).Provenance(); err == nil {
		t.Error("an image without digests: no error")
	}
}

func TestPublicName(t *testing.T) {
	root := t.TempDir()
	s := &Session{config: &config.Config{Root: root}}
	for file, want := range map[string]string{
		filepath.Join(root, "stagecraft.policy.yml"): "stagecraft.policy.yml",
		filepath.Join(root, "ci", "p.yml"):           "ci/p.yml",
		filepath.Join(t.TempDir(), "ci", "p.yml"):    "p.yml",
		filepath.Join(root, "..", "p.yml"):           "p.yml",
	} {
		if got := s.publicName(file); got != want {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
}
