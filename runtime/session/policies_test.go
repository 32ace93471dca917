package session

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestChangePolicy changes a policy many times at once: no change is lost.
func TestChangePolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yml")
	const changes = 20
	var all sync.WaitGroup
	for range changes {
		all.Go(func() {
			err := ChangePolicy(t.Context(), func(error) {}, file, func(before []byte) ([]byte, error) { return append(before, "x\n"...), nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if data, err := os.ReadFile(file); err != nil || strings.Count(string(data), "x") != changes {
		t.Errorf("got %q, %v", data, err)
	}
}

// TestChangePolicyKeeps: a change that fails, or that changes nothing, leaves the file.
func TestChangePolicyKeeps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yml")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	if err := ChangePolicy(t.Context(), func(error) {}, file, func([]byte) ([]byte, error) { return []byte("y"), failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if err := ChangePolicy(t.Context(), func(error) {}, file, func(before []byte) ([]byte, error) { return before, nil }); err != nil {
		t.Error(err)
	}
	after, err := os.Stat(file)
	if err != nil || !os.SameFile(before, after) || after.Size() != 1 {
		t.Errorf("got %v, %v", after, err)
	}
	if err := ChangePolicy(t.Context(), func(error) {}, filepath.Dir(file), nil); err == nil {
		t.Error("a directory: no error")
	}
}
