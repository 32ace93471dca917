//go:build linux || darwin

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// app is an Encore app: the directory of the nearest encore.app.
type app struct {
	root string
	// broken says why encore.app can't be read; only some commands say so.
	broken error
	// ID is empty for an app that is not linked.
	ID      string `json:"id"`
	Lang    string `json:"lang"`
	StandIn struct {
		NeedsInfra bool `json:"needs_infra"`
	} `json:"standin"`
}

var (
	errNoApp         = errors.New("no encore.app found in directory (or any of the parent directories)")
	errAppIsDir      = errors.New("encore.app is a directory, not a file")
	errUninitialized = errors.New("this directory has Encore code but isn't initialized as an app.\n\n" +
		"Run 'encore app init' to initialize it, or 'encore app link <app-id>' to link an existing app.")
)

// findApp walks up from the working directory. A directory of that name ends
// the walk.
func findApp() (*app, error) {
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "encore.app")
		info, err := os.Stat(file)
		switch {
		case err == nil && info.IsDir():
			return nil, errAppIsDir
		case err == nil:
			return readApp(dir, file), nil
		case !errors.Is(err, os.ErrNotExist):
			return nil, err
		case filepath.Dir(dir) == dir && hasEncoreCode(wd):
			return nil, errUninitialized
		case filepath.Dir(dir) == dir:
			return nil, errNoApp
		}
	}
}

// hasEncoreCode reports whether a directory depends on Encore.
func hasEncoreCode(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return false
	}
	var pkg struct {
		Dependencies    map[string]json.RawMessage `json:"dependencies"`
		DevDependencies map[string]json.RawMessage `json:"devDependencies"`
	}
	if json.Unmarshal(data, &pkg) != nil {
		return false
	}
	return pkg.Dependencies["encore.dev"] != nil || pkg.DevDependencies["encore.dev"] != nil
}

func readApp(root, file string) *app {
	a := &app{root: root}
	data, err := os.ReadFile(file)
	if err == nil {
		data, err = hujson.Standardize(data)
	}
	if err == nil {
		err = json.Unmarshal(data, a)
	}
	switch {
	case err != nil:
		a.broken = fmt.Errorf("appfile.Parse: %w", err)
	case a.Lang != "" && a.Lang != "go" && a.Lang != "typescript":
		a.broken = fmt.Errorf("appfile.Parse: invalid lang %q", a.Lang)
	}
	return a
}

// track writes what the daemon leaves in an app's directory.
func (a *app) track() error {
	manifest := filepath.Join(a.root, ".encore", "manifest.json")
	if _, err := os.Stat(manifest); err != nil {
		if err := os.MkdirAll(filepath.Dir(manifest), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(manifest, []byte(`{"local_id":"abc12","tutorial":""}`), 0o644); err != nil {
			return err
		}
	}
	return a.ignore("/.encore")
}

// ignore appends a line to the app's .gitignore unless it is there.
func (a *app) ignore(line string) error {
	path := filepath.Join(a.root, ".gitignore")
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	text := string(data)
	if slices.Contains(strings.Split(text, "\n"), line) {
		return nil
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return os.WriteFile(path, []byte(text+line+"\n"), 0o644)
}

// gitIsFile reports whether the nearest .git at or above the app, up to the
// root of the file system, is not a directory.
func (a *app) gitIsFile() bool {
	for dir := a.root; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return !info.IsDir()
		}
		if filepath.Dir(dir) == dir {
			return false
		}
	}
}
