//go:build linux || darwin

package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// app is an Encore app: the folder of the nearest encore.app.
type app struct {
	root string
	// ID is empty for an app that is not linked.
	ID      string `json:"id"`
	StandIn struct {
		NeedsInfra bool `json:"needs_infra"`
	} `json:"standin"`
}

var errNoApp = errors.New("no encore.app found in directory (or any of the parent directories)")

// findApp walks up from the working directory. A folder of that name is none.
func findApp() (*app, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for ; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "encore.app")
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return readApp(dir, file)
		}
		if filepath.Dir(dir) == dir {
			return nil, errNoApp
		}
	}
}

func readApp(root, file string) (*app, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	a := &app{root: root}
	if err := json.Unmarshal(data, a); err != nil {
		return nil, errors.New("could not parse " + file + ": " + err.Error())
	}
	return a, nil
}

// track writes what the daemon leaves in an app's folder.
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

// gitIsFile reports whether the nearest .git at or above the app is no folder.
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
