// Package backendtest tests providers without a module, a policy or an engine:
// [Host] answers their operations, and [Run] is the conformance suite.
package backendtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// Host is a [backend.Host] for tests. It records each request and replies with
// Answers. It is safe for concurrent use.
type Host struct {
	mu    sync.Mutex
	Calls []Call
	// Answers are the replies by operation. Any other operation succeeds with an
	// empty result.
	Answers map[string]abi.Reply
	// Files is a project for read_file, stat and list, by path. It is used for those of
	// them without an answer, unless it is nil.
	Files map[string]string
}

// Call is one request that reached the host, as JSON.
type Call struct {
	Operation string
	Request   string
}

// Call implements [backend.Host].
func (h *Host) Call(_ context.Context, operation string, request []byte) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Calls = append(h.Calls, Call{operation, string(request)})
	reply, ok := h.Answers[operation]
	if !ok {
		reply = h.file(operation, request)
	}
	data, err := json.Marshal(reply)
	if err != nil {
		panic(err)
	}
	return data
}

// Exports calls the functions that a provider exports: JSON in, an [abi.Reply]
// as JSON out.
type Exports interface {
	Call(ctx context.Context, export string, input []byte) (reply []byte, err error)
}

// InGo opens a provider without Wasm, for a [Subject].
func InGo(p backend.Provider) func(*testing.T, *Host) Exports {
	return func(_ *testing.T, h *Host) Exports { return inGo{p, h} }
}

type inGo struct {
	provider backend.Provider
	host     *Host
}

func (g inGo) Call(ctx context.Context, export string, input []byte) ([]byte, error) {
	return backend.Handle(backend.WithHost(ctx, g.host), g.provider, export, input), nil
}

// Subject is a provider under test.
type Subject struct {
	// Open returns the provider's exports, with h as its host. See [InGo].
	Open func(t *testing.T, h *Host) Exports
	ID   string
	// Dev and Build are valid configurations, and ExecRequest and BuildRequest
	// the only requests that they lead to. Leave all four empty for a provider
	// that works in another way.
	Dev, Build                string
	ExecRequest, BuildRequest string
	// Detects is the configuration that detect proposes first for Project, files by
	// path. Leave both empty for a provider without detect.
	Project map[string]string
	Detects string
	// Wrong maps invalid configurations to the error's message.
	Wrong map[string]string
}

// Run checks what the ABI requires of every provider.
func Run(t *testing.T, s Subject) {
	t.Run("describes itself", func(t *testing.T) { s.describes(t) })
	t.Run("wrong configuration", func(t *testing.T) { s.wrong(t) })
	if s.Detects != "" {
		t.Run("detect proposes a configuration", func(t *testing.T) { s.detects(t) })
	}
	if s.ExecRequest == "" {
		return
	}
	t.Run("dev runs its command alone", func(t *testing.T) { s.dev(t) })
	t.Run("dev passes on the exit status", func(t *testing.T) { s.devFails(t) })
	t.Run("dev passes on a denial", func(t *testing.T) { s.devDenied(t) })
	t.Run("build returns the reference", func(t *testing.T) { s.build(t) })
	t.Run("can be called again", func(t *testing.T) { s.again(t) })
}

// call calls an export with input, unless that is nil, and decodes the result.
// A reply that the ABI does not allow ends the test.
func call(t *testing.T, e Exports, export string, input, result any) error {
	t.Helper()
	var data []byte
	if input != nil {
		var err error
		if data, err = json.Marshal(input); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := e.Call(t.Context(), export, data)
	if err != nil {
		return err
	}
	var reply abi.Reply
	if err := json.Unmarshal(answer, &reply); err != nil || (reply.Error == nil) == (len(bytes.TrimSpace(reply.OK)) == 0) {
		t.Fatalf("%s: got %s, %v, expected either ok or error", export, answer, err)
	}
	if reply.Error != nil {
		return reply.Error
	}
	if err := json.Unmarshal(reply.OK, result); err != nil {
		t.Fatalf("%s: %v", export, err)
	}
	return nil
}

// devWith calls dev with a configuration.
func devWith(t *testing.T, e Exports, config string) error {
	t.Helper()
	return call(t, e, abi.ExportDev, abi.DevOptions{Config: abi.JSON(config), WorkDir: "."}, new(abi.Empty))
}

func (s Subject) describes(t *testing.T) {
	h := new(Host)
	var about abi.Description
	if err := call(t, s.Open(t, h), abi.ExportDescribe, nil, &about); err != nil {
		t.Fatal(err)
	}
	if about.ID != s.ID || about.ABI != abi.Version {
		t.Errorf("got %+v", about)
	}
	if len(about.ConfigSchema) > 0 && !json.Valid(about.ConfigSchema) {
		t.Error("the schema is not JSON")
	}
	if len(h.Calls) > 0 {
		t.Errorf("describe requested %v", h.Calls)
	}
}

func (s Subject) dev(t *testing.T) {
	h := new(Host)
	if err := devWith(t, s.Open(t, h), s.Dev); err != nil {
		t.Fatal(err)
	}
	if len(h.Calls) != 1 || h.Calls[0] != (Call{abi.OpExec, s.ExecRequest}) {
		t.Errorf("requested %v, want exec %s", h.Calls, s.ExecRequest)
	}
}

func (s Subject) devFails(t *testing.T) {
	h := &Host{Answers: map[string]abi.Reply{abi.OpExec: {OK: abi.JSON(`{"exit_code":7}`)}}}
	err := devWith(t, s.Open(t, h), s.Dev)
	if e, ok := errors.AsType[*abi.Error](err); !ok || e.ExitCode != 7 || !strings.Contains(e.Message, "exit status 7") {
		t.Errorf("got %+v", err)
	}
}

func (s Subject) devDenied(t *testing.T) {
	h := &Host{Answers: map[string]abi.Reply{abi.OpExec: {Error: &abi.Error{Code: abi.CodeDenied, Message: "not that", Hint: "ask"}}}}
	err := devWith(t, s.Open(t, h), s.Dev)
	if e, ok := errors.AsType[*abi.Error](err); !ok || e.Code != abi.CodeDenied || e.Message != "not that" || e.Hint != "ask" {
		t.Errorf("got %+v", err)
	}
}

func (s Subject) build(t *testing.T) {
	h := &Host{Answers: map[string]abi.Reply{abi.OpDockerBuild: {OK: abi.JSON(`{"image":"shop:1","id":"sha256:1"}`)}}}
	var result abi.BuildDockerResult
	err := call(t, s.Open(t, h), abi.ExportBuildDocker, abi.BuildDockerOptions{Config: abi.JSON(s.Build), ImageTag: "shop:1"}, &result)
	if err != nil || result.Image != "shop:1" {
		t.Errorf("got %q, %v", result.Image, err)
	}
	if len(h.Calls) != 1 || h.Calls[0] != (Call{abi.OpDockerBuild, s.BuildRequest}) {
		t.Errorf("requested %v, want docker_build %s", h.Calls, s.BuildRequest)
	}
}

// detects checks that detect only reads, that the provider accepts what it proposes, and
// that it proposes nothing for an empty project.
func (s Subject) detects(t *testing.T) {
	h := &Host{Files: s.Project}
	e := s.Open(t, h)
	var found abi.DetectResult
	if err := call(t, e, abi.ExportDetect, abi.DetectOptions{WorkDir: "."}, &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Candidates) == 0 || string(found.Candidates[0].Config) != s.Detects {
		t.Fatalf("got %+v, want %s", found, s.Detects)
	}
	for _, c := range h.Calls {
		if !slices.Contains([]string{abi.OpReadFile, abi.OpStat, abi.OpList, abi.OpLog}, c.Operation) {
			t.Errorf("detect requested %s", c.Operation)
		}
	}
	for _, c := range found.Candidates {
		if err := call(t, e, abi.ExportValidate, abi.ValidateOptions{Config: c.Config}, new(abi.Empty)); err != nil {
			t.Errorf("it refuses its own %s: %v", c.Config, err)
		}
	}
	h.Files = map[string]string{}
	found = abi.DetectResult{}
	if err := call(t, e, abi.ExportDetect, abi.DetectOptions{WorkDir: "."}, &found); err != nil || len(found.Candidates) > 0 {
		t.Errorf("an empty project: %+v, %v", found, err)
	}
}

func (s Subject) wrong(t *testing.T) {
	for config, want := range s.Wrong {
		h := new(Host)
		e := s.Open(t, h)
		for name, err := range map[string]error{
			"validate": call(t, e, abi.ExportValidate, abi.ValidateOptions{Config: abi.JSON(config)}, new(abi.Empty)),
			"dev":      devWith(t, e, config),
		} {
			e, ok := errors.AsType[*abi.Error](err)
			if !ok || e.Code != abi.CodeInvalid || e.Message != want || len(e.Problems) == 0 {
				t.Errorf("%s of %s: got %v, want %s", name, config, err, want)
			}
		}
		if len(h.Calls) > 0 {
			t.Errorf("requested %v with %s", h.Calls, config)
		}
	}
}

func (s Subject) again(t *testing.T) {
	h := new(Host)
	e := s.Open(t, h)
	for range 3 {
		if err := devWith(t, e, s.Dev); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.Calls) != 3 {
		t.Errorf("%d calls, want 3", len(h.Calls))
	}
}
