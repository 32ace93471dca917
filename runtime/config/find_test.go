package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

func mkdir(t *testing.T, elements ...string) string {
	t.Helper()
	dir := filepath.Join(elements...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFind(t *testing.T) {
	file := writeConfig(t, whole)
	deep := mkdir(t, filepath.Dir(file), "a", "b")
	for _, dir := range []string{filepath.Dir(file), deep} {
		if got, err := Find(dir); err != nil || got != (Found{File: file}) {
			t.Errorf("from %s: %v, %v", dir, got, err)
		}
	}
}

func TestFindNothing(t *testing.T) {
	dir := t.TempDir()
	_, err := Find(dir)
	e, ok := errors.AsType[*NotFoundError](err)
	if !ok || !strings.Contains(e.Error(), dir) || !strings.Contains(e.Hint(), "-C DIR") {
		t.Errorf("got %v", err)
	}
}

func TestFindNamesTheNearMiss(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "stagecraft.yaml")
	if err := os.WriteFile(other, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Find(mkdir(t, dir, "below"))
	e, ok := errors.AsType[*NotFoundError](err)
	if !ok || e.Near != other || !strings.Contains(e.Hint(), "there is "+other+": rename it to stagecraft.yml") {
		t.Errorf("got %#v", err)
	}
}

// TestFindPassesOver warns of a file with the usual wrong name that the user may have
// meant.
func TestFindPassesOver(t *testing.T) {
	file := writeConfig(t, whole)
	root := filepath.Dir(file)
	below := mkdir(t, root, "below")
	write := func(elements ...string) string {
		other := filepath.Join(elements...)
		if err := os.WriteFile(other, []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
		return other
	}
	nearer := write(below, otherName)
	for _, dir := range []string{below, mkdir(t, below, "deep")} {
		got, err := Find(dir)
		if err != nil || got != (Found{file, nearer}) || !strings.HasPrefix(got.Doubt().Error(), nearer+" is ignored: the configuration is "+file) {
			t.Errorf("from %s: got %v, %v", dir, got, err)
		}
	}
	if got, err := Find(root); err != nil || got.PassedOver != "" || got.Doubt() != nil {
		t.Errorf("below: got %v, %v", got, err)
	}
	beside := write(root, otherName)
	if got, err := Find(root); err != nil || got != (Found{file, beside}) {
		t.Errorf("beside: got %v, %v", got, err)
	}
	if err := errors.Join(os.Remove(beside), os.Symlink(FileName, beside)); err != nil {
		t.Skip("no links here:", err)
	}
	if got, err := Find(root); err != nil || got.PassedOver != "" {
		t.Errorf("the same file: got %v, %v", got, err)
	}
}

// TestFindPassesNothingOver: an unreadable file is not skipped for a good one above it.
func TestFindPassesNothingOver(t *testing.T) {
	file := writeConfig(t, whole)
	directory := mkdir(t, filepath.Dir(file), "a", FileName)
	if got, err := Find(filepath.Dir(directory)); err != nil || got.File != directory {
		t.Errorf("a directory: got %v, %v", got, err)
	}
	link := filepath.Join(mkdir(t, filepath.Dir(file), "b"), FileName)
	if err := os.Symlink("nowhere", link); err != nil {
		t.Skip("no links here:", err)
	}
	if got, err := Find(filepath.Dir(link)); err != nil || got.File != link {
		t.Errorf("a link: got %v, %v", got, err)
	}
}

func TestFindFromNoDirectory(t *testing.T) {
	file := writeConfig(t, whole)
	for dir, want := range map[string]string{
		file: file + ": expected a directory, got a file",
		filepath.Join(filepath.Dir(file), "none"): "directory " + filepath.Join(filepath.Dir(file), "none") + " not found",
	} {
		_, err := Find(dir)
		if problems, ok := err.(yamldoc.Problems); !ok || err.Error() != want || strings.Contains(problems[0].Hint, "-C") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
