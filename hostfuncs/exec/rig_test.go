package exec

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// project is a project in which commands run with these options.
type project struct {
	*hosttest.Host
	Options
	made *Runner // the last one
}

func newProject(t testing.TB, list map[string]string) *project {
	t.Helper()
	h := hosttest.New(t, list)
	return &project{Host: h, Options: Options{
		Project: files.NewProject(h.Root), Grace: hosttest.Hangs,
		Stdout: new(strings.Builder), Stderr: new(strings.Builder), Mask: new(redact.Set), Warn: h.Warn,
		Ends: func() {},
	}}
}

// runner makes a runner for a policy.
func (p *project) runner(t testing.TB, policies []*capability.Policy) *Runner {
	t.Helper()
	if p.ChildEnv == nil {
		p.ChildEnv = capability.PassedEnv(policies, "test", p.Environ)
	}
	p.Env = values.New(values.Options{Project: p.Project, Environ: p.Environ, Mask: p.Mask, Log: p.Log, Warn: p.Host.Warn})
	p.made = NewRunner(p.Options)
	t.Cleanup(p.made.Close)
	return p.made
}

func (p *project) gate(t testing.TB, policy string) *hostfuncs.Gate {
	t.Helper()
	return p.conducted(t, policy, func(*hostfuncs.GateOptions) {})
}

// conducted is a gate with changed options.
func (p *project) conducted(t testing.TB, policy string, change func(*hostfuncs.GateOptions)) *hostfuncs.Gate {
	t.Helper()
	r := p.runner(t, hosttest.Policies(t, policy))
	opts := p.GateOptions(t, policy, slices.Concat(r.Operations(), p.Env.Operations())...)
	opts.Mask = p.Mask
	change(&opts)
	return hosttest.NewGate(t, opts)
}
