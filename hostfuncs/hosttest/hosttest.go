// Package hosttest is shared by the tests of all operations: a project, its gate, and
// calls.
package hosttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// Hangs is a limit for what would otherwise never end. It is below that of all tests, so
// that the failure names it, and no working test comes near it on any machine.
const Hangs = 50 * time.Minute

// Host is a project directory with the records and messages of calls.
type Host struct {
	Root    string
	Environ []string
	Logged  []string
	Records []hostfuncs.Record
}

// New makes a project directory with executable files; a name that ends in / is a
// directory.
func New(t testing.TB, files map[string]string) *Host {
	t.Helper()
	root := imagetest.Dir(t)
	imagetest.Write(t, root, files)
	for name := range files {
		if strings.HasSuffix(name, "/") {
			continue
		}
		if err := os.Chmod(filepath.Join(root, filepath.FromSlash(name)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &Host{Root: root, Environ: os.Environ()}
}

// Decided implements [hostfuncs.Auditor].
func (h *Host) Decided(*hostfuncs.Record) error { return nil }

// Done implements [hostfuncs.Auditor].
func (h *Host) Done(r *hostfuncs.Record) { h.Records = append(h.Records, *r) }

// Log records a message of an operation.
func (h *Host) Log(level abi.Level, message string) {
	h.Logged = append(h.Logged, string(level)+": "+message)
}

// Warn records a warning.
func (h *Host) Warn(err error) { h.Logged = append(h.Logged, "warned: "+err.Error()) }

// Everything is a policy that allows the provider "test" nearly everything.
const Everything = `
version: 1
providers:
  test:
    exec: ["**"]
    env: {pass: ["*"], read: ["*"]}
    files: {read: ["**"]}
    build: {contexts: ["**"], tags: ["**"], args: ["*"], push: true}
    net: {connect: ["*"]}
`

// Policies parses a policy; an empty text is none.
func Policies(t testing.TB, policy string) []*capability.Policy {
	t.Helper()
	if policy == "" {
		return nil
	}
	parsed, err := capability.Parse("policy.yml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	return []*capability.Policy{parsed}
}

// GateOptions are those of a gate for the provider "test".
func (h *Host) GateOptions(t testing.TB, policy string, operations ...hostfuncs.Operation) hostfuncs.GateOptions {
	t.Helper()
	return hostfuncs.GateOptions{Provider: "test", Policies: Policies(t, policy), Operations: operations, Auditor: h}
}

// NewGate makes a gate.
func NewGate(t testing.TB, opts hostfuncs.GateOptions) *hostfuncs.Gate {
	t.Helper()
	g, err := hostfuncs.NewGate(opts)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Call makes one call and expects a reply of the ABI.
func Call(t testing.TB, g *hostfuncs.Gate, operation string, request any) abi.Reply {
	t.Helper()
	data, ok := request.([]byte)
	if !ok {
		var err error
		if data, err = json.Marshal(request); err != nil {
			t.Fatal(err)
		}
	}
	return Reply(t, g.Call(t.Context(), operation, data))
}

// Reply decodes a reply.
func Reply(t testing.TB, data []byte) abi.Reply {
	t.Helper()
	var reply abi.Reply
	if err := json.Unmarshal(data, &reply); err != nil {
		t.Fatalf("not a reply: %q", data)
	}
	if (reply.OK == nil) == (reply.Error == nil) {
		t.Fatalf("neither or both of ok and error: %s", data)
	}
	return reply
}

// As decodes the result of a call and expects no error.
func As[R any](t testing.TB, reply abi.Reply) R {
	t.Helper()
	var result R
	if reply.Error != nil {
		t.Fatalf("%s: %s", reply.Error.Code, reply.Error.Message)
	}
	if err := json.Unmarshal(reply.OK, &result); err != nil {
		t.Fatal(err)
	}
	return result
}

// WantError expects an error with a code and a part of a message.
func WantError(t testing.TB, reply abi.Reply, code abi.Code, message string) {
	t.Helper()
	if reply.Error == nil || reply.Error.Code != code || !strings.Contains(reply.Error.Message, message) {
		t.Errorf("got %s %+v, want %s: %s", reply.OK, reply.Error, code, message)
	}
}

// NeedUnix skips a test that uses programs of Unix.
func NeedUnix(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("uses programs of Unix")
	}
}
