package lock_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

func TestCompare(t *testing.T) {
	other := strings.Repeat("2", 64)
	for name, tt := range map[string]struct {
		change func(*lock.Entry)
		want   []string
	}{
		"nothing": {func(*lock.Entry) {}, nil},
		"another order": {func(e *lock.Entry) {
			e.Asked.Env = []string{"APP_*", "DOMAIN", "DOMAIN"}
			e.Imports = []string{e.Imports[1], e.Imports[0]}
		}, nil},
		"what was granted": {func(e *lock.Entry) { e.Granted = abi.Capabilities{} }, nil},
		"where it is":      {func(e *lock.Entry) { e.Source, e.Path = "user", "shop.wasm" }, nil},
		"bytes alone":      {func(e *lock.Entry) { e.SHA256 = other }, []string{"~ sha256 " + digest + " -> " + other}},
		"version":          {func(e *lock.Entry) { e.Version = "2" }, []string{"~ version 1.2.0 -> 2"}},
		"more": {func(e *lock.Entry) {
			e.Asked.Exec = append(e.Asked.Exec, abi.ExecAsk{Argv: []string{"sh", "**"}})
			e.Imports = append(e.Imports, "extism:host/user.stagecraft_list")
		}, []string{"+ run: sh **", "+ import extism:host/user.stagecraft_list"}},
		"less": {func(e *lock.Entry) { e.Asked.Files, e.Imports = nil, e.Imports[:1] }, []string{"- read files: backend/**", "- import extism:host/env.alloc"}},
		"other": {func(e *lock.Entry) { e.Asked.Env = []string{"DOMAIN"}; e.Asked.Files = []string{"**"} }, []string{
			"+ read files: **", "- read files: backend/**", "- read a variable and pass it on: APP_*",
		}},
		"nothing said any more": {func(e *lock.Entry) { e.Asked = abi.Capabilities{} }, []string{
			"- run exactly the command at dev.command, in the directory at dev.workdir, with the variables at dev.env",
			`- run: npm ci "--ignore scripts"`,
			"- build an image from the directory at build.context, else the project directory, by the Dockerfile at build.dockerfile",
			"- set an argument of the build: VERSION", "- read files: backend/**",
			"- read a variable and pass it on: DOMAIN", "- read a variable and pass it on: APP_*",
			"~ no longer says what it needs: your policy alone limits it",
		}},
		"what words don't tell": {func(e *lock.Entry) { e.SHA256 = other; e.Asked.Exec[0].EnvFrom = "/dev~0env" }, nil},
	} {
		before, after := shop(), shop()
		tt.change(&after)
		d := lock.Compare(before, after)
		if name == "what words don't tell" {
			if d.Same() {
				t.Errorf("%s: no difference", name)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, d.Lines()); diff != "" || d.Same() != (len(tt.want) == 0) {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// TestNothingSteers: words and differences are lines of plain text, whatever a provider
// says.
func TestNothingSteers(t *testing.T) {
	rude := "a\x1b[2J\nrun: nothing\u202e\r"
	e := lock.Entry{Version: rude, Imports: []string{rude}, Asked: abi.Capabilities{
		Exec: []abi.ExecAsk{{Argv: []string{rude}}, {ArgvFrom: "/" + rude, DirFrom: "/" + rude, EnvFrom: "/" + rude}},
		Build: []abi.BuildAsk{{ContextFrom: []string{"/" + rude}, DockerfileFrom: "/" + rude, Args: []string{rude}, TargetFrom: "/" + rude, PlatformsFrom: "/" + rude,
			ArgsFrom: "/" + rude, SecretsFrom: "/" + rude, NetworkFrom: "/" + rude, CacheImportFrom: "/" + rude, CacheExportFrom: "/" + rude}},
		Files: []string{rude}, Env: []string{rude},
	}}
	said := append(lock.Words(e.Asked), lock.Compare(lock.Entry{}, e).Lines()...)
	if len(said) < 10 {
		t.Errorf("got %q", said)
	}
	for _, line := range said {
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q controls a terminal", line)
		}
	}
}

// TestEveryAskIsSaid: every kind of ask is shown before a module is trusted, and compared.
func TestEveryAskIsSaid(t *testing.T) {
	kind := reflect.TypeFor[abi.Capabilities]()
	for i := range kind.NumField() {
		var c abi.Capabilities
		field := reflect.ValueOf(&c).Elem().Field(i)
		field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		if words := lock.Words(c); len(words) != 1 {
			t.Errorf("%s: got %q", kind.Field(i).Name, words)
		}
		if lines := lock.Compare(lock.Entry{}, lock.Entry{Asked: c}).Lines(); len(lines) != 2 {
			t.Errorf("a difference in %s: got %q", kind.Field(i).Name, lines)
		}
		if c.Empty() {
			t.Errorf("%s has no effect", kind.Field(i).Name)
		}
	}
}

// TestEveryAskOfABuildIsSaid is the same for the asks of a build.
func TestEveryAskOfABuildIsSaid(t *testing.T) {
	plain := lock.Words(abi.Capabilities{Build: make([]abi.BuildAsk, 1)})
	kind := reflect.TypeFor[abi.BuildAsk]()
	for i := range kind.NumField() {
		ask := make([]abi.BuildAsk, 1)
		switch field := reflect.ValueOf(&ask[0]).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString("/build/x")
		default:
			field.Set(reflect.ValueOf([]string{"/build/x"}))
		}
		words := strings.Join(lock.Words(abi.Capabilities{Build: ask}), "\n")
		if words == strings.Join(plain, "\n") || !strings.Contains(words, "build.x") && !strings.Contains(words, "/build/x") {
			t.Errorf("%s: got %q", kind.Field(i).Name, words)
		}
	}
}

// TestWordsAreNoOthers: invisible characters do not make an ask look like another.
func TestWordsAreNoOthers(t *testing.T) {
	for _, tt := range []struct{ plain, other string }{
		{"npm", "n\u200bpm"}, {"npm", "npm\u202e"}, {"npm", "\x1b[8mnpm"}, {"npm", "npm\r"}, {"npm", " npm"}, {"a b", "a\u00a0b"}, {"x", `"x"`}, {"npm", "npm\u3164"}, {"npm", "n\u034fpm"}, {"npm", "npm\ufe0f"}, {"a b", "a\u2800b"},
	} {
		for name, asks := range map[string]func(string) abi.Capabilities{
			"exec":   func(s string) abi.Capabilities { return abi.Capabilities{Exec: []abi.ExecAsk{{Argv: []string{s}}}} },
			"build":  func(s string) abi.Capabilities { return abi.Capabilities{Build: []abi.BuildAsk{{Args: []string{s}}}} },
			"files":  func(s string) abi.Capabilities { return abi.Capabilities{Files: []string{s}} },
			"env":    func(s string) abi.Capabilities { return abi.Capabilities{Env: []string{s}} },
			"place":  func(s string) abi.Capabilities { return abi.Capabilities{EnvFrom: []string{"/" + s}} },
			"daemon": func(s string) abi.Capabilities { return abi.Capabilities{Daemons: [][]string{{"tool", s}}} },
			"images": func(s string) abi.Capabilities { return abi.Capabilities{Images: []string{s}} },
		} {
			if a, b := lock.Words(asks(tt.plain)), lock.Words(asks(tt.other)); slices.Equal(a, b) {
				t.Errorf("%s: %q looks like %q: %q", name, tt.other, tt.plain, a)
			}
		}
	}
}

// TestContradictions compares entries with the module's own description.
func TestContradictions(t *testing.T) {
	described := lock.Entry{
		Version: "1.0", ABI: 1, Imports: []string{"a b", "c d"},
		Asked: abi.Capabilities{Exec: []abi.ExecAsk{{Argv: []string{"true"}}}, Env: []string{"A", "B"}},
	}
	for name, tt := range map[string]struct {
		change func(*lock.Entry)
		want   []string
	}{
		"the same":         {func(*lock.Entry) {}, nil},
		"in another order": {func(e *lock.Entry) { e.Asked.Env = []string{"B", "A"} }, nil},
		"less granted":     {func(e *lock.Entry) { e.Granted = abi.Capabilities{} }, nil},
		"no version":       {func(e *lock.Entry) { e.Version = "" }, nil},
		"no imports":       {func(e *lock.Entry) { e.Imports = nil }, nil},
		"another version":  {func(e *lock.Entry) { e.Version = "1.1" }, []string{"version is 1.1, the module has 1.0"}},
		"another ABI":      {func(e *lock.Entry) { e.ABI = 2 }, []string{"abi is 2, the module has 1"}},
		"an import more":   {func(e *lock.Entry) { e.Imports = append(e.Imports, "e f") }, []string{"imports has an extra entry: e f"}},
		"an import less":   {func(e *lock.Entry) { e.Imports = e.Imports[:1] }, []string{"imports misses an entry: c d"}},
		"more asked":       {func(e *lock.Entry) { e.Asked.Files = []string{"x"} }, []string{"asked has an extra entry: read files: x"}},
		"less asked":       {func(e *lock.Entry) { e.Asked.Exec = nil }, []string{"asked misses an entry: run: true"}},
		"nothing asked": {func(e *lock.Entry) { e.Asked = abi.Capabilities{} }, []string{
			"asked misses an entry: run: true",
			"asked misses an entry: read a variable and pass it on: A",
			"asked misses an entry: read a variable and pass it on: B",
		}},
		// The words are the same for both lists.
		"written otherwise": {func(e *lock.Entry) { e.Asked.Env = []string{"A", "B", "B"} }, nil},
	} {
		e := described
		e.Asked.Exec = slices.Clone(e.Asked.Exec)
		e.Imports = slices.Clone(e.Imports)
		tt.change(&e)
		if got := e.Contradictions(described); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
