package build

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// project is a project directory, with the user's options.
type project struct {
	*hosttest.Host
	Builds Options
	Own    []string
	Mask   *redact.Set
}

func newProject(t testing.TB, files map[string]string) *project {
	t.Helper()
	return &project{
		Host: hosttest.New(t, files), Mask: new(redact.Set),
		Builds: Options{Engine: Engine{Kind: Docker}, Mode: "plain", Progress: new(strings.Builder)},
	}
}

// images are those of a run with what the project has now.
func (p *project) images() *Images {
	project := files.NewProject(p.Root)
	return New(Config{
		Project: project, Env: values.New(values.Options{Project: project, Environ: p.Environ, Mask: p.Mask, Log: p.Log, Warn: p.Warn}),
		Options: p.Builds, Own: p.Own, Mask: p.Mask, Log: p.Log, Warn: p.Warn,
	})
}

// gate is the gate to a run's operations under a policy.
func (p *project) gate(t testing.TB, policy string, images *Images) *hostfuncs.Gate {
	t.Helper()
	opts := p.GateOptions(t, policy, images.Operations()...)
	opts.Mask = p.Mask
	return hosttest.NewGate(t, opts)
}
