package capability_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

// TestGrantsNothing finds rules of files by which commands get nothing, where
// commands are confined, and says what to write.
func TestGrantsNothing(t *testing.T) {
	isDirectory := func(path string) bool { return path == "backend" || path == "a/b" || path == "." }
	for section, want := range map[string]string{
		"exec: [ls], files: {read: [backend]}":                               "backend: backend/**",
		"exec: [ls], files: {read: [./backend]}":                             "./backend: backend/**",
		"exec: [ls], files: {read: [backend/]}":                              "backend/: backend/**",
		"exec: [ls], files: {read: [backend/.]}":                             "backend/.: backend/**",
		"exec: [ls], files: {read: [absent/]}":                               "absent/: absent/**",
		"exec: [ls], files: {read: [backend/*]}":                             "backend/*: backend/**",
		"exec: [ls], files: {read: ['a/*/c/**', 'a/x*.ts', '**/x', '*']}":    "a/*/c/**: a/**, a/x*.ts: a/**, **/x: **, *: **",
		"exec: [ls], files: {read: [.]}":                                     ".: **",
		"exec: [ls], files: {write: [a/b]}":                                  "a/b: a/b/**",
		"exec: [ls], files: {read: ['backend/**', go.mod, absent, '**']}":    "",
		"exec: [ls], files: {read: {deny: [backend/]}}":                      "",
		"exec: [ls], files: {env: ['env/*']}":                                "",
		"exec: [ls], files: {read: [backend/]}, confine: off":                "",
		"exec: [ls], files: {read: [backend/]}, confine: best-effort":        "backend/: backend/**",
		"files: {read: [backend/]}":                                          "",
		"exec: {deny: [ls]}, files: {read: [backend/]}":                      "",
		"exec: [ls], build: {contexts: [backend/], outputs: [dist/]}":        "",
		"exec: [{command: ls, sha256: " + digestA + "}], files: {read: [.]}": ".: **",
	} {
		if got := grantsNothing(parse(t, "version: 1\nproviders: {generic: {"+section+"}}"), isDirectory); got != want {
			t.Errorf("%s: got %s, want %s", section, got, want)
		}
	}
	for text, want := range map[string]string{
		"'*': {files: {read: [backend/]}}, generic: {exec: [ls]}":                        "backend/: backend/**",
		"generic: {files: {read: [backend/]}}, '*': {exec: [ls]}":                        "backend/: backend/**",
		"generic: {files: {read: [backend/]}}, other: {exec: [ls]}":                      "",
		"'*': {files: {read: [backend/]}, confine: off}, generic: {exec: [ls]}":          "",
		"'*': {confine: require, exec: [ls]}, generic: {files: {read: [backend/]}}":      "backend/: backend/**",
		"'*': {files: {read: [backend/]}, confine: off}, generic: {exec: [ls], net: {}}": "",
	} {
		if got := grantsNothing(parse(t, "version: 1\nproviders: {"+text+"}"), nil); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func grantsNothing(p *capability.Policy, isDirectory func(string) bool) string {
	var found []string
	for _, f := range explain.Check(p, isDirectory) {
		if f.Name == capability.GrantsNothing {
			hint, _, _ := strings.Cut(strings.TrimPrefix(f.Hint, "write "), ",")
			found = append(found, fmt.Sprintf("%s: %s", f.Rule, hint))
		}
	}
	return strings.Join(found, ", ")
}

func TestHandsOverTheMachine(t *testing.T) {
	p := parse(t, "version: 1\nproviders:\n  generic: {sockets: [docker], use: [node], build: {network: host}}\n  other: {build: {network: default}}\n  '*': {sockets: []}\n")
	var found []string
	for _, f := range explain.Check(p, nil) {
		found = append(found, fmt.Sprintf("%d:%d %s of %s %s %s", f.Pos.Line, f.Pos.Column, f.Key, f.Provider, f.Rule, f.Name))
	}
	want := []string{"3:23 sockets of generic docker docker-socket", "3:62 build.network of generic host host-network"}
	if !slices.Equal(found, want) {
		t.Errorf("got %q, want %q", found, want)
	}
}
