package hostfuncs

import (
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
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
	platforms  []string
	engine     Engine
	options    BuildOptions
	missing    error
	// unbuilt is why nothing can build it, where that is known before.
	unbuilt error
}

func dockerBuildOp(w *World, connect connect) Op[abi.DockerBuildRequest, buildPlan, abi.DockerBuildResult] {
	return Op[abi.DockerBuildRequest, buildPlan, abi.DockerBuildResult]{
		Name:    abi.OpDockerBuild,
		Resolve: w.resolveBuild,
		Claim:   claimBuild,
		Do: func(ctx context.Context, p buildPlan) (abi.DockerBuildResult, error) {
			return w.doBuild(ctx, p, connect)
		},
		Step:     stepBuild,
		Foretell: foretellBuild,
	}
}

// stepBuild looks at the whole context, since what is in it is a part of what
// would be built.
func stepBuild(ctx context.Context, p buildPlan) (Step, error) {
	s := &BuildStep{
		Context: p.context.rel, Dockerfile: p.dockerfile.rel, Tags: p.tags, Target: p.target, Network: p.network, Push: p.push,
	}
	for _, name := range slices.Sorted(maps.Keys(p.args)) {
		s.Args = append(s.Args, valueStep(name, abi.Text(p.args[name])))
	}
	if p.missing == nil {
		survey, err := image.Look(ctx, p.build())
		if err != nil {
			return Step{}, engineError(err)
		}
		s.Files, s.Bytes, s.SHA256 = survey.Files, survey.Bytes, survey.SHA256
	}
	return Step{Operation: abi.OpDockerBuild, Build: s}, nil
}

func foretellBuild(p buildPlan) (abi.DockerBuildResult, []string, error) {
	unknown := []string{"the image's ID"}
	if p.push {
		unknown = append(unknown, "its digest")
	}
	return abi.DockerBuildResult{Image: p.tags[0]}, unknown, p.missing
}

func (p buildPlan) build() image.Build {
	return image.Build{
		Context: p.context.abs, Dockerfile: p.dockerfile.abs,
		Tags: p.tags, Args: p.args, Target: p.target, Network: p.network, Without: p.without, Text: p.text,
		Platforms: p.platforms, NoCache: p.options.NoCache, Pull: p.options.Pull, Epoch: p.options.Epoch,
		ContextInfo: p.context.info, DockerfileInfo: p.dockerfile.info,
	}
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
	switch q.Network {
	case "", "none", "default", "host":
	default:
		return buildPlan{}, abi.Errorf(abi.CodeInvalid, "docker_build: network %q is none of none, default, host", q.Network)
	}
	p := buildPlan{
		tags: slices.Concat(q.Tags, w.Builds.Tags), args: q.Args, target: q.Target, network: q.Network, push: q.Push, without: w.Own,
		platforms: w.Builds.Platforms, engine: w.Builds.Engine, options: w.Builds,
	}
	var err error
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
	var f *dockerfile.File
	if f, p.missing = p.readDockerfile(); p.missing == nil {
		w.choose(ctx, &p, f)
	}
	return p, nil
}

func (p buildPlan) whatIsMissing(dockerfile, folder string) error {
	switch {
	case p.context.missing != nil:
		return ofField("context", p.context.missing)
	case !p.context.info.IsDir():
		return ofField("context", abi.Errorf(abi.CodeInvalid, "the build context %s is no folder", quotePath(folder)))
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
	where := p.dockerfile.rel
	if e.Line > 0 {
		where += ":" + strconv.Itoa(e.Line)
	}
	failed := abi.Errorf(abi.CodeFailed, "%s: %v", where, e)
	failed.Output = e.Log
	return failed
}

func claimBuild(p buildPlan) capability.Claim {
	return capability.Claim{Build: &capability.Build{
		Context: p.context.rel, Dockerfile: p.dockerfile.rel, Tags: p.tags,
		Args: slices.Sorted(maps.Keys(p.args)), Target: p.target, Network: p.network, Push: p.push,
	}}
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
	built, err := e.Build(ctx, job{Build: p.build(), push: p.push, options: w.Builds, mask: w.Mask.Text})
	if err != nil {
		return abi.DockerBuildResult{}, p.failure(err)
	}
	return abi.DockerBuildResult{Image: p.tags[0], ID: built.ID, Digest: built.Digest}, nil
}
