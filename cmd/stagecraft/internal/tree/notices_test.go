package tree_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write THIRD_PARTY_NOTICES.md")

// licences are the names of the files that a distribution has to include.
var licences = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)(\.(txt|md))?$`)

// TestNotices wants THIRD_PARTY_NOTICES.md to have the licences of all modules
// that are in the binary and in its providers, in their present versions.
func TestNotices(t *testing.T) {
	notices := make(map[string][]string) // the modules that have each text
	for _, system := range []string{"linux", "darwin", "windows"} {
		addNotices(t, notices, goList(t, []string{"GOOS=" + system, "GOARCH=amd64", "CGO_ENABLED=0"}, "-deps", "./cmd/stagecraft"))
	}
	addNotices(t, notices, goList(t, []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}, "-deps", "./providers/generic", "./providers/encorets"))
	addNotices(t, notices, goList(t, []string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}, "-deps", "./cmd/stagecraft-sandbox", "./cmd/stagecraft-schema"))
	want := formatNotices(notices)
	path := filepath.Join(root, "THIRD_PARTY_NOTICES.md")
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("THIRD_PARTY_NOTICES.md is out of date (%v): go test ./cmd/stagecraft/internal/tree -run '^TestNotices$' -update", err)
	}
}

// addNotices reads the licences of packages: in their directories, and in those
// above up to the root of their module. What go.work replaces is ours.
func addNotices(t *testing.T, notices map[string][]string, packages []listed) {
	t.Helper()
	for _, p := range packages {
		if p.Module == nil || strings.HasPrefix(p.ImportPath, repo) || p.Module.Replace != nil {
			continue
		}
		name, found := p.Module.Path+" "+p.Module.Version, false
		for dir := p.Dir; strings.HasPrefix(dir, p.Module.Dir); dir = filepath.Dir(dir) {
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				if !licences.MatchString(entry.Name()) || entry.IsDir() {
					continue
				}
				text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
				if err != nil {
					t.Fatal(err)
				}
				found = true
				add(notices, string(text), name)
			}
		}
		if !found {
			t.Errorf("%s has no licence", name)
		}
	}
}

func add(notices map[string][]string, text, name string) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if !slices.Contains(notices[text], name) {
		notices[text] = append(notices[text], name)
	}
	// The standard library's licence is the same.
	if strings.HasPrefix(name, "golang.org/x/sys ") {
		add(notices, text, "Go standard library")
	}
}

// formatNotices writes each text once, after the modules that have it.
func formatNotices(notices map[string][]string) []byte {
	var sections []string
	for text, names := range notices {
		slices.Sort(names)
		sections = append(sections, fmt.Sprintf("## %s\n\n```text\n%s\n```\n", strings.Join(names, "\n## "), text))
	}
	slices.Sort(sections)
	return []byte("# Third-party notices\n\nThe binary and its providers contain these modules. `go test ./cmd/stagecraft/internal/tree -run '^TestNotices$' -update` writes this file.\n\n" +
		strings.Join(sections, "\n"))
}
