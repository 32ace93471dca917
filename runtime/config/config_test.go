package config

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// ids are the available providers.
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
	if got, want := string(c.Part(nil)), `{"dev":{"command":["npm","run","dev"]}}`; got != want {
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

const part = "\n  providers: {generic: {}}"

// problems are configurations with one problem each.
var problems = []struct{ name, in, want, hint string }{
	{"empty", "", "f:1:1: the file is empty", "provider: generic"},
	{"comments", "# x\n\n", "f:1:1: the file is empty", ""},
	{"list", "[]", "f:1:1: is a list, expected a mapping", ""},
	{"no backend", "project: {}", "f:1:1: backend: is missing", "provider: generic"},
	{"backend a string", "backend: generic", "f:1:10: backend: is a string, expected a mapping", ""},
	{"unknown key", "backnd: {}\nbackend:\n  provider: generic" + part, `f:1:1: unknown key "backnd"`, `did you mean "backend"? known here: backend, build, project`},
	{"extension below", "backend:\n  x-a: 1\n  provider: generic" + part, `f:2:3: backend: unknown key "x-a"`, `keys that begin with "x-" belong at the top of the file`},
	{"extension without its dash", "x: 1\nbackend:\n  provider: generic" + part, `f:1:1: unknown key "x"`, `known here: backend, build, project`},
	{"unknown key below", "backend:\n  provder: x\n  provider: generic" + part, `f:2:3: backend: unknown key "provder"`, `did you mean "provider"?`},
	{"provider missing", "backend:" + part, "f:2:3: backend.provider: is missing", "providers: encore-ts, generic"},
	{"provider empty", "backend:\n  provider: ''" + part, "f:2:13: backend.provider: is empty, expected the ID of a provider", "providers: encore-ts, generic"},
	{"provider null", "backend:\n  provider:" + part, "backend.provider: is empty", ""},
	{"provider a number", "backend:\n  provider: 1" + part, "f:2:13: backend.provider: is a number, expected the ID of a provider", ""},
	{"provider unknown", "backend:\n  provider: generc\n  providers: {generc: {}}", `f:2:13: backend.provider: unknown provider "generc"`, `did you mean "generic"? providers: encore-ts, generic`},
	{"providers missing", "backend:\n  provider: generic", "f:2:3: backend.providers: is missing", ""},
	{"providers a list", "backend:\n  provider: generic\n  providers: [generic]", "f:3:14: backend.providers: is a list, expected a mapping", ""},
	{"entry missing", "backend:\n  provider: generic\n  providers: {generi: {}}", `f:3:14: backend.providers: has no entry for the selected provider "generic"`, `did you mean "generi"? add "generic"`},
	{"name", "project: {name: Shop}\nbackend:\n  provider: generic" + part, `f:1:17: project.name: "Shop" is not a valid image name`, ""},
	{"name a number", "project: {name: 1}\nbackend:\n  provider: generic" + part, "project.name: is a number, expected a string", ""},
	{"registry with a scheme", "project: {registry: 'https://ghcr.io/a'}\nbackend:\n  provider: generic" + part, "project.registry: \"https://ghcr.io/a\" has a scheme", "leave it out: ghcr.io/a"},
	{"name empty", "project: {name: ''}\nbackend:\n  provider: generic" + part, `f:1:17: project.name: "" is not a valid image name`, ""},
	{"name nothing", "project: {name: }\nbackend:\n  provider: generic" + part, "project.name: is nothing, expected a string", ""},
	{"registry empty", "project: {registry: ''}\nbackend:\n  provider: generic" + part, `project.registry: "" is not a valid registry`, "ghcr.io/acme"},
	{"registry with a tag", "project: {registry: 'ghcr.io/acme:v1'}\nbackend:\n  provider: generic" + part, `project.registry: "ghcr.io/acme:v1" is not a valid registry`, "ghcr.io/acme"},
	{"registry with a scheme and more", "project: {registry: 'https://ghcr.io/a/'}\nbackend:\n  provider: generic" + part, "has a scheme", "leave it out: ghcr.io/a"},
	{"registry with a scheme and control characters", "project: {registry: \"https://\\e[31m\"}\nbackend:\n  provider: generic" + part, `"https://\x1b[31m" has a scheme`, "give a host"},
	{"registry", "project: {registry: 'a b'}\nbackend:\n  provider: generic" + part, `project.registry: "a b" is not a valid registry`, "ghcr.io/acme"},
	{"build key", "build: {engin: x}\nbackend:\n  provider: generic" + part, `f:1:9: build: unknown key "engin"`, `did you mean "engine"?`},
	{"engine a list", "build: {engine: [x]}\nbackend:\n  provider: generic" + part, "f:1:17: build.engine: is a list, expected a string", ""},
	{"project key", "project: {nam: x}\nbackend:\n  provider: generic" + part, `f:1:11: project: unknown key "nam"`, `did you mean "name"?`},
	{"syntax", "backend: [", "f:1: ", ""},
}

func TestProblems(t *testing.T) {
	for _, tt := range problems {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse("f", []byte(tt.in), known)
			got, ok := err.(yamldoc.Problems)
			if !ok || len(got) != 1 || !strings.Contains(err.Error(), tt.want) || !strings.Contains(got[0].Hint, tt.hint) {
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

func TestLoadNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "x.yml"), known); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(dir, known); err == nil || !strings.Contains(err.Error(), dir+": expected a file, got a directory") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(os.DevNull, known); err == nil || !strings.Contains(err.Error(), os.DevNull+": not a regular file") {
		t.Errorf("got %v", err)
	}
}

var registries = []string{"ghcr.io", "ghcr.io/acme", "localhost:5000", "127.0.0.1:5000/a/b", "acme", "[::1]:5000", "a_b/c__d", "Acme/x"}

func TestRegistries(t *testing.T) {
	for _, registry := range registries {
		in := "project: {registry: '" + registry + "'}\nbackend: {provider: generic, providers: {generic: {}}}"
		c, err := parse("f", []byte(in), known)
		if err != nil || c.Project.Registry != registry {
			t.Errorf("%s: got %+v, %v", registry, c, err)
		}
	}
}

func TestDigestIsOfTheBytes(t *testing.T) {
	sum := sha256.Sum256([]byte(whole))
	c, err := Load(writeConfig(t, whole), known)
	if err != nil || c.Digest != hex.EncodeToString(sum[:]) {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestPositionOfNothing(t *testing.T) {
	for _, pointer := range []string{"", "/dev", "dev"} {
		if got := new(Config).Position(pointer); got != (yamldoc.Pos{}) {
			t.Errorf("%q: got %v", pointer, got)
		}
	}
}

// TestLoadStopsReading reads a part of a file that is far too large, so the error does not
// give its size.
func TestLoadStopsReading(t *testing.T) {
	file := writeConfig(t, "")
	if err := os.Truncate(file, 3<<30); err != nil {
		t.Skip("no sparse files here:", err)
	}
	if data, err := ReadFile(file); err != nil || len(data) != yamldoc.MaxBytes+1 {
		t.Fatalf("read %d bytes, %v", len(data), err)
	}
	_, err := Load(file, known)
	if want := file + ": the file has more than 1048576 bytes"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
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

// FuzzParse expects a result or [yamldoc.Problems] for any file.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	files, err := filepath.Glob("../../internal/yamldoc/testdata/*.yml")
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
				t.Errorf("unexpected type of error: %v", err)
			}
			return
		}
		if !known.Has(c.Provider) {
			t.Errorf("selected %q", c.Provider)
		}
		_ = c.Position("/dev/command/0")
		_ = c.Part(nil)
	})
}

// TestPartWithTexts: a text is as written, not as YAML interprets it.
func TestPartWithTexts(t *testing.T) {
	file := writeConfig(t, `
x-env: &env {PORT: 4000, DEBUG: True}
backend:
  provider: generic
  providers:
    generic:
      dev:
        env: {<<: *env, OCT: 0755, E: 1e3, V: 1.10, HEX: 0x1F, BIG: 1_000, NO: no, DATE: 2026-01-01, S: "5", T: !!int "07", REF: {env: A, n: 1}, NONE: ~}
        number: 0755
        list: [1, yes, .5]
      other: {env: 1}
`)
	c, err := Load(file, known)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"dev":{"env":{"OCT":"0755","E":"1e3","V":"1.10","HEX":"0x1F","BIG":"1_000","NO":"no","DATE":"2026-01-01","S":"5","T":"07","REF":{"env":"A","n":"1"},"NONE":null,"PORT":"4000","DEBUG":"True"},` +
		`"number":493,"list":["1","yes",".5"]},"other":{"env":1}}`
	if got := string(c.Part([]string{"/dev/env", "/dev/list", "/none", "/dev/env/PORT/x"})); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
