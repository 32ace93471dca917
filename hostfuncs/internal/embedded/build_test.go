package embedded

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// aBuild is a build of a context with the files; Dockerfile is one of them.
func aBuild(t testing.TB, files map[string]string) image.Build {
	t.Helper()
	dir, dockerfile := imagetest.Context(t, files)
	return image.Build{Context: dir, Dockerfile: dockerfile}
}

// options are those that a test of b needs: the Dockerfile, and a directory that
// is empty again when the test is over.
func options(t testing.TB, b image.Build) Options {
	t.Helper()
	text, err := os.ReadFile(b.Dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	t.Cleanup(func() {
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
	return Options{Text: text, Temp: temp, Platform: "linux/amd64"}
}

func mustBuild(t testing.TB, b image.Build, o Options) *Image {
	t.Helper()
	built, err := Build(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := built.Close(); err != nil {
			t.Error(err)
		}
	})
	return built
}

// entry is a file of an image.
type entry struct {
	Kind     string
	Mode     int64
	Uid, Gid int
	Size     int64
	Text     string
	Link     string
}

// saved is an image as docker save and WriteTar write it.
type saved struct {
	config []byte
	layers []map[string]imagetest.File
	names  [][]string
	tags   []string
}

func readSaved(t testing.TB, r io.Reader) saved {
	t.Helper()
	archive := imagetest.Tar(t, r)
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal([]byte(archive["manifest.json"].Text), &manifest); err != nil {
		t.Fatal(err)
	}
	s := saved{config: []byte(archive[manifest[0].Config].Text), tags: manifest[0].RepoTags}
	for _, name := range manifest[0].Layers {
		if link := archive[name].Linkname; link != "" {
			name = path.Join(path.Dir(name), link)
		}
		plain, err := decompress(strings.NewReader(archive[name].Text))
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(plain)
		if err != nil {
			t.Fatal(err)
		}
		s.layers = append(s.layers, imagetest.Tar(t, bytes.NewReader(all)))
		s.names = append(s.names, tarNames(t, all))
	}
	return s
}

func tarNames(t testing.TB, all []byte) []string {
	t.Helper()
	var names []string
	for r := tar.NewReader(bytes.NewReader(all)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}

// files are those of all layers, the later ones laid over the earlier.
func (s saved) files() map[string]entry {
	files := map[string]entry{}
	for _, l := range s.layers {
		files = overlay(files, l)
	}
	return files
}

func overlay(below map[string]entry, layer map[string]imagetest.File) map[string]entry {
	files := maps.Clone(below)
	for name := range layer {
		dir, base := path.Split(path.Clean(name))
		if base == whiteoutOpaque {
			takeAway(files, path.Clean(dir), false)
		} else if rest, ok := strings.CutPrefix(base, whiteout); ok {
			takeAway(files, path.Join(dir, rest), true)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(layer)) {
		f := layer[name]
		clean := path.Clean(name)
		if strings.HasPrefix(path.Base(clean), whiteout) || clean == "." {
			continue
		}
		if f.Typeflag != tar.TypeDir {
			takeAway(files, clean, true)
		}
		files[clean] = asEntry(f)
	}
	// A hard link is what it is a link to.
	for name, e := range files {
		if e.Kind == string(tar.TypeLink) {
			files[name] = files[path.Clean(e.Link)]
		}
	}
	return files
}

func takeAway(files map[string]entry, name string, itself bool) {
	for other := range files {
		if strings.HasPrefix(other, name+"/") || itself && other == name {
			delete(files, other)
		}
	}
}

func asEntry(f imagetest.File) entry {
	e := entry{Kind: string(f.Typeflag), Mode: f.Mode & 0o7777, Uid: f.Uid, Gid: f.Gid, Text: f.Text, Link: f.Linkname}
	e.Size = int64(len(f.Text))
	return e
}

func savedImage(t testing.TB, built *Image, tags ...string) saved {
	t.Helper()
	var archive bytes.Buffer
	if err := built.WriteTar(&archive, tags); err != nil {
		t.Fatal(err)
	}
	return readSaved(t, &archive)
}

func TestBuildSmall(t *testing.T) {
	b := aBuild(t, map[string]string{
		"Dockerfile": "FROM scratch AS a\nCOPY x /x/\nFROM a\nWORKDIR /app\nCOPY --from=a /x/x .\nENV A=1 B=$A\nCMD [\"/x\"]\n",
		"x":          "text",
	})
	built := mustBuild(t, b, options(t, b))
	s := savedImage(t, built, "a.test/x")
	want := map[string]entry{
		"x": {Kind: "5", Mode: 0o755}, "x/x": {Kind: "0", Mode: 0o644, Size: 4, Text: "text"},
		"app": {Kind: "5", Mode: 0o755}, "app/x": {Kind: "0", Mode: 0o644, Size: 4, Text: "text"},
	}
	if got := s.files(); !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if len(s.layers) != 3 || !slices.Equal(s.tags, []string{"a.test/x:latest"}) {
		t.Errorf("%d layers, tags %v", len(s.layers), s.tags)
	}
	if _, err := os.Stat(filepath.Join(b.Context, "x")); err != nil {
		t.Error(err)
	}
}
