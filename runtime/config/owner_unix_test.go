//go:build unix

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFindOfAnotherUser searches upward from a directory of root and finds a file of
// another user.
func TestFindOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	file := writeConfig(t, whole)
	deep := mkdir(t, filepath.Dir(file), "a")
	give := func(path string, uid int) {
		t.Helper()
		if err := os.Lchown(path, uid, -1); err != nil {
			t.Fatal(err)
		}
	}
	give(file, 65534)
	if _, err := Find(deep); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("another user's: %v", err)
	}
	if _, err := Find(filepath.Dir(file)); err != nil {
		t.Errorf("in the directory itself: %v", err)
	}
	give(deep, 65534)
	if _, err := Find(deep); err != nil {
		t.Errorf("the directory's owner: %v", err)
	}
}
