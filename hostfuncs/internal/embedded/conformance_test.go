package embedded

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/txtar"

	ours "github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestConformance builds each Dockerfile of testdata/conformance here and with
// BuildKit, and wants the same image: files, settings, number of layers. In each
// archive a file "setup" says, a line each, what txtar cannot:
//
//	mode 0600 FILE         FILE has that mode
//	link TARGET FILE       FILE is a link
//	tar|tgz FILE DIR    FILE is an archive of DIR's contents
//	arg NAME=VALUE         a build argument
//	target STAGE
//	differs FILE REASON    that file is not compared
func TestConformance(t *testing.T) { providertest.BuildKitEngines(t, testConformance) }

func testConformance(t *testing.T, engine providertest.Engine) {
	e := newBuildKit(t, engine.Host)
	all, err := filepath.Glob("testdata/conformance/*.txtar")
	if err != nil || len(all) < 25 {
		t.Fatalf("%d cases, %v", len(all), err)
	}
	for _, file := range all {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			c := readCase(t, file)
			o := options(t, c.build)
			o.Base = e.base
			built := mustBuild(t, c.build, o)
			c.compare(t, e.build(t, c.build), savedImage(t, built))
		})
	}
}

// conformanceCase is a build, and what is not compared.
type conformanceCase struct {
	build   ours.Build
	differs []string
}

func readCase(t *testing.T, file string) conformanceCase {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	setup := files["setup"]
	delete(files, "setup")
	c := conformanceCase{build: aBuild(t, files)}
	c.build.Args = map[string]string{}
	for line := range strings.Lines(setup) {
		c.prepare(t, strings.Fields(line))
	}
	return c
}

func (c *conformanceCase) prepare(t *testing.T, words []string) {
	t.Helper()
	in := func(i int) string { return filepath.Join(c.build.Context, words[i]) }
	var err error
	switch words[0] {
	case "mode":
		var mode uint64
		mode, err = strconv.ParseUint(words[1], 8, 32)
		err = cmp.Or(err, os.Chmod(in(2), os.FileMode(mode)))
	case "link":
		err = os.Symlink(words[1], in(2))
	case "tar", "tgz":
		err = writeArchive(in(1), in(2), words[0] == "tgz")
	case "arg":
		name, value, _ := strings.Cut(words[1], "=")
		c.build.Args[name] = value
	case "target":
		c.build.Target = words[1]
	case "differs":
		if len(words) < 3 {
			t.Fatalf("setup: %v has no reason", words)
		}
		c.differs = append(c.differs, words[1])
	default:
		t.Fatalf("setup: %v", words)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// writeArchive makes an archive of a directory's contents, which belong to 7:8 in
// it, and removes the directory.
func writeArchive(file, directory string, compressed bool) error {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	err := filepath.Walk(directory, func(path string, info os.FileInfo, err error) error {
		if err != nil || path == directory {
			return err
		}
		target, _ := os.Readlink(path)
		h, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		if h.Name, err = filepath.Rel(directory, path); err != nil {
			return err
		}
		h.Uid, h.Gid, h.Uname, h.Gname = 7, 8, "", ""
		if err := w.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	if err = cmp.Or(err, w.Close(), os.RemoveAll(directory)); err != nil {
		return err
	}
	out := packed.Bytes()
	if compressed {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, err := z.Write(out)
		if err = cmp.Or(err, z.Close()); err != nil {
			return err
		}
		out = zipped.Bytes()
	}
	return os.WriteFile(file, out, 0o644)
}

// settings are what is compared of a configuration.
type settings struct {
	Architecture, OS, Author string
	Config                   dockerspec.DockerOCIImageConfig
	History                  []string // the steps, with + where there is a layer
}

func readSettings(t *testing.T, raw []byte) settings {
	t.Helper()
	var c dockerspec.DockerOCIImage
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	s := settings{Architecture: c.Architecture, OS: c.OS, Author: c.Author, Config: c.Config}
	for _, h := range c.History {
		step := plainStep(h.CreatedBy)
		if !h.EmptyLayer {
			step = "+ " + step
		}
		s.History = append(s.History, step)
	}
	return s
}

// plainStep is a step without what engines of 2020 and those of today say in
// different ways: flags, values of ARG, lists of ports, health checks.
func plainStep(step string) string {
	words := strings.Fields(strings.TrimSuffix(step, " # buildkit"))
	words = slices.DeleteFunc(words, func(w string) bool { return strings.HasPrefix(w, "--ch") })
	if len(words) == 0 {
		return ""
	}
	switch words[0] {
	case "EXPOSE", "HEALTHCHECK":
		return words[0]
	case "ARG":
		for i, w := range words {
			words[i], _, _ = strings.Cut(w, "=")
		}
	}
	return strings.Join(words, " ")
}

func (c *conformanceCase) compare(t *testing.T, theirs, ours saved) {
	t.Helper()
	want, got := theirs.files(), ours.files()
	wanted, is := readSettings(t, theirs.config), readSettings(t, ours.config)
	for _, name := range c.differs {
		delete(want, name)
		delete(got, name)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("files (-BuildKit +embedded):\n%s", diff)
	}
	if diff := gocmp.Diff(wanted, is); diff != "" {
		t.Errorf("settings (-BuildKit +embedded):\n%s", diff)
	}
	if len(theirs.layers) != len(ours.layers) {
		t.Errorf("%d layers, with BuildKit %d", len(ours.layers), len(theirs.layers))
	}
}

// TestLoad wants an engine to take what is built here for what it is.
func TestLoad(t *testing.T) { providertest.BuildKitEngines(t, testLoad) }

func testLoad(t *testing.T, engine providertest.Engine) {
	e := newBuildKit(t, engine.Host)
	b := aBuild(t, map[string]string{
		"Dockerfile": "FROM " + baseTag + "\nCOPY a /\nWORKDIR /data\nENV X=1\n", "a": "a",
	})
	o := options(t, b)
	o.Base = e.base
	built := mustBuild(t, b, o)
	const tag = "stagecraft.test/loaded:1"
	if err := e.load(t.Context(), built, tag); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.remove(t, tag) })
	loaded, err := e.engine.ImageInspect(t.Context(), tag)
	if err != nil {
		t.Fatal(err)
	}
	is, err := built.Identity()
	if err != nil {
		t.Fatal(err)
	}
	want := is.Config
	if loaded.Descriptor != nil {
		want = is.Digest()
	}
	if loaded.ID != want || len(loaded.RootFS.Layers) != 3 {
		t.Errorf("the engine has %s with %d layers, built was %+v", loaded.ID, len(loaded.RootFS.Layers), is)
	}
	file := filepath.Join(t.TempDir(), "loaded.tar")
	e.save(t, tag, file)
	r, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if diff := gocmp.Diff(savedImage(t, built).files(), readSaved(t, r).files()); diff != "" {
		t.Errorf("-built +loaded:\n%s", diff)
	}
}
