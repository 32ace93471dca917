package build

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// ignoredContexts are contexts with ignore files, and what is in the image of a
// Dockerfile that copies all of the context, whatever the engine.
var ignoredContexts = map[string]struct {
	dockerfile string // empty is app/Dockerfile
	files      map[string]string
	want       []string
}{
	"a file below what is ignored": {
		files: map[string]string{".dockerignore": "*\n!dir/file\n", "dir/file": "", "dir/more": "", "other": ""},
		want:  []string{"dir/", "dir/file"},
	},
	"a file below a directory that is ignored": {
		files: map[string]string{".dockerignore": "dir\n!dir/a\n", "dir/a": "", "dir/b": "", "other": ""},
		want:  []string{".dockerignore", "Dockerfile", "dir/", "dir/a", "other"},
	},
	"a pattern deep down": {
		files: map[string]string{".dockerignore": "*\n!src/**/*.go\n", "src/a/b.go": "", "src/a/b.md": "", "src/c/d": ""},
		want:  []string{"src/", "src/a/", "src/a/b.go"},
	},
	"the ignore file of the Dockerfile": {
		files: map[string]string{"Dockerfile.dockerignore": "*\n!dir/file\n", ".dockerignore": "dir\n", "dir/file": "", "other": ""},
		want:  []string{"dir/", "dir/file"},
	},
	"the ignore file of the Dockerfile, with the other in the image": {
		files: map[string]string{"Dockerfile.dockerignore": "dir\n!dir/file\n", ".dockerignore": "file\n", "dir/file": "", "file": ""},
		want:  []string{".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "dir/", "dir/file", "file"},
	},
	"both of the build's own files are ignored": {
		files: map[string]string{".dockerignore": "Dockerfile\n.dockerignore\n", "a": ""},
		want:  []string{"a"},
	},
	"a Dockerfile in a directory that is ignored": {
		dockerfile: "app/deploy/Dockerfile",
		files:      map[string]string{".dockerignore": "deploy\n", "deploy/x": "", "a": ""},
		want:       []string{".dockerignore", "Dockerfile", "a"},
	},
	"a Dockerfile from outside of the context": {
		dockerfile: "Dockerfile",
		files:      map[string]string{".dockerignore": "dir\n!dir/a\n", "dir/a": "", "dir/b": ""},
		want:       []string{".dockerignore", "Dockerfile", "dir/", "dir/a"},
	},
	"ignore files that Podman has of its own": {
		files: map[string]string{".containerignore": "a\n", "Dockerfile.containerignore": "b\n", "a": "", "b": ""},
		want:  []string{".containerignore", "Dockerfile", "Dockerfile.containerignore", "a", "b"},
	},
	"a Dockerfile that Podman would preprocess": {
		dockerfile: "app/Dockerfile.in",
		files:      map[string]string{"a": ""},
		want:       []string{"Dockerfile", "Dockerfile.in", "a"},
	},
}

// TestIgnoredFiles wants the same files in the image from each engine.
func TestIgnoredFiles(t *testing.T) { eachRig(t, testIgnoredFiles) }

func testIgnoredFiles(t *testing.T, r rig) {
	for _, engine := range r.all() {
		for name, tt := range ignoredContexts {
			t.Run(string(engine.Kind)+" "+name, func(t *testing.T) {
				s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /all/\n"})
				imagetest.Write(t, filepath.Join(s.Root, "app"), tt.files)
				if tt.dockerfile != "" {
					// To all but the C preprocessor the second line is a comment.
					imagetest.Write(t, s.Root, map[string]string{tt.dockerfile: "FROM scratch\n#define all other\nCOPY . /all/\n"})
				}
				s.policy = strings.Replace(allowEach, "{build:", "{files: {read: [Dockerfile]}, build:", 1)
				s.ask = func(q *abi.DockerBuildRequest) { q.Dockerfile = tt.dockerfile }
				// Podman's look for a cached image fails while another test removes that.
				s.Builds.NoCache = true
				if got := s.filesBelow(t, "all/"); !slices.Equal(got, tt.want) {
					t.Errorf("files in the image (-want +got):\n%s\n%s", cmp.Diff(tt.want, got), s.progress)
				}
			})
		}
	}
}

// TestIgnoreFileInTheImage wants the ignore file as it is where an instruction
// copies it, from each engine, although the engine finds nothing to ignore there.
func TestIgnoreFileInTheImage(t *testing.T) { eachRig(t, testIgnoreFileInTheImage) }

func testIgnoreFileInTheImage(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			const ignore = "dir\n!dir/a\n# a comment\n"
			s := r.site(t, engine, map[string]string{
				"Dockerfile":    "FROM scratch\nCOPY .dockerignore /all/ignored\nCOPY dir /all/dir/\n",
				".dockerignore": ignore, "dir/a": "", "dir/b": "",
			})
			files := s.imageFiles(t)
			if got := files["all/ignored"].Text; got != ignore {
				t.Errorf("the image has %q, want %q", got, ignore)
			}
			if _, b := files["all/dir/b"]; b {
				t.Error("the image has dir/b")
			}
		})
	}
}

// filesBelow builds, and lists what the image has below a directory, in order.
func (s site) filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	for name, f := range s.imageFiles(t) {
		rest, ok := strings.CutPrefix(name, dir)
		if !ok {
			continue
		}
		if f.FileInfo().IsDir() {
			rest += "/"
		}
		names = append(names, rest)
	}
	slices.Sort(names)
	return names
}

// imageFiles builds, and returns what is in the image.
func (s site) imageFiles(t *testing.T) map[string]imagetest.File {
	t.Helper()
	path := filepath.Join(imagetest.Dir(t), "image.tar")
	s.Builds.Outputs = []Output{{Path: path}}
	built := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:files", false))
	tag, err := name.NewTag(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	is, err := tarball.ImageFromPath(path, &tag)
	if err != nil {
		t.Fatal(err)
	}
	files := mutate.Extract(is)
	defer files.Close()
	return imagetest.Tar(t, files)
}
