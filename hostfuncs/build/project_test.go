package build

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
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// hangs is a limit for what would never end; nothing that works comes near it.
const hangs = 50 * time.Minute

// project is a project directory, with the user's environment and options, and
// what a run reported.
type project struct {
	Root    string
	Environ []string
	Builds  Options
	Own     []string
	Mask    *redact.Set
	logged  []string
	records []hostfuncs.Record
}

func (p *project) Decided(*hostfuncs.Record) error { return nil }
func (p *project) Done(r *hostfuncs.Record)        { p.records = append(p.records, *r) }

// newProject makes a project directory with these files, which can be executed; a
// name that ends in / is a directory.
func newProject(t testing.TB, files map[string]string) *project {
	t.Helper()
	p := &project{
		Root: imagetest.Dir(t), Environ: os.Environ(), Mask: new(redact.Set),
		Builds: Options{Engine: Engine{Kind: Docker}, Mode: "plain", Progress: new(strings.Builder)},
	}
	imagetest.Write(t, p.Root, files)
	for name := range files {
		if strings.HasSuffix(name, "/") {
			continue
		}
		if err := os.Chmod(filepath.Join(p.Root, filepath.FromSlash(name)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// images are those of a run with what the project has now.
func (p *project) images() *Images {
	project := files.NewProject(p.Root)
	log := func(level abi.Level, message string) { p.logged = append(p.logged, string(level)+": "+message) }
	warn := func(err error) { p.logged = append(p.logged, "warned: "+err.Error()) }
	return New(Config{
		Project: project, Env: values.New(values.Options{Project: project, Environ: p.Environ, Mask: p.Mask, Log: log, Warn: warn}),
		Options: p.Builds, Own: p.Own, Mask: p.Mask, Log: log, Warn: warn,
	})
}

// gate is the gate to a run's operations under a policy.
func (p *project) gate(t testing.TB, policy string, images *Images) *hostfuncs.Gate {
	t.Helper()
	parsed, err := capability.Parse("policy.yml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	g, err := hostfuncs.NewGate(hostfuncs.GateOptions{
		Provider: "test", Policies: []*capability.Policy{parsed}, Operations: images.Operations(), Auditor: p, Mask: p.Mask,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// call makes one call, which must have a reply of the ABI.
func call(t testing.TB, g *hostfuncs.Gate, operation string, request any) abi.Reply {
	t.Helper()
	data, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var reply abi.Reply
	answer := g.Call(t.Context(), operation, data)
	if err := json.Unmarshal(answer, &reply); err != nil || (reply.OK == nil) == (reply.Error == nil) {
		t.Fatalf("not a reply: %q", answer)
	}
	return reply
}

// as decodes the result of a call, which must have worked.
func as[R any](t testing.TB, reply abi.Reply) R {
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

func wantError(t testing.TB, reply abi.Reply, code abi.Code, message string) {
	t.Helper()
	if reply.Error == nil || reply.Error.Code != code || !strings.Contains(reply.Error.Message, message) {
		t.Errorf("got %s %+v, want %s: %s", reply.OK, reply.Error, code, message)
	}
}

func needUnix(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
}
