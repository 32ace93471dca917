package build

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// allowLayouts is [allowEach] with layouts of the project.
var allowLayouts = strings.Replace(allowEach, "bases:", "layouts: ['base/**'], bases:", 1)

// layoutSite has an OCI layout in base/, built without a daemon.
func (r rig) layoutSite(t *testing.T, e Engine, text string) (s site, base Base) {
	t.Helper()
	s = r.site(t, embeddedKind, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /base/\nENV A=1\n", "file": "in the base"})
	dir := filepath.Join(s.Root, "base")
	s.Builds.Outputs = []Output{{Layout: true, Path: dir}}
	hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "base:1", false))
	imagetest.Write(t, s.Root, map[string]string{"app/Dockerfile": text})
	s.Builds.Engine, s.Builds.Outputs, s.policy = e, nil, allowLayouts
	base, err := ParseBase("a.invalid/base:1=oci:" + dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Builds.Bases = []Base{base}
	return s, base
}

// TestBasesInLayouts builds on an image of a registry that is not there, with what
// a layout has instead.
func TestBasesInLayouts(t *testing.T) { eachRig(t, testBasesInLayouts) }

func testBasesInLayouts(t *testing.T, r rig) {
	for _, e := range r.all() {
		t.Run(string(e.Kind), func(t *testing.T) {
			s, base := r.layoutSite(t, e, "FROM a.invalid/base:1 AS other\nFROM a.invalid/base:1\nCOPY --from=other /base/file /other\nLABEL a=$A\n")
			out := filepath.Join(imagetest.Dir(t), "image.tar")
			s.Builds.Outputs = []Output{{Path: out}}
			reply := s.build(t.Context(), t, "shop:layouts", false)
			if r.withoutBuildKit(t, s, e, reply, "images in OCI layouts") {
				return
			}
			if e.Kind == Docker && reply.Error != nil && strings.Contains(reply.Error.Message, "too old") {
				s.wantLine(t, reply, abi.CodeFailed, "this BuildKit is too old for base images from an OCI layout")
				return
			}
			built := hosttest.As[abi.DockerBuildResult](t, reply)
			found := findBase(t, base.Dir)
			if diff := cmp.Diff(map[string]string{"a.invalid/base:1@" + found: found}, built.Bases); diff != "" {
				t.Errorf("bases (-want +got):\n%s", diff)
			}
			wantArchive(t, out, built.Image)
		})
	}
}

func findBase(t *testing.T, dir string) string {
	t.Helper()
	found, err := image.FindStored(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return found.Digest.String()
}

// TestLayoutsAreDecidedOn wants a rule for a layout, and one for the image that
// it is to be: by the digest of what is there.
func TestLayoutsAreDecidedOn(t *testing.T) {
	s, base := rig{}.layoutSite(t, embeddedKind, "FROM a.invalid/base:1\n")
	s.Builds.Outputs = []Output{{Path: filepath.Join(imagetest.Dir(t), "image.tar")}}
	found := findBase(t, base.Dir)
	for name, tt := range map[string]struct {
		rules  string
		denied bool
	}{
		"both":               {"layouts: [base], bases: ['a.invalid/base:1@" + found + "']", false},
		"any digest":         {"layouts: ['**'], bases: ['a.invalid/base:1@sha256:*'], require_digest: true", false},
		"bases need no rule": {"layouts: [base]", false},
		"no layout":          {"bases: ['**']", true},
		"another layout":     {"layouts: [vendor/*]", true},
		"only a tag":         {"layouts: [base], bases: ['a.invalid/base:1']", true},
		"another digest":     {"layouts: [base], bases: ['a.invalid/base@" + digestLike("7") + "']", true},
	} {
		s.policy = strings.Replace(allowEach, "bases: ['**']", tt.rules, 1)
		reply := s.build(t.Context(), t, "shop:layouts", false)
		if denied := reply.Error != nil && reply.Error.Code == abi.CodeDenied; denied != tt.denied || !denied && reply.Error != nil {
			t.Errorf("%s: %+v, want a denial: %v", name, reply.Error, tt.denied)
		}
	}
}

// TestLayoutIsWhatWasDecidedOn has another image in the layout's place once it
// was decided on.
func TestLayoutIsWhatWasDecidedOn(t *testing.T) {
	s, base := rig{}.layoutSite(t, embeddedKind, "FROM a.invalid/base:1\n")
	s.Builds.Outputs = []Output{{Path: filepath.Join(imagetest.Dir(t), "image.tar")}}
	b := s.images()
	p, err := b.resolve(t.Context(), abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}})
	if err != nil {
		t.Fatal(err)
	}
	other, otherBase := rig{}.layoutSite(t, embeddedKind, "")
	imagetest.Write(t, other.Root, map[string]string{"app/Dockerfile": "FROM scratch\nCOPY Dockerfile /base/file\n"})
	other.Builds = Options{Engine: embeddedKind, Mode: "plain", Progress: other.progress, Outputs: []Output{{Layout: true, Path: otherBase.Dir + "2"}}}
	hosttest.As[abi.DockerBuildResult](t, other.build(t.Context(), t, "base:1", false))
	if err := os.RemoveAll(base.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(otherBase.Dir+"2", base.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := b.build(t.Context(), p); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}

func TestBaseLayoutsThatAreNone(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(s *site, dir string)
		want  string
	}{
		"not in the Dockerfile": {func(s *site, _ string) { s.Builds.Bases[0].Reference = "a.invalid/bose:1" }, "the Dockerfile \"app/Dockerfile\" does not use the image a.invalid/bose:1, but a.invalid/base:1"},
		"no directory":          {func(s *site, _ string) { s.Builds.Bases[0].Dir += "2" }, "not an OCI layout: no such file"},
		"an empty index":        {func(_ *site, dir string) { imagetest.Write(t, dir, map[string]string{"index.json": "{}"}) }, "it has 0 images"},
		"no index":              {func(_ *site, dir string) { imagetest.Write(t, dir, map[string]string{"index.json": "["}) }, "not an OCI layout: index.json"},
		"another digest":        {func(s *site, _ string) { s.Builds.Bases[0].Digest = digest.Digest(digestLike("a")) }, "missing image " + digestLike("a")},
		"another than pinned": {func(s *site, dir string) {
			ref := "a.invalid/base@" + digestLike("b")
			imagetest.Write(t, s.Root, map[string]string{"app/Dockerfile": "FROM " + ref + "\n"})
			s.Builds.Bases[0].Reference, s.Builds.Bases[0].Digest = ref, digest.Digest(findBase(t, dir))
		}, "its image is sha256:"},
		"a pipe": {func(_ *site, dir string) { pipeAt(t, filepath.Join(dir, "index.json")) }, "index.json: it is not a regular file"},
		"a link out of it": {func(_ *site, dir string) {
			if err := os.Rename(filepath.Join(dir, "index.json"), dir+".json"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(dir+".json", filepath.Join(dir, "index.json")); err != nil {
				t.Fatal(err)
			}
		}, "index.json: path escapes from parent"},
	} {
		t.Run(name, func(t *testing.T) {
			s, base := rig{}.layoutSite(t, embeddedKind, "FROM a.invalid/base:1\n")
			s.Builds.Outputs = []Output{{Path: filepath.Join(imagetest.Dir(t), "image.tar")}}
			tt.spoil(&s, base.Dir)
			s.wantLine(t, s.build(t.Context(), t, "shop:layouts", false), abi.CodeInvalid, tt.want)
		})
	}
}

func pipeAt(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestParseBaseLayout(t *testing.T) {
	here, err := filepath.Abs("dir")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Base{
		"alpine=oci:dir":                             {Reference: "docker.io/library/alpine:latest", Dir: here},
		"alpine:3=oci:dir@" + digestLike("a"):        {"docker.io/library/alpine:3", here, digest.Digest(digestLike("a"))},
		"ghcr.io/a/b@" + digestLike("b") + "=oci:/x": {Reference: "ghcr.io/a/b@" + digestLike("b"), Dir: "/x"},
		"a=oci:/x=y@z":                               {Reference: "docker.io/library/a:latest", Dir: "/x=y@z"},
	} {
		if got, err := ParseBase(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "alpine", "alpine=dir", "alpine=oci:", "=oci:dir", "A=oci:dir", "alpine=tar:x"} {
		if got, err := ParseBase(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}
