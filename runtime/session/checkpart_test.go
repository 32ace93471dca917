package session

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// TestCheckKey requires another key for whatever changes the result of a check.
func TestCheckKey(t *testing.T) {
	seen := make(map[string]bool)
	for _, of := range []struct {
		about abi.Description
		part  string
	}{
		{abi.Description{ConfigSchema: abi.JSON("{}")}, "{}"},
		{abi.Description{ConfigSchema: abi.JSON("true")}, "{}"},
		{abi.Description{ConfigSchema: abi.JSON("{}"), TextFrom: []string{"/a"}}, "{}"},
		{abi.Description{ConfigSchema: abi.JSON("{}")}, "null"},
		{abi.Description{ConfigSchema: abi.JSON("{}{")}, "}"},
	} {
		key := string(checkKey(of.about, []byte(of.part)))
		if key == "" || seen[key] {
			t.Errorf("%+v: got %x", of, key)
		}
		seen[key] = true
	}
}

func TestWasValid(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file, key := filepath.Join(dir, "f"), []byte("0123456789")
	if wasValid(file, key) || wasValid("", key) {
		t.Error("nothing is known")
	}
	for content, want := range map[string]bool{"0123456789": true, "012345678": false, "0123456789x": false, "x123456789": false} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := wasValid(file, key); got != want {
			t.Errorf("%s: got %t", content, got)
		}
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if wasValid(file, nil) {
		t.Error("without a key, everything is valid")
	}
	// A link may lead to a file of somebody else's.
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Skip("no links here:", err)
	}
	if wasValid(link, key) {
		t.Error("a link is followed")
	}
}
