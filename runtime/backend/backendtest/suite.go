// Package backendtest is the conformance suite for providers, in Go or in Wasm. See
// [Run].
package backendtest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

// Host is a host for tests. It records requests and answers them by operation.
type Host struct {
	mu      sync.Mutex
	Calls   []Call
	Answers map[string]abi.Reply
}

// Call is one request that reached the host.
type Call struct {
	Operation string
	Request   string
}

// Call gives the operation's answer, by default an empty result.
func (h *Host) Call(_ context.Context, operation string, request []byte) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Calls = append(h.Calls, Call{operation, string(request)})
	reply, ok := h.Answers[operation]
	if !ok {
		reply = abi.Reply{OK: json.RawMessage(`{}`)}
	}
	data, err := json.Marshal(reply)
	if err != nil {
		panic(err)
	}
	return data
}

// Subject is a provider under test.
type Subject struct {
	// Open opens the provider with that host.
	Open func(t *testing.T, h *Host) backend.Exports
	ID   string
	// Dev and Build are valid configurations; ExecRequest and BuildRequest are the
	// requests that follow from them. They are empty for a provider that makes other
	// calls, which its own tests cover.
	Dev, Build                string
	ExecRequest, BuildRequest string
	// Wrong maps invalid configurations to their error messages.
	Wrong map[string]string
}

// Run checks that a provider follows the ABI.
func Run(t *testing.T, s Subject) {
	t.Run("describes itself", func(t *testing.T) { s.describes(t) })
	t.Run("wrong configuration", func(t *testing.T) { s.wrong(t) })
	if s.ExecRequest == "" {
		return
	}
	t.Run("dev asks for its command alone", func(t *testing.T) { s.dev(t) })
	t.Run("dev passes on how the command ended", func(t *testing.T) { s.devFails(t) })
	t.Run("dev passes on a denial", func(t *testing.T) { s.devDenied(t) })
	t.Run("build gives the reference", func(t *testing.T) { s.build(t) })
	t.Run("can be called again", func(t *testing.T) { s.again(t) })
}

func (s Subject) guest(t *testing.T, h *Host) *backend.Guest {
	t.Helper()
	g, err := backend.NewGuest(t.Context(), s.Open(t, h))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (s Subject) describes(t *testing.T) {
	h := new(Host)
	g := s.guest(t, h)
	about := g.Describe()
	if g.ID() != s.ID || about.ABI != abi.Version {
		t.Errorf("got %+v", about)
	}
	if len(about.ConfigSchema) > 0 && !json.Valid(about.ConfigSchema) {
		t.Error("the schema is not JSON")
	}
	if len(h.Calls) > 0 {
		t.Errorf("it asked for %v", h.Calls)
	}
}

func (s Subject) dev(t *testing.T) {
	h := new(Host)
	if err := s.guest(t, h).Dev(t.Context(), backend.DevOptions{Config: json.RawMessage(s.Dev), WorkDir: "."}); err != nil {
		t.Fatal(err)
	}
	if len(h.Calls) != 1 || h.Calls[0] != (Call{abi.OpExec, s.ExecRequest}) {
		t.Errorf("asked for %v, want exec %s", h.Calls, s.ExecRequest)
	}
}

func (s Subject) devFails(t *testing.T) {
	h := &Host{Answers: map[string]abi.Reply{abi.OpExec: {OK: json.RawMessage(`{"exit_code":7}`)}}}
	err := s.guest(t, h).Dev(t.Context(), backend.DevOptions{Config: json.RawMessage(s.Dev)})
	if e, ok := errors.AsType[*abi.Error](err); !ok || e.ExitCode != 7 || !strings.Contains(e.Message, "exit status 7") {
		t.Errorf("got %+v", err)
	}
}

func (s Subject) devDenied(t *testing.T) {
	h := &Host{Answers: map[string]abi.Reply{abi.OpExec: {Error: &abi.Error{Code: abi.CodeDenied, Message: "not that", Hint: "ask"}}}}
	err := s.guest(t, h).Dev(t.Context(), backend.DevOptions{Config: json.RawMessage(s.Dev)})
	if e, ok := errors.AsType[*abi.Error](err); !ok || e.Code != abi.CodeDenied || e.Message != "not that" || e.Hint != "ask" {
		t.Errorf("got %+v", err)
	}
}

func (s Subject) build(t *testing.T) {
	h := &Host{Answers: map[string]abi.Reply{abi.OpDockerBuild: {OK: json.RawMessage(`{"image":"shop:1","id":"sha256:1"}`)}}}
	image, err := s.guest(t, h).BuildDocker(t.Context(), backend.BuildDockerOptions{Config: json.RawMessage(s.Build), ImageTag: "shop:1"})
	if err != nil || image != "shop:1" {
		t.Errorf("got %q, %v", image, err)
	}
	if len(h.Calls) != 1 || h.Calls[0] != (Call{abi.OpDockerBuild, s.BuildRequest}) {
		t.Errorf("asked for %v, want docker_build %s", h.Calls, s.BuildRequest)
	}
}

func (s Subject) wrong(t *testing.T) {
	for config, want := range s.Wrong {
		h := new(Host)
		g := s.guest(t, h)
		for name, err := range map[string]error{
			"validate": g.Validate(t.Context(), abi.ValidateOptions{Config: json.RawMessage(config)}),
			"dev":      g.Dev(t.Context(), backend.DevOptions{Config: json.RawMessage(config)}),
		} {
			e, ok := errors.AsType[*abi.Error](err)
			if !ok || e.Code != abi.CodeInvalid || e.Message != want || len(e.Problems) == 0 {
				t.Errorf("%s of %s: got %v, want %s", name, config, err, want)
			}
		}
		if len(h.Calls) > 0 {
			t.Errorf("it asked for %v with %s", h.Calls, config)
		}
	}
}

func (s Subject) again(t *testing.T) {
	h := new(Host)
	g := s.guest(t, h)
	for range 3 {
		if err := g.Dev(t.Context(), backend.DevOptions{Config: json.RawMessage(s.Dev)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.Calls) != 3 {
		t.Errorf("%d calls", len(h.Calls))
	}
}
