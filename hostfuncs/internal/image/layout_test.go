package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// entry is one of a tar; of a file where it has no kind.
type entry struct {
	name, text string
	kind       byte
	link       string
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Typeflag: e.kind, Name: e.name, Linkname: e.link, Mode: 0o777, Size: int64(len(e.text))}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func blobOf(text string) (entry, string) {
	sum := sha256.Sum256([]byte(text))
	name := hex.EncodeToString(sum[:])
	return entry{name: blobs + name, text: text}, fmt.Sprintf(`{"digest": "sha256:%s", "size": %d}`, name, len(text))
}

// aLayout are the entries of a layout of one layer: the directories first, as
// BuildKit sends them, and the index last.
func aLayout() []entry {
	config, configIs := blobOf("{}")
	layer, layerIs := blobOf("layer")
	manifest, manifestIs := blobOf(`{"config": ` + configIs + `, "layers": [` + layerIs + `]}`)
	return []entry{
		{name: "blobs/", kind: tar.TypeDir}, {name: "blobs/sha256/", kind: tar.TypeDir}, config, layer, manifest,
		{name: "oci-layout", text: "{}"}, {name: "index.json", text: `{"manifests": [` + manifestIs + `]}`},
	}
}

func TestUnpackLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	l, err := UnpackLayout(bytes.NewReader(tarOf(t, aLayout()...)), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(); err != nil {
		t.Fatal(err)
	}
	wantLayout(t, filepath.Dir(dir))
}

// TestLayoutIsAsEveryOther has builders send layouts that differ in what no image
// is: they become the same one, with their names.
func TestLayoutIsAsEveryOther(t *testing.T) {
	bare := aLayout()
	index := bare[len(bare)-1].text
	is := strings.TrimSuffix(strings.TrimPrefix(index, `{"manifests": [`), `]}`)
	kind := `"mediaType": "application/vnd.oci.image.manifest.v1+json", `
	with := func(more string) string { return strings.Replace(is, "{", "{"+kind+more, 1) }
	var want string
	for _, manifests := range []string{
		with(""),
		with(`"artifactType": "application/vnd.docker.container.image.v1+json", "annotations": {"org.opencontainers.image.created": "2026-01-02T03:04:05Z"}, `),
		with(`"annotations": {"org.opencontainers.image.ref.name": "other"}, `) + ", " + with(`"platform": {"os": "linux", "architecture": "arm64"}, `),
	} {
		dir := filepath.Join(t.TempDir(), "out")
		bare[len(bare)-1].text = `{"manifests": [` + manifests + `]}`
		sent := append([]entry{{name: "manifest.json", text: "[]"}}, bare...)
		l, err := UnpackLayout(bytes.NewReader(tarOf(t, sent...)), dir, []string{"a.test/x:1", "y"})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "index.json"))
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(text)
		}
		if string(text) != want || !strings.Contains(want, `"docker.io/library/y:latest"`) || strings.Count(want, "ref.name") != 2 {
			t.Errorf("the index is %s, want %s", text, want)
		}
		if _, err := os.Lstat(filepath.Join(dir, "manifest.json")); err == nil {
			t.Error("there is a manifest.json")
		}
		if !strings.Contains(want, l.Image.Digest()) || l.Image.Config != digest.FromString("{}").String() {
			t.Errorf("it has the image %+v", l.Image)
		}
	}
}

// TestUnpackLayoutRefuses has a builder send what it should not.
func TestUnpackLayoutRefuses(t *testing.T) {
	good := aLayout()
	with := func(more ...entry) []entry { return append(more, good...) }
	other, _ := blobOf("other")
	other.text = "another"
	layer, layerIs := blobOf("{} ")
	two := append(append([]entry{}, good[:len(good)-1]...), layer, entry{
		name: "index.json", text: strings.Replace(good[len(good)-1].text, "[", "["+layerIs+", ", 1),
	})
	for _, tt := range []struct {
		name    string
		entries []entry
		want    string
	}{
		{"a name that leads out", with(entry{name: "../evil"}), `unexpected file "../evil"`},
		{"an absolute name", with(entry{name: "/tmp/evil"}), `unexpected file "/tmp/evil"`},
		{"a name that leads out and back in", with(entry{name: "blobs/../../index.json"}), `unexpected file "blobs/../../index.json"`},
		{"a link", with(entry{name: "blobs/sha256", kind: tar.TypeSymlink, link: "/tmp"}), `unexpected file "blobs/sha256"`},
		{"a link as a file", with(entry{name: "index.json", kind: tar.TypeSymlink, link: "/etc/passwd"}), `unexpected file "index.json"`},
		{"a hard link", with(entry{name: "oci-layout", kind: tar.TypeLink, link: "/etc/passwd"}), `unexpected file "oci-layout"`},
		{"a device", with(entry{name: "oci-layout", kind: tar.TypeChar}), `unexpected file "oci-layout"`},
		{"a pipe", with(entry{name: "oci-layout", kind: tar.TypeFifo}), `unexpected file "oci-layout"`},
		{"another directory", with(entry{name: "blobs/md5/", kind: tar.TypeDir}), `unexpected file "blobs/md5/"`},
		{"a file twice", with(entry{name: "oci-layout"}), "exists"},
		{"a blob that is another one", with(other), "does not have the digest in its name"},
		{"nothing", nil, "missing oci-layout"},
		{"no index", good[:len(good)-1], "missing index.json"},
		{"a blob that is missing", append(append([]entry{}, good[:3]...), good[4:]...), "incomplete OCI layout"},
		{"a manifest that is missing", append(append([]entry{}, good[:4]...), good[5:]...), "incomplete OCI layout"},
		{"a digest that is a path", []entry{{name: "oci-layout"}, {name: "index.json", text: `{"manifests": [{"digest": "sha256:../../index.json", "size": 58}]}`}}, "incomplete OCI layout"},
		{"two images", two, "has 2 images"},
		{"no image", append(append([]entry{}, good[:len(good)-1]...), entry{name: "index.json", text: `{"manifests": []}`}), "has 0 images"},
		{"an index that is none", []entry{{name: "oci-layout"}, {name: "index.json", text: "x"}}, "a manifest of the OCI layout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parent := t.TempDir()
			_, err := UnpackLayout(bytes.NewReader(tarOf(t, tt.entries...)), filepath.Join(parent, "out"), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
				t.Errorf("there is left %v, %v", left, err)
			}
		})
	}
}

// TestUnpackLayoutSparse has a builder send a few bytes that stand for more than
// a disk has.
func TestUnpackLayoutSparse(t *testing.T) {
	data := imagetest.Sparse(t, "oci-layout", 1<<50)
	_, err := UnpackLayout(bytes.NewReader(data), filepath.Join(t.TempDir(), "out"), nil)
	if err == nil || !strings.Contains(err.Error(), "is sparse") {
		t.Errorf("got %v", err)
	}
}

// TestArchiveToLayoutSize has an engine send what a reader would make more of.
func TestArchiveToLayoutSize(t *testing.T) {
	for want, data := range map[string][]byte{
		`"layer.tar" in the engine's archive is sparse`:              imagetest.Sparse(t, "layer.tar", 1<<50),
		`manifest.json in the engine's archive is larger than 4 MiB`: tarOf(t, entry{name: "./manifest.json", text: strings.Repeat(" ", manifestLimit+1)}),
		"file manifest.json not found in tar":                        tarOf(t, entry{name: "x", text: strings.Repeat(" ", manifestLimit+1)}),
	} {
		parent := t.TempDir()
		_, err := ArchiveToLayout(bytes.NewReader(data), filepath.Join(parent, "out"), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
			t.Errorf("there is left %v, %v", left, err)
		}
	}
}

// FuzzUnpackLayout wants nothing but a layout, whatever comes, and nothing at all
// where that is none.
func FuzzUnpackLayout(f *testing.F) {
	good := tarOf(f, aLayout()...)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(tarOf(f, append(aLayout(), entry{name: "../x"})...))
	f.Add(tarOf(f, entry{name: "blobs/sha256", kind: tar.TypeSymlink, link: ".."}))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		l, err := UnpackLayout(bytes.NewReader(data), filepath.Join(parent, "out"), nil)
		if err == nil {
			err = l.Commit()
		}
		if left, rerr := os.ReadDir(parent); err != nil && (rerr != nil || len(left) > 0) {
			t.Errorf("%v, and there is left %v, %v", err, left, rerr)
		}
		wantLayout(t, parent)
	})
}

// wantLayout wants regular files of a layout, and directories, and nothing else.
func wantLayout(t *testing.T, parent string) {
	t.Helper()
	err := filepath.WalkDir(parent, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(filepath.Join(parent, "out"), path)
		if !d.Type().IsRegular() || !layoutName().MatchString(filepath.ToSlash(name)) {
			t.Errorf("there is %s, %v", path, d.Type())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
