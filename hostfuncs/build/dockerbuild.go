package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// buildPlan is an image build, exactly as it will be.
type buildPlan struct {
	context    place
	dockerfile place
	tags       []string
	args       map[string]string
	target     string
	network    string
	push       bool
	without    []string
	text       []byte // of the Dockerfile
	engine     Engine
	options    BuildOptions
	outputs    []string
	uses       dockerfile.Uses
	stored     map[string]storedBase // of uses.Bases, those in layouts
	fields     buildFields
	missing    error
	// unbuilt is why nothing can build it, where that is known before.
	unbuilt error
}

func dockerBuildOp(w *World, connect connect) hostfuncs.Op[abi.DockerBuildRequest, buildPlan, abi.DockerBuildResult] {
	return hostfuncs.Op[abi.DockerBuildRequest, buildPlan, abi.DockerBuildResult]{
		Name:    abi.OpDockerBuild,
		Resolve: w.resolveBuild,
		Claim:   claimBuild,
		Do: func(ctx context.Context, p buildPlan) (abi.DockerBuildResult, error) {
			return w.doBuild(ctx, p, connect)
		},
		Step:    w.stepBuild,
		Preview: previewBuild,
	}
}

// stepBuild looks at the whole context, since what is in it is a part of what
// would be built.
func (w *World) stepBuild(ctx context.Context, p buildPlan) (hostfuncs.Detail, error) {
	s := &Step{
		Context: p.context.rel, Dockerfile: p.dockerfile.rel, Tags: p.tags, Target: p.target, Network: p.network, Push: p.push,
	}
	for _, name := range slices.Sorted(maps.Keys(p.args)) {
		s.Args = append(s.Args, values.Plan(name, abi.Text(p.args[name])))
	}
	p.fields.step(s)
	s.Bases, s.Layouts, s.Syntax, s.Remotes, s.Outputs, s.Load = p.bases(), p.layouts(), p.uses.Syntax, p.uses.Remotes, p.outputs, p.options.Load
	if p.engine.elsewhere() != "" {
		s.Engine = p.engine.String()
	}
	if p.missing != nil {
		return s, nil
	}
	survey, err := image.Look(ctx, p.build())
	if err != nil {
		return s, p.failure(err)
	}
	w.hintLarge(ctx, p)
	s.Files, s.Bytes, s.SHA256 = survey.Files, survey.Bytes, survey.SHA256
	return s, nil
}

// hintLarge tells the user once of a context that wants an ignore file.
func (w *World) hintLarge(ctx context.Context, p buildPlan) {
	if w.large[p.context.rel] || !image.IsLarge(ctx, p.build()) {
		return
	}
	if w.large == nil {
		w.large = make(map[string]bool)
	}
	w.large[p.context.rel] = true
	w.Warn(fmt.Errorf("the build context %s has more than %d MB and no .dockerignore: name in that file what the image does not need, such as .git and node_modules",
		quotePath(p.context.rel), image.LargeContext/1_000_000))
}

func previewBuild(p buildPlan) (abi.DockerBuildResult, []string, error) {
	unknown := []string{"the image's ID"}
	if p.push {
		unknown = append(unknown, "its digest")
	}
	if p.unbuilt != nil {
		// Where the plan is carried out there may be an engine.
		unknown = append(unknown, "what builds it, since here nothing can: "+p.unbuilt.Error())
	}
	return abi.DockerBuildResult{Image: p.tags[0]}, unknown, p.missing
}

func (p buildPlan) build() image.Build {
	b := image.Build{
		Context: p.context.abs, Dockerfile: p.dockerfile.abs, ContextInfo: p.context.info, DockerfileInfo: p.dockerfile.info,
		Tags: p.tags, Args: p.arguments(), Target: p.target, Network: p.network, Without: p.without,
		HostSteps: slices.Contains(p.uses.Networks, "host"),
		Misread:   p.uses.Misread,
		NoCache:   p.options.NoCache, Pull: p.options.Pull, Epoch: p.options.Epoch,
		// A frontend that was allowed is held to what was decided on as well.
		Text: p.text, Syntax: p.uses.Syntax, Remotes: p.uses.Remotes, Bases: p.pulled(), Stored: make(map[string]image.Stored),
	}
	for ref, base := range p.stored {
		b.Stored[ref] = base.Stored
	}
	if s := p.uses.Syntax; s == "" || dockerfile.IsDockers(s) {
		b.Takes = append([]dockerfile.Take{}, p.uses.Takes...)
	}
	p.fields.build(&b)
	return b
}

func (w *World) resolveBuild(ctx context.Context, q abi.DockerBuildRequest) (buildPlan, error) {
	if len(q.Tags) == 0 {
		return buildPlan{}, abi.Errorf(abi.CodeInvalid, "docker_build: tags is empty, the image needs a reference")
	}
	for _, tag := range q.Tags {
		if err := image.CheckTag(tag); err != nil {
			return buildPlan{}, abi.Errorf(abi.CodeInvalid, "docker_build: %v", err)
		}
	}
	if !isNetwork(q.Network) {
		return buildPlan{}, abi.Errorf(abi.CodeInvalid, "docker_build: network %q is none of none, default, host", q.Network)
	}
	p := buildPlan{
		tags: slices.Concat(q.Tags, w.Builds.Tags), args: q.Args, target: q.Target, network: q.Network, push: q.Push, without: w.Own,
		engine: w.Builds.Engine, options: w.Builds,
	}
	var err error
	if p.options.Outputs, p.outputs, err = w.outputs(); err != nil {
		return buildPlan{}, err
	}
	if len(w.Builds.Platforms) > 0 {
		q.Platforms = w.Builds.Platforms
	}
	if p.fields, err = w.resolveFields(q); err != nil {
		return buildPlan{}, err
	}
	if p.context, err = w.locate(q.Context); err != nil {
		return buildPlan{}, ofField("context", err)
	}
	named := q.Dockerfile
	if named == "" {
		named = path.Join(q.Context, "Dockerfile")
	}
	if p.dockerfile, err = w.locate(named); err != nil {
		return buildPlan{}, ofField("dockerfile", err)
	}
	if p.missing = p.whatIsMissing(named, q.Context); p.missing != nil {
		return p, nil
	}
	if p.missing = w.readDockerfile(ctx, &p); p.missing == nil {
		if err := w.takeLayouts(&p); err != nil {
			return buildPlan{}, err
		}
	}
	if p.engine.Kind == EngineDocker {
		p.engine.Address = docker.Address(w.getenv)
	}
	return p, nil
}

// isNetwork tells whether steps of a build can have a network of that name.
func isNetwork(name string) bool {
	return name == "" || name == "none" || name == "default" || name == "host"
}

func (p buildPlan) whatIsMissing(dockerfile, directory string) error {
	switch {
	case p.context.missing != nil:
		return ofField("context", p.context.missing)
	case !p.context.info.IsDir():
		return ofField("context", abi.Errorf(abi.CodeInvalid, "the build context %s is no directory", quotePath(directory)))
	case p.dockerfile.missing != nil:
		return &abi.Error{
			Code: abi.CodeNotFound, Message: "there is no Dockerfile at " + quotePath(dockerfile),
			Hint: "create it, or name another one in the configuration",
		}
	case !p.dockerfile.info.Mode().IsRegular():
		return abi.Errorf(abi.CodeInvalid, "the Dockerfile %s is no regular file", quotePath(dockerfile))
	}
	return nil
}

// failure says at which line of the Dockerfile a build failed.
func (p buildPlan) failure(err error) error {
	e, ok := errors.AsType[*image.Error](err)
	if !ok {
		return engineError(err)
	}
	where, line := p.dockerfile.rel, cmp.Or(e.Line, dockerfile.StepLine(p.text, e.Step))
	if line > 0 {
		where += ":" + strconv.Itoa(line)
	}
	failed := abi.Errorf(abi.CodeFailed, "%s: %v", where, e)
	failed.Output, failed.OutputShown = e.Log, e.Shown
	if excerpt := dockerfile.Excerpt(p.text, line); excerpt != "" {
		failed.Source = where + "\n" + excerpt
	}
	return failed
}

func claimBuild(p buildPlan) capability.Claim {
	c := capability.Claim{Build: &capability.Build{
		Context: p.context.rel, Dockerfile: p.dockerfile.rel, Tags: p.tags,
		Args: slices.Sorted(maps.Keys(p.args)), Target: p.target, Network: p.network, Push: p.push,
	}}
	p.fields.claim(&c)
	p.claimUses(c.Build)
	return c
}

func (w *World) doBuild(ctx context.Context, p buildPlan, connect connect) (abi.DockerBuildResult, error) {
	if p.missing != nil {
		return abi.DockerBuildResult{}, p.missing
	}
	if p.unbuilt != nil {
		return abi.DockerBuildResult{}, p.unbuilt
	}
	e, err := connect(ctx, w, p.engine)
	if err != nil {
		return abi.DockerBuildResult{}, engineError(err)
	}
	defer e.Close()
	j := job{Build: p.build(), push: p.push, options: p.options, mask: w.Mask.Text}
	if j.Secrets, err = w.secretValues(p.fields); err != nil {
		return abi.DockerBuildResult{}, err
	}
	w.hintLarge(ctx, p)
	built, err := e.Build(ctx, j)
	if err == nil {
		err = built.Check()
	}
	if err != nil {
		return abi.DockerBuildResult{}, p.failure(err)
	}
	return abi.DockerBuildResult{
		Image: p.tags[0], ID: built.ID(), Config: built.Config, Digest: built.Digest(), OtherDigests: built.OtherDigests(),
		Bases: p.digests(built.Bases),
	}, nil
}

// digests are those of the images that were decided on: a reference may have its
// own, else it is what the builder told.
func (p buildPlan) digests(told map[string]string) map[string]string {
	known := make(map[string]string)
	for _, ref := range p.bases() {
		_, digest, pinned := strings.Cut(ref, "@")
		if !pinned {
			digest = told[ref]
		}
		if digest != "" {
			known[ref] = digest
		}
	}
	return known
}
