package provider_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

func directory(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFind(t *testing.T) {
	dirs := provider.Dirs{
		BuiltIn: fstest.MapFS{"generic.wasm": {Data: []byte("built in")}, "README.md": {}},
		Project: directory(t, "mine.wasm", "generic.wasm", "Bad_Name.wasm", "notes.txt"),
		User:    directory(t, "mine.wasm", "zeta.wasm", "alpha.wasm"),
	}
	found, unusable, err := provider.Find(dirs)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range found {
		got = append(got, s.ID+" "+string(s.Origin))
	}
	if want := "alpha user, generic built-in, mine project, zeta user"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if len(unusable) != 2 || !strings.Contains(unusable[0].Error(), `"Bad_Name" is not a provider ID`) ||
		unusable[1].ID != "generic" || !strings.Contains(unusable[1].Error(), "belongs to a built-in provider") {
		t.Errorf("unusable: %v", unusable)
	}
	for _, s := range found {
		m, err := s.Read()
		if err != nil || len(m.Digest()) != 64 {
			t.Errorf("%s: %v, %q", s.ID, err, m.Digest())
		}
		if data, err := m.Bytes(); err != nil || s.ID == "generic" && string(data) != "built in" {
			t.Errorf("%s is %q, %v", s.ID, data, err)
		}
	}
}

// hashed is a file system whose files cannot be opened, with digests made before.
type hashed struct{ fstest.MapFS }

func (hashed) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

func (h hashed) Hashed(name string) (func() ([]byte, error), string) {
	return func() ([]byte, error) { return h.MapFS[name].Data, nil }, "digest of " + name
}

func TestReadHashed(t *testing.T) {
	files := hashed{fstest.MapFS{"generic.wasm": {Data: []byte("built in")}}}
	found, _, err := provider.Find(provider.Dirs{BuiltIn: files})
	if err != nil || len(found) != 1 {
		t.Fatalf("got %v, %v", found, err)
	}
	m, err := found[0].Read()
	if err != nil || m.Digest() != "digest of generic.wasm" {
		t.Fatalf("got %q, %v", m.Digest(), err)
	}
	if data, err := m.Bytes(); err != nil || string(data) != "built in" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestFindNothing(t *testing.T) {
	found, unusable, err := provider.Find(provider.Dirs{Project: filepath.Join(t.TempDir(), "none")})
	if len(found)+len(unusable) > 0 || err != nil {
		t.Errorf("got %v, %v, %v", found, unusable, err)
	}
	if _, _, err := provider.Find(provider.Dirs{User: filepath.Join(directory(t, "file"), "file")}); err == nil {
		t.Error("a file as a directory: no error")
	}
}

func TestReadRefuses(t *testing.T) {
	dir := directory(t)
	huge := filepath.Join(dir, "huge.wasm")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 200<<20); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		huge:                              "the file is larger than the limit for a module, 67108864 bytes",
		dir:                               "expected a file, got a directory",
		filepath.Join(dir, "none.wasm"):   "no such file",
		filepath.Join(dir, "x\x00.wasm"):  "invalid argument",
		filepath.Join(huge, "below.wasm"): "not a directory",
	} {
		_, err := provider.File(path).Read()
		e, ok := errors.AsType[*provider.UnusableError](err)
		if !ok || e.Path != path || (runtime.GOOS == "linux" && !strings.Contains(e.Reason, want)) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
