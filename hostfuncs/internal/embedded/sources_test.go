package embedded

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// aRegistry is a registry for a test, and the paths that were asked of it.
func aRegistry(t *testing.T) (host string, asked func() []string) {
	t.Helper()
	var paths []string
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	got := make(chan string, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Method + " " + r.URL.Path
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), func() []string {
		for {
			select {
			case path := <-got:
				paths = append(paths, path)
			default:
				return paths
			}
		}
	}
}

// pushed builds an image and pushes it.
func pushed(t *testing.T, ref string, files map[string]string, o func(*Options)) string {
	t.Helper()
	b := aBuild(t, files)
	opts := options(t, b)
	if o != nil {
		o(&opts)
	}
	digest, err := mustBuild(t, b, opts).Push(t.Context(), ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestPushAndBuildFrom(t *testing.T) {
	host, asked := aRegistry(t)
	digest := pushed(t, host+"/base:1", map[string]string{
		"Dockerfile": "FROM scratch\nCOPY a d /base/\nENV A=1\nUSER 5\nWORKDIR /base\n", "a": "a", "d/b": "b",
	}, nil)
	ref, err := name.ParseReference(host + "/base@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	found, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(found); err != nil {
		t.Errorf("the pushed image: %v", err)
	}
	b := aBuild(t, map[string]string{
		"Dockerfile": "FROM " + host + "/base:1\nCOPY x sub/\nLABEL a=$A\nFROM scratch AS last\nCOPY --from=" + host + "/base:1 /base/b /\n", "x": "x",
	})
	o := options(t, b)
	o.Base = FromRegistry(nil)
	if got := savedImage(t, mustBuild(t, b, o)).files(); len(got) != 1 || got["b"].Text != "b" {
		t.Errorf("files from the image: %v", got)
	}
	b = aBuild(t, map[string]string{"Dockerfile": "FROM " + host + "/base:1\nCOPY x sub/\nLABEL a=$A\n", "x": "x"})
	o = options(t, b)
	o.Base = FromRegistry(nil)
	built := mustBuild(t, b, o)
	if got := built.Bases[host+"/base:1"]; got != digest {
		t.Errorf("the base's digest is %q, and it was pushed as %s", got, digest)
	}
	s := savedImage(t, built)
	files := s.files()
	if files["base/sub/x"].Text != "x" || files["base/b"].Text != "b" || len(s.layers) != 3 {
		t.Errorf("%d layers with %v", len(s.layers), files)
	}
	if c := built.Config.Config; c.User != "5" || c.Labels["a"] != "1" || len(built.Config.History) != 6 {
		t.Errorf("settings %+v, history %v", c, built.Config.History)
	}
	if digest, err = built.Push(t.Context(), host+"/other", nil); err != nil {
		t.Fatal(err)
	}
	if own, err := built.Digest(); own != digest || err != nil {
		t.Errorf("pushed %s, have %s, %v", digest, own, err)
	}
	if !slices.Contains(asked(), "PUT /v2/other/manifests/latest") {
		t.Errorf("asked for %v", asked())
	}
}

// TestBuildReadsNoLayersForSettings wants an image's layers not to be pulled
// where nobody must know what is in them.
func TestBuildReadsNoLayersForSettings(t *testing.T) {
	host, asked := aRegistry(t)
	pushed(t, host+"/base:1", map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": "a"}, nil)
	before := len(asked())
	b := aBuild(t, map[string]string{"Dockerfile": "FROM " + host + "/base:1\nENV A=1\n"})
	o := options(t, b)
	o.Base = FromRegistry(nil)
	mustBuild(t, b, o)
	// The version, the manifest, the configuration.
	if got := asked()[before:]; len(got) != 3 {
		t.Errorf("asked for %v", got)
	}
}

func TestBuildChoosesThePlatform(t *testing.T) {
	host, _ := aRegistry(t)
	var index v1.ImageIndex = empty.Index
	for _, arch := range []string{"arm64", "amd64"} {
		tag := host + "/parts:" + arch
		pushed(t, tag, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\nARG TARGETARCH\nENV ARCH=$TARGETARCH\n", "a": arch}, func(o *Options) { o.Platform = "linux/" + arch })
		ref, err := name.ParseReference(tag)
		if err != nil {
			t.Fatal(err)
		}
		part, err := remote.Image(ref)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: part, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	ref, err := name.ParseReference(host + "/multi:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	whole, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	stored := storedIn(t, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index}))
	for name, base := range map[string]Base{"registry": FromRegistry(nil), "layout": FromStored(map[string]image.Stored{ref.Name(): stored}, nil)} {
		for _, arch := range []string{"arm64", "amd64"} {
			b := aBuild(t, map[string]string{"Dockerfile": "FROM " + ref.Name() + "\nFROM --platform=linux/amd64 " + ref.Name() + " AS other\nFROM " + ref.Name() + "\nCOPY --from=other /a /other\n"})
			o := options(t, b)
			o.Platform, o.Base = "linux/"+arch, base
			built := mustBuild(t, b, o)
			files := savedImage(t, built).files()
			if files["a"].Text != arch || files["other"].Text != "amd64" || built.Config.Architecture != arch {
				t.Errorf("%s, %s: %v, %s", name, arch, files, built.Config.Architecture)
			}
			if got := built.Bases[ref.Name()]; got != whole.String() {
				t.Errorf("%s, %s: the base's digest is %q, and that of the index %s", name, arch, got, whole)
			}
		}
	}
	b := aBuild(t, map[string]string{"Dockerfile": "FROM " + ref.Name() + "\n"})
	o := options(t, b)
	o.Platform, o.Base = "linux/s390x", FromStored(map[string]image.Stored{ref.Name(): stored}, nil)
	if _, err := Build(t.Context(), b, o); err == nil || !strings.Contains(err.Error(), "no image for linux/s390x") {
		t.Errorf("got %v", err)
	}
}

// writeLayout puts an OCI layout of an image at dir.
func writeLayout(built *Image, dir string, tags []string) error {
	l, err := built.Layout(dir, tags)
	if err != nil {
		return err
	}
	return l.Commit()
}

func TestWriteLayout(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": strings.Repeat("a", 3<<20)})
	built := mustBuild(t, b, options(t, b))
	dir := filepath.Join(t.TempDir(), "layout")
	if err := writeLayout(built, dir, []string{"a.test/x:1"}); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"2", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeLayout(built, dir+"2", nil); err != nil {
		t.Errorf("to an empty directory: %v", err)
	}
	if err := writeLayout(built, dir+"3", []string{"NOT A TAG"}); err == nil {
		t.Error("a wrong tag was taken")
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := built.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if d := manifest.Manifests[0]; d.Annotations["io.containerd.image.name"] != "a.test/x:1" || d.Annotations["org.opencontainers.image.ref.name"] != "1" || d.Digest.String() != digest {
		t.Errorf("the layout has %+v, want %s", d, digest)
	}
}

// spoiled is an image whose layer is not the one that its configuration names.
type spoiled struct{ v1.Image }

func (s spoiled) RawConfigFile() ([]byte, error) {
	raw, err := s.Image.RawConfigFile()
	if err != nil {
		return nil, err
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	c["rootfs"].(map[string]any)["diff_ids"] = []string{"sha256:" + strings.Repeat("0", 64)}
	return json.Marshal(c)
}

func TestBuildRefusesBases(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": "a"})
	good, err := mustBuild(t, b, options(t, b)).V1()
	if err != nil {
		t.Fatal(err)
	}
	triggers, err := mutate.Config(good, v1.Config{OnBuild: []string{"RUN make"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		base v1.Image
		want string
	}{
		{"another layer", spoiled{good}, "but 0000"},
		{"triggers", triggers, "Dockerfile:1: docker.io/library/a:latest: the image has ONBUILD triggers, which need an engine"},
	} {
		b := aBuild(t, map[string]string{"Dockerfile": "FROM a\nCOPY x /\n", "x": ""})
		o := options(t, b)
		o.Base = func(context.Context, string, v1.Platform) (Found, error) { return Found{Image: tt.base}, nil }
		if _, err := Build(t.Context(), b, o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestFromDecided asks no registry for an image that was not decided on.
func TestFromDecided(t *testing.T) {
	written := func(ref string) (string, error) {
		tagged, err := image.ParseTag(ref)
		return tagged.String(), err
	}
	find := FromDecided(image.Build{Bases: []string{"a.invalid/base:1"}}, nil, written)
	for ref, decided := range map[string]bool{"a.invalid/base:2": false, "a.invalid/base": false, "a.invalid/base:1": true} {
		_, err := find(t.Context(), ref, v1.Platform{OS: "linux", Architecture: "amd64"})
		if err == nil || strings.Contains(err.Error(), "the image was not decided on") == decided {
			t.Errorf("%s: got %v", ref, err)
		}
	}
}
