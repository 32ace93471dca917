package lock_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

var update = flag.Bool("update", false, "write the golden file")

const digest = "1111111111111111111111111111111111111111111111111111111111111111"

func shop() lock.Entry {
	asked := abi.Capabilities{
		Exec: []abi.ExecAsk{
			{ArgvFrom: "/dev/command", DirFrom: "/dev/workdir", EnvFrom: "/dev/env"}, {Argv: []string{"npm", "ci", "--ignore scripts"}},
		},
		Build: []abi.BuildAsk{{ContextFrom: []string{"/build/context"}, DockerfileFrom: "/build/dockerfile", Args: []string{"VERSION"}}},
		Files: []string{"backend/**"}, Env: []string{"DOMAIN", "APP_*"},
	}
	return lock.Entry{
		ID: "shop", Version: "1.2.0", SHA256: digest, ABI: 1, Source: "project", Path: ".stagecraft/providers/shop.wasm",
		Imports: []string{"extism:host/user.stagecraft_exec", "extism:host/env.alloc"}, Asked: asked,
		Granted: abi.Capabilities{Exec: asked.Exec[:1], Env: []string{"DOMAIN"}},
	}
}

func TestGolden(t *testing.T) {
	f := new(lock.File)
	f.Set(shop())
	f.Set(lock.Entry{ID: "bare", SHA256: digest, ABI: 1, Source: "user", Path: "bare.wasm"})
	const golden = "testdata/stagecraft.lock"
	if *update {
		if err := os.WriteFile(golden, f.Marshal(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(f.Marshal()) != string(want) {
		t.Errorf("%v\n%s", err, f.Marshal())
	}
	read, err := lock.Parse(golden, want)
	if err != nil || !slices.Equal(read.IDs(), []string{"bare", "shop"}) {
		t.Fatal(read, err)
	}
	if got, ok := read.Get("shop"); !ok || !reflect.DeepEqual(got.Granted, shop().Granted) {
		t.Errorf("got %+v", got)
	}
	if string(read.Marshal()) != string(want) {
		t.Errorf("read and written again:\n%s", read.Marshal())
	}
}

func TestSetAndRemove(t *testing.T) {
	f := new(lock.File)
	if _, ok := f.Get("shop"); ok || f.Remove("shop") {
		t.Error("an empty file has an entry")
	}
	f.Set(shop())
	changed := shop()
	changed.Version = "2"
	f.Set(changed)
	if got, _ := f.Get("shop"); got.Version != "2" || len(f.IDs()) != 1 {
		t.Errorf("got %+v", got)
	}
	if !f.Remove("shop") || len(f.IDs()) != 0 {
		t.Error("the entry was not removed")
	}
	if read, err := lock.Parse("l", f.Marshal()); err != nil || len(read.IDs()) != 0 {
		t.Error(read, err)
	}
}

// someTexts are texts of a provider that may be read as something else.
var someTexts = []string{
	"", "yes", "0x1", "1.0", "~", "a b", " a", "a ", "- a", "a: b", "#", "*", "&a", "'", "\"", "a\nb", "\x1b[2J", "\u202e", "\u2028", "{}", "npm", "\\",
	"APP_*", "<<<<<<< a", "\ufeff", "日本",
}

func randomText(r *rand.Rand) string { return someTexts[r.IntN(len(someTexts))] }

func randomTexts(r *rand.Rand) []string {
	var out []string
	for range r.IntN(4) {
		out = append(out, randomText(r))
	}
	return out
}

func randomEntry(r *rand.Rand) lock.Entry {
	var c abi.Capabilities
	for range r.IntN(3) {
		c.Exec = append(c.Exec, abi.ExecAsk{Argv: randomTexts(r), ArgvFrom: randomText(r), DirFrom: randomText(r), EnvFrom: randomText(r)})
	}
	for range r.IntN(3) {
		c.Build = append(c.Build, abi.BuildAsk{ContextFrom: randomTexts(r), DockerfileFrom: randomText(r), Args: randomTexts(r), TargetFrom: randomText(r), SecretsFrom: randomText(r)})
	}
	c.Files, c.Env = randomTexts(r), randomTexts(r)
	c.EnvFrom, c.EnvFilesFrom, c.ConnectFrom = randomTexts(r), randomTexts(r), randomTexts(r)
	c.EnvPass, c.EnvSecret = randomTexts(r), randomTexts(r)
	for range r.IntN(3) {
		c.Daemons = append(c.Daemons, randomTexts(r))
	}
	e := lock.Entry{
		ID: []string{"a", "b-2", "0"}[r.IntN(3)], Version: randomText(r), SHA256: digest, ABI: r.IntN(3), Source: "file", Path: randomText(r),
		Imports: randomTexts(r), Asked: c,
	}
	if r.IntN(2) == 0 {
		e.Granted = c
	}
	return e
}

// FuzzRoundTrip: a written file is read as the same entries, has the same bytes for any
// order of entries, and has no control characters.
func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 7))
		a, b := randomEntry(r), randomEntry(r)
		one, other := new(lock.File), new(lock.File)
		one.Set(a)
		if a.ID != b.ID {
			one.Set(b)
			other.Set(b)
		}
		other.Set(a)
		data := one.Marshal()
		if string(other.Marshal()) != string(data) {
			t.Errorf("another order gives\n%s\nand not\n%s", other.Marshal(), data)
		}
		if strings.ContainsFunc(string(data), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("%q has control characters", data)
		}
		read, err := lock.Parse("l", data)
		if err != nil {
			t.Fatalf("%v in\n%s", err, data)
		}
		if string(read.Marshal()) != string(data) {
			t.Errorf("it becomes\n%s\nand was\n%s", read.Marshal(), data)
		}
		got, _ := read.Get(a.ID)
		want, _ := one.Get(a.ID)
		if d := lock.Compare(want, got); !d.Same() || got.Version != want.Version || got.Path != want.Path {
			t.Errorf("%v: %+v became %+v", d.Lines(), want, got)
		}
	})
}

// FuzzParse expects a result or an error for any bytes.
func FuzzParse(f *testing.F) {
	golden, err := os.ReadFile("testdata/stagecraft.lock")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte("version: 1\nproviders: {a: {asked: [], granted: null}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if read, err := lock.Parse("l", data); err == nil {
			if _, err := lock.Parse("l", read.Marshal()); err != nil {
				t.Errorf("%v in the written file:\n%s", err, read.Marshal())
			}
		}
	})
}
