package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

// ids are the providers that there are.
type ids []string

func (i ids) Has(id string) bool { return slices.Contains(i, id) }
func (i ids) IDs() []string      { return i }

var known = ids{"encore-ts", "generic"}

const whole = `project: {name: shop, registry: ghcr.io/acme}
backend:
  provider: generic
  providers:
    generic:
      dev:
        command: ["npm", "run", "dev"]
    unknown-one: [anything, 1]
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoad(t *testing.T) {
	file := writeConfig(t, whole)
	c, err := Load(file, known)
	if err != nil {
		t.Fatal(err)
	}
	if c.File != file || c.Provider != "generic" || c.Project != (Project{"shop", "ghcr.io/acme"}) || len(c.Digest) != 64 {
		t.Errorf("got %+v", c)
	}
	if got, want := string(c.Part()), `{"dev":{"command":["npm","run","dev"]}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for pointer, want := range map[string]string{
		"/dev/command/1": "7:26", "/dev/command": "7:18", "/dev/env/X": "7:9", "/build": "6:7", "": "6:7",
	} {
		if got := c.Position(pointer).String(); got != file+":"+want {
			t.Errorf("%q: got %s, want line %s", pointer, got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	const part = "\n  providers: {generic: {}}"
	for _, tt := range []struct{ name, in, want, hint string }{
		{"empty", "", "f:1:1: the file is empty", "provider: generic"},
		{"comments", "# x\n\n", "f:1:1: the file is empty", ""},
		{"list", "[]", "f:1:1: is a list, expected a mapping", ""},
		{"no backend", "project: {}", "f:1:1: backend: is missing", "provider: generic"},
		{"backend a string", "backend: generic", "f:1:10: backend: is a string, expected a mapping", ""},
		{"unknown key", "backnd: {}\nbackend:\n  provider: generic" + part, `f:1:1: unknown key "backnd"`, `did you mean "backend"? known here: backend, project`},
		{"unknown key below", "backend:\n  provder: x\n  provider: generic" + part, `f:2:3: backend: unknown key "provder"`, `did you mean "provider"?`},
		{"provider missing", "backend:" + part, "f:2:3: backend.provider: is missing", "providers: encore-ts, generic"},
		{"provider empty", "backend:\n  provider: ''" + part, "f:2:13: backend.provider: is empty, expected the ID of a provider", "providers: encore-ts, generic"},
		{"provider null", "backend:\n  provider:" + part, "backend.provider: is empty", ""},
		{"provider a number", "backend:\n  provider: 1" + part, "f:2:13: backend.provider: is a number, expected the ID of a provider", ""},
		{"provider unknown", "backend:\n  provider: generc\n  providers: {generc: {}}", `f:2:13: backend.provider: there is no provider "generc"`, `did you mean "generic"? providers: encore-ts, generic`},
		{"providers missing", "backend:\n  provider: generic", "f:2:3: backend.providers: is missing", ""},
		{"providers a list", "backend:\n  provider: generic\n  providers: [generic]", "f:3:14: backend.providers: is a list, expected a mapping", ""},
		{"entry missing", "backend:\n  provider: generic\n  providers: {generi: {}}", `f:3:14: backend.providers: has no entry for the selected provider "generic"`, `did you mean "generi"? add "generic"`},
		{"name", "project: {name: Shop}\nbackend:\n  provider: generic" + part, `f:1:17: project.name: "Shop" can't be the name of an image`, ""},
		{"name a number", "project: {name: 1}\nbackend:\n  provider: generic" + part, "project.name: is a number, expected a string", ""},
		{"registry with a scheme", "project: {registry: 'https://ghcr.io/a'}\nbackend:\n  provider: generic" + part, "project.registry: \"https://ghcr.io/a\" has a scheme", "leave it out: ghcr.io/a"},
		{"registry", "project: {registry: 'a b'}\nbackend:\n  provider: generic" + part, `project.registry: "a b" can't stand before an image's name`, "ghcr.io/acme"},
		{"project key", "project: {nam: x}\nbackend:\n  provider: generic" + part, `f:1:11: project: unknown key "nam"`, `did you mean "name"?`},
		{"syntax", "backend: [", "f:1: ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse("f", []byte(tt.in), known)
			problems, ok := err.(yamldoc.Problems)
			if !ok || len(problems) != 1 || !strings.Contains(err.Error(), tt.want) || !strings.Contains(problems[0].Hint, tt.hint) {
				t.Errorf("got %v, want %s (%s)", err, tt.want, tt.hint)
			}
		})
	}
}

func TestProblemsComeTogether(t *testing.T) {
	_, err := parse("f", []byte("x: 1\nproject: {name: A, registry: 'http://x'}\nbackend: {provider: nope, providers: 1}\n"), known)
	if problems, ok := err.(yamldoc.Problems); !ok || len(problems) != 5 {
		t.Errorf("got %v, want five problems", err)
	}
}

func TestNoProvidersAtAll(t *testing.T) {
	_, err := parse("f", []byte("backend: {provider: generic, providers: {generic: {}}}"), ids{})
	if problems, ok := err.(yamldoc.Problems); !ok || !strings.Contains(problems[0].Hint, "make build") {
		t.Errorf("got %v", err)
	}
}

func TestFind(t *testing.T) {
	file := writeConfig(t, whole)
	deep := filepath.Join(filepath.Dir(file), "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Dir(file), deep} {
		if got, err := Find(dir); err != nil || got != file {
			t.Errorf("from %s: %s, %v", dir, got, err)
		}
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(deep, "none")} {
		_, err := Find(dir)
		e, ok := errors.AsType[*NotFoundError](err)
		if !ok || !strings.Contains(e.Error(), dir) || !strings.Contains(e.Hint(), "-C DIR") {
			t.Errorf("got %v", err)
		}
	}
}

func TestLoadNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "x.yml"), known); err == nil || !strings.Contains(err.Error(), "there is no file") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(dir, known); err == nil || !strings.Contains(err.Error(), dir+": it is a folder") {
		t.Errorf("got %v", err)
	}
}

func TestRootHasItsLinksResolved(t *testing.T) {
	file := writeConfig(t, whole)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(file), link); err != nil {
		t.Skip("no links here:", err)
	}
	want, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(filepath.Join(link, FileName), known)
	if err != nil || c.Root != want {
		t.Errorf("got %+v, %v, want root %s", c, err, want)
	}
}

// FuzzParse wants an answer for any file.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	files, err := filepath.Glob("../yamldoc/testdata/*.yml")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("f", data, known)
		if err != nil {
			if _, ok := err.(yamldoc.Problems); !ok {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if !known.Has(c.Provider) {
			t.Errorf("selected %q", c.Provider)
		}
		_ = c.Position("/dev/command/0")
		_ = c.Part()
	})
}
