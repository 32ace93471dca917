package backend_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

type named string

func (n named) ID() string                                  { return string(n) }
func (named) Dev(context.Context, backend.DevOptions) error { return nil }
func (named) BuildDocker(context.Context, backend.BuildDockerOptions) (string, error) {
	return "", nil
}

func TestRegistry(t *testing.T) {
	var r backend.Registry[backend.Provider]
	for _, id := range []string{"zeta", "alpha", "m-1"} {
		if err := r.Register(named(id)); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.IDs(); !slices.Equal(got, []string{"alpha", "m-1", "zeta"}) {
		t.Errorf("got %v", got)
	}
	if p, ok := r.Get("zeta"); !ok || p.ID() != "zeta" || !r.Has("alpha") || r.Has("none") {
		t.Error("the registry lost a provider")
	}
	if e, ok := errors.AsType[*backend.DuplicateError](r.Register(named("zeta"))); !ok || e.ID != "zeta" {
		t.Errorf("a duplicate: %v", e)
	}
	if err := r.Register(nil); err == nil {
		t.Error("nil is registered")
	}
}

func TestCheckID(t *testing.T) {
	for _, id := range []string{"a", "0", "generic", "encore-ts", "a-", strings.Repeat("a", 63)} {
		if err := backend.CheckID(id); err != nil {
			t.Error(err)
		}
	}
	var r backend.Registry[backend.Provider]
	for _, id := range []string{"", "-a", "A", "a_b", "a b", "a.b", "../x", "ä", "a\n", strings.Repeat("a", 64)} {
		if backend.CheckID(id) == nil || r.Register(named(id)) == nil {
			t.Errorf("%q: no error", id)
		}
	}
}

func TestRegistryAtOnce(t *testing.T) {
	var r backend.Registry[backend.Provider]
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := r.Register(named(fmt.Sprintf("p%02d", i))); err != nil {
				t.Error(err)
			}
			r.Has("p00")
			r.IDs()
		})
	}
	wg.Wait()
	if got := r.IDs(); len(got) != 20 || !slices.IsSorted(got) {
		t.Errorf("got %v", got)
	}
}

// says is a provider that gives the same reply to everything.
type says string

func (s says) Call(_ context.Context, export string, _ []byte) ([]byte, error) {
	if export == abi.ExportDescribe && !strings.HasPrefix(string(s), "describe:") {
		return []byte(`{"ok":{"id":"x","version":"1","abi":1,"later":true}}`), nil
	}
	return []byte(strings.TrimPrefix(string(s), "describe:")), nil
}

func TestContract(t *testing.T) {
	for reply, want := range map[string]string{
		"":                         `its reply is not JSON: ""`,
		"hello\x1b[2J":             `its reply is not JSON: "hello"`,
		"{}":                       `its reply has neither "ok" nor "error"`,
		`{"ok":1}`:                 "its reply has an unexpected shape",
		`{"ok":{},"error":{}}`:     `its reply has both "ok" and "error"`,
		strings.Repeat(" ", 9<<20): "it returned 9437184 bytes, the limit is 8388608",
	} {
		g, err := backend.NewGuest(t.Context(), says(reply))
		if err != nil {
			t.Fatal(err)
		}
		err = g.Dev(t.Context(), backend.DevOptions{})
		if _, ok := errors.AsType[*backend.ContractError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	g, err := backend.NewGuest(t.Context(), says(`{"ok":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.BuildDocker(t.Context(), backend.BuildDockerOptions{}); err == nil || !strings.Contains(err.Error(), "not return an image reference") {
		t.Errorf("a build without an image: %v", err)
	}
	for reply, want := range map[string]string{
		`describe:{"ok":{"id":"x","abi":2}}`:   "it is built for ABI version 2, this stagecraft supports version 1",
		`describe:{"ok":{"id":"X y","abi":1}}`: `"X y" is not a provider ID`,
		`describe:{"ok":{"abi":1}}`:            "a provider's ID is empty",
	} {
		if _, err := backend.NewGuest(t.Context(), says(reply)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestErrorsAreCleaned(t *testing.T) {
	g, err := backend.NewGuest(t.Context(), says(`{"error":{"code":"failed","message":"\u001b[2Jx\u202e","hint":"\u0007h","exit_code":999,
		"problems":[{"pointer":"/a","message":"m\nm","hint":"\r"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	e, ok := errors.AsType[*abi.Error](g.Dev(t.Context(), backend.DevOptions{}))
	if !ok || e.Message != "x" || e.Hint != "h" || e.ExitCode != 0 || e.Problems[0].Message != "m m" {
		t.Errorf("got %+v", e)
	}
	g, err = backend.NewGuest(t.Context(), says(`{"error":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Validate(t.Context(), abi.ValidateOptions{}); err == nil || err.Error() != "the provider gave no reason" {
		t.Errorf("got %v", err)
	}
}
