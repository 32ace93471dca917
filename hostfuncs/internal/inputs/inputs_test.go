package inputs

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "inputs")
	s := Store(dir)
	name, input := []string{"secret", "A"}, []string{"set A", "canary-value"}
	wants := func(want bool, name, input []string) {
		t.Helper()
		if got := s.Same(name, input); got != want {
			t.Errorf("%q %q: same is %v", name, input, got)
		}
	}
	wants(false, name, input)
	if _, err := os.Stat(dir); err == nil {
		t.Error("a look makes the directory")
	}
	keep(t, s, name, input)
	wants(true, name, input)
	wants(false, name, []string{"set A", "other"})
	wants(false, name, []string{"set Acanary", "-value"})
	wants(false, name, []string{"set A", "canary-value", ""})
	wants(false, []string{"secret", "B"}, input)
	wants(false, []string{"secretA"}, input)

	// The last one counts, not any that was.
	keep(t, s, name, []string{"other"})
	wants(false, name, input)
	keep(t, s, name, input)
	if err := s.Forget(name); err != nil {
		t.Fatal(err)
	}
	wants(false, name, input)
	if err := s.Forget(name); err != nil {
		t.Errorf("forgotten twice: %v", err)
	}
}

func keep(t *testing.T, s Store, name, input []string) {
	t.Helper()
	if err := s.Keep(name, input); err != nil {
		t.Fatal(err)
	}
}

// TestTellsNothing reads all that is written: no name, no input, and nothing that
// another user of another key would write for them.
func TestTellsNothing(t *testing.T) {
	name, input := []string{"canary-name"}, []string{"canary-value"}
	var written [2][]byte
	for i := range written {
		s := Store(filepath.Join(t.TempDir(), "inputs"))
		keep(t, s, name, input)
		entries, err := os.ReadDir(string(s))
		if err != nil || len(entries) != 2 {
			t.Fatalf("%v, %v", entries, err)
		}
		for _, entry := range entries {
			data, err := os.ReadFile(filepath.Join(string(s), entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if info, err := entry.Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v, %v", entry.Name(), info.Mode(), err)
			}
			if strings.Contains(entry.Name()+string(data), "canary") {
				t.Errorf("%s has %q", entry.Name(), data)
			}
			if entry.Name() != "key" {
				written[i] = append([]byte(entry.Name()), data...)
			}
		}
	}
	if bytes.Equal(written[0], written[1]) {
		t.Error("two keys give one hash")
	}
}

// TestDamaged takes nothing for kept that is not whole or not the user's own.
func TestDamaged(t *testing.T) {
	name, input := []string{"n"}, []string{"i"}
	for what, damage := range map[string]func(s Store, key []byte) error{
		"no key":       func(s Store, _ []byte) error { return os.Remove(s.keyFile()) },
		"a short key":  func(s Store, key []byte) error { return os.WriteFile(s.keyFile(), key[:8], 0o600) },
		"an empty key": func(s Store, _ []byte) error { return os.WriteFile(s.keyFile(), nil, 0o600) },
		"a short sum":  func(s Store, key []byte) error { return os.WriteFile(s.file(key, name), nil, 0o600) },
		"a link": func(s Store, key []byte) error {
			file := s.file(key, name)
			if err := os.Rename(file, file+"x"); err != nil {
				return err
			}
			return os.Symlink(file+"x", file)
		},
	} {
		s := Store(filepath.Join(t.TempDir(), "inputs"))
		keep(t, s, name, input)
		key, err := s.key()
		if err == nil {
			err = damage(s, key)
		}
		if err != nil {
			if runtime.GOOS == "windows" {
				continue // links need a right there
			}
			t.Fatal(err)
		}
		if s.Same(name, input) {
			t.Errorf("%s: same", what)
		}
		if err := s.Forget(name); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if keep(t, s, name, input); !s.Same(name, input) {
			t.Errorf("%s: it is not kept again", what)
		}
	}
	if Store("").Keep(name, input) != nil || Store("").Same(name, input) || Store("").Forget(name) != nil {
		t.Error("no directory")
	}
}
