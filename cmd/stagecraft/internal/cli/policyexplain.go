package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type policyExplainCmd struct {
	JSON        bool     `name:"json" help:"Print the result as JSON."`
	Dir         string   `placeholder:"DIR" help:"exec, process_start: the working directory; docker_build: the context."`
	Env         []string `placeholder:"NAME" help:"exec, process_start: variables that the provider sets."`
	Push        bool     `help:"docker_build: also push the image."`
	Target      string   `placeholder:"STAGE" help:"docker_build: the stage to build."`
	Platform    []string `placeholder:"PLATFORM" help:"docker_build: platforms of the image, such as linux/arm64."`
	Secret      []string `placeholder:"ID=NAME" help:"docker_build: secrets that steps may mount, and the variables with their values."`
	CacheFrom   []string `sep:"none" placeholder:"REFERENCE" help:"docker_build: caches to import from."`
	CacheTo     []string `sep:"none" placeholder:"REFERENCE" help:"docker_build: caches to export to."`
	Engine      string   `placeholder:"ENGINE" help:"docker_build: the engine."`
	EngineCerts string   `placeholder:"DIR" help:"docker_build: directory with certificates for a daemon; default STAGECRAFT_ENGINE_CERTS."`
	Output      []string `sep:"none" placeholder:"oci:DIR|tar:FILE" help:"docker_build: where to write the image."`
	Base        []string `sep:"none" placeholder:"REF=oci:DIR" help:"docker_build: OCI layouts to take base images from."`
	Operation   string   `arg:"" help:"An operation of the ABI, such as exec or probe, or its name in policy tests: build, read, look, connect."`
	Args        []string `arg:"" optional:"" passthrough:"" help:"Arguments of the operation: a command, references, a path, patterns, an address, names."`
}

func (policyExplainCmd) Help() string {
	return `Shows whether the configured provider may call an operation, without calling it:
the decision of each layer, its rule, and rules that nearly match. Flags go before
the operation; what follows it is not parsed. The exit code is 3 if the operation
would be denied.

Examples:
  stagecraft policy explain exec npm publish
  stagecraft policy explain --env NODE_ENV exec npm run dev
  stagecraft policy explain --push build ghcr.io/acme/shop:1
  stagecraft policy explain read_file .env`
}

// explainJSON is printed by --json; fields are only added.
type explainJSON struct {
	Asked   string         `json:"asked"`
	Allowed bool           `json:"allowed"`
	Layers  []explainLayer `json:"layers"`
	Allow   string         `json:"allow,omitempty"`
}

type explainLayer struct {
	session.LayerDecision
	Missing []explainMissing `json:"missing,omitempty"`
	Near    []explainNear    `json:"near,omitempty"`
}

// explainMissing is a rule that a layer does not have, in YAML, and its key.
type explainMissing struct {
	Key  string `json:"key"`
	Rule string `json:"rule"`
}

type explainNear struct {
	Rule string `json:"rule"`
	File string `json:"file"`
	Line int    `json:"line"`
	Why  string `json:"why"`
}

// maxNear bounds the near rules that are shown for a layer.
const maxNear = 3

// Run is called by kong.
func (c policyExplainCmd) Run(ctx context.Context, a *app) error {
	if operation, ok := testNames[c.Operation]; ok {
		c.Operation = operation
	}
	request, err := c.request()
	if err != nil {
		return err
	}
	if err := c.checkFlags(); err != nil {
		return err
	}
	opts := a.options()
	if opts.Builds, err = (builderFlags{Engine: c.Engine, EngineCerts: c.EngineCerts, Output: c.Output, Base: c.Base}).settings(a, nil); err != nil {
		return err
	}
	s, err := a.open(opts)
	if err != nil {
		return err
	}
	tag := ""
	if build, ok := request.(abi.DockerBuildRequest); ok {
		if len(build.Tags) == 0 {
			build.Tags = []string{s.DefaultTag()}
		}
		tag, request = build.Tags[0], build
	}
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	found, err := s.Explain(ctx, c.Operation, data, tag)
	if err != nil {
		return err
	}
	v := explained(found)
	err = a.printer.resultAs(c.JSON, v, v.text())
	if err == nil && !v.Allowed {
		err = errWouldBeDenied
	}
	return err
}

// testNames are the names of operations in policy tests.
var testNames = map[string]string{"build": abi.OpDockerBuild, "read": abi.OpReadFile, "look": abi.OpEnvStatus, "connect": abi.OpProbe}

// checkFlags finds flags and arguments that the operation does not use.
func (c policyExplainCmd) checkFlags() error {
	starts := c.Operation == abi.OpExec || c.Operation == abi.OpProcessStart
	builds := c.Operation == abi.OpDockerBuild
	for _, flag := range []struct {
		name        string
		given, used bool
	}{
		{"--dir", c.Dir != "", starts || builds},
		{"--env", len(c.Env) > 0, starts},
		{"--push", c.Push, builds},
		{"--target", c.Target != "", builds},
		{"--platform", len(c.Platform) > 0, builds},
		{"--secret", len(c.Secret) > 0, builds},
		{"--cache-from", len(c.CacheFrom) > 0, builds},
		{"--cache-to", len(c.CacheTo) > 0, builds},
		{"--engine", c.Engine != "", builds},
		{"--engine-certs", c.EngineCerts != "", builds},
		{"--output", len(c.Output) > 0, builds},
		{"--base", len(c.Base) > 0, builds},
		{"arguments", len(c.Args) > 0, c.Operation != abi.OpProcessWait && c.Operation != abi.OpProcessStop},
	} {
		if flag.given && !flag.used {
			return &usageError{flag.name + ": no meaning for the operation " + c.Operation, ""}
		}
	}
	return nil
}

// request returns the request that a provider would send.
func (c policyExplainCmd) request() (any, error) {
	one := func() string { return strings.Join(c.Args, " ") }
	switch c.Operation {
	case abi.OpExec:
		return abi.ExecRequest{Argv: c.Args, Dir: c.Dir, Env: c.env()}, nil
	case abi.OpProcessStart:
		return abi.ProcessStartRequest{Argv: c.Args, Dir: c.Dir, Env: c.env()}, nil
	case abi.OpProcessWait:
		return abi.ProcessWaitRequest{}, nil
	case abi.OpProcessStop:
		return abi.ProcessStopRequest{}, nil
	case abi.OpProbe:
		return abi.ProbeRequest{Address: one()}, nil
	case abi.OpDockerBuild:
		return abi.DockerBuildRequest{
			Context: c.Dir, Tags: c.Args, Push: c.Push, Target: c.Target, Platforms: c.Platform, Secrets: c.secrets(), CacheFrom: c.CacheFrom, CacheTo: c.CacheTo,
		}, nil
	case abi.OpDockerImage:
		return abi.DockerImageRequest{Image: one()}, nil
	case abi.OpStat:
		return abi.StatRequest{Path: one()}, nil
	case abi.OpReadFile, abi.OpList:
		return abi.PathRequest{Path: one()}, nil
	case abi.OpWatch:
		return abi.WatchRequest{Paths: c.Args}, nil
	case abi.OpEnvStatus:
		return abi.EnvStatusRequest{Names: c.Args}, nil
	case abi.OpReady:
		return abi.ReadyRequest{Processes: []abi.ReadyProcess{{Name: one()}}}, nil
	case abi.OpLog:
		return abi.LogRequest{Level: abi.LevelInfo, Message: one()}, nil
	}
	known := operationNames()
	message := fmt.Sprintf("unknown operation %q", c.Operation)
	if near := yamldoc.Nearest(c.Operation, known); near != "" {
		message += fmt.Sprintf(" (did you mean %q?)", near)
	}
	return nil, &usageError{message, "operations: " + strings.Join(known, ", ")}
}

// operationNames are those of the ABI, then those of policy tests.
func operationNames() []string {
	return slices.Concat(abi.Operations(), slices.Sorted(maps.Keys(testNames)))
}

// env returns the variables that the provider would set; values do not matter.
func (c policyExplainCmd) env() map[string]abi.Value {
	env := make(map[string]abi.Value)
	for _, name := range c.Env {
		env[name] = abi.Text("")
	}
	return env
}

// secrets returns the secrets of a build. The default variable has the secret's name.
func (c policyExplainCmd) secrets() map[string]abi.Value {
	secrets := make(map[string]abi.Value)
	for _, text := range c.Secret {
		id, name, named := strings.Cut(text, "=")
		if !named {
			name = id
		}
		secrets[id] = abi.EnvRef(name)
	}
	return secrets
}

func explained(found session.Explanation) explainJSON {
	rec := found.Record
	v := explainJSON{Asked: rec.Claim.String(), Allowed: rec.Decision.Allowed, Layers: []explainLayer{}}
	for i, decision := range session.LayerDecisions(rec) {
		layer := explainLayer{LayerDecision: decision}
		for _, g := range rec.Layers[i].Missing {
			if g.Key != "" {
				layer.Missing = append(layer.Missing, explainMissing{g.Key, g.Rule})
			}
		}
		if !decision.Allowed && decision.Rule == "" && i < len(found.Policies) {
			for _, miss := range explain.Near(found.Policies[i], rec.Claim, maxNear) {
				layer.Near = append(layer.Near, explainNear{miss.Rule, miss.Pos.File, miss.Pos.Line, miss.Why})
			}
		}
		v.Layers = append(v.Layers, layer)
	}
	if grants := rec.Grants(); len(grants) > 0 {
		v.Allow = explain.Snippet(rec.Provider, grants)
	}
	return v
}

// layerText is the name of a layer and the reason of its decision.
func layerText(layer session.LayerDecision) string {
	return cmp.Or(layer.Layer, "policy") + ": " + termtext.Line(layer.Reason, 2000)
}

func (v explainJSON) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", termtext.Line(v.Asked, 2000), verdict(v.Allowed))
	for _, layer := range v.Layers {
		b.WriteString("  " + layerText(layer.LayerDecision) + "\n")
		for _, m := range layer.Missing {
			fmt.Fprintf(&b, "    missing %s: %s\n", m.Key, termtext.Line(m.Rule, 1000))
		}
		for _, near := range layer.Near {
			fmt.Fprintf(&b, "    near: %q, %s:%d: %s\n", near.Rule, near.File, near.Line, termtext.Line(near.Why, 1000))
		}
	}
	if v.Allow != "" {
		b.WriteString("to allow it, add to " + policyFile + ":\n" + indent(v.Allow))
	}
	return b.String()
}

func verdict(allowed bool) string {
	if allowed {
		return "allowed"
	}
	return "denied"
}
