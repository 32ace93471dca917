package build

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// plan is a build as it is decided on: the request, the Dockerfile's content
// and the engine.
type plan struct {
	request
	recipe
	// missing is why the build cannot work, for after the decision.
	missing error
}

func (i *Images) buildOp() hostfuncs.Op[abi.DockerBuildRequest, plan, abi.DockerBuildResult] {
	return hostfuncs.Op[abi.DockerBuildRequest, plan, abi.DockerBuildResult]{
		Name: abi.OpDockerBuild, Resolve: i.resolve, Claim: plan.claim, Do: i.build, Step: i.step, Preview: plan.preview,
	}
}

func (i *Images) resolve(ctx context.Context, q abi.DockerBuildRequest) (plan, error) {
	r, err := i.readRequest(q)
	p := plan{request: r, recipe: recipe{engine: i.options.Engine}}
	if err != nil {
		return p, err
	}
	if p.missing = r.checkFiles(); p.missing != nil {
		return p, nil
	}
	if p.recipe, p.missing = i.readDockerfile(ctx, r); p.missing == nil {
		p.stored, err = i.findBases(p.uses, p.dockerfile.Rel)
	}
	return p, err
}

// claim needs no right for labels: they only inform whoever looks at the image.
func (p plan) claim() capability.Claim {
	c := capability.Claim{Build: &capability.Build{
		Context: p.context.Rel, Dockerfile: p.dockerfile.Rel, Tags: p.tags,
		Args: slices.Sorted(maps.Keys(p.args)), Target: p.target, Network: p.network, Push: p.push,
		Platforms: p.platforms, CacheFrom: references(p.cacheFrom), CacheTo: references(p.cacheTo),
		Bases: p.bases(), Layouts: p.layouts(), Syntax: p.uses.Syntax, Remotes: p.uses.Remotes, Insecure: len(p.uses.Insecure) > 0,
		Load: p.options.Load, Outputs: p.outputNames,
	}}
	if p.engine.Kind != Auto {
		c.Build.Engine, c.Build.EngineAddress = string(p.engine.Kind), p.engine.claimedAddress()
	}
	// A step's own network counts, whatever the request has for all steps.
	if p.hostSteps() {
		c.Build.Network = "host"
	}
	for _, secret := range p.secrets {
		c.Build.Secrets = append(c.Build.Secrets, secret.Name)
		secret.Value.Claim(&c)
	}
	return c
}

// hostSteps reports whether steps ask for the network of the host.
func (p plan) hostSteps() bool { return slices.Contains(p.uses.Networks, "host") }

// step surveys the whole context, since its content is a part of the build.
func (i *Images) step(ctx context.Context, p plan) (hostfuncs.Detail, error) {
	s := &Step{
		Context: p.context.Rel, Dockerfile: p.dockerfile.Rel, Tags: p.tags, Target: p.target, Network: p.network, Push: p.push, Platforms: p.platforms,
		Bases: p.bases(), Layouts: p.layouts(), Syntax: p.uses.Syntax, Remotes: p.uses.Remotes, Outputs: p.outputNames, Load: p.options.Load,
		Args: textSteps(p.args), Labels: textSteps(p.labels),
	}
	for _, secret := range p.secrets {
		s.Secrets = append(s.Secrets, values.Plan(secret.Name, secret.Value.Value))
	}
	for _, c := range p.cacheFrom {
		s.CacheFrom = append(s.CacheFrom, c.String())
	}
	for _, c := range p.cacheTo {
		s.CacheTo = append(s.CacheTo, c.String())
	}
	if p.engine.claimedAddress() != "" {
		s.Engine = p.engine.String()
	}
	if p.missing != nil {
		return s, nil
	}
	survey, err := image.Look(ctx, p.image())
	if err != nil {
		return s, p.failure(err)
	}
	i.warnLarge(ctx, p)
	s.Files, s.Bytes, s.SHA256 = survey.Files, survey.Bytes, survey.SHA256
	return s, nil
}

func textSteps(texts map[string]string) (steps []values.Planned) {
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		steps = append(steps, values.Plan(name, abi.Text(texts[name])))
	}
	return steps
}

func (p plan) preview() (abi.DockerBuildResult, []string, error) {
	unknown := []string{"the image's ID"}
	if p.push {
		unknown = append(unknown, "its digest")
	}
	if p.unbuilt != nil {
		// An engine may be available where the plan is applied.
		unknown = append(unknown, "which engine builds it, since none can here: "+p.unbuilt.Error())
	}
	return abi.DockerBuildResult{Image: p.tags[0]}, unknown, p.missing
}

func (i *Images) build(ctx context.Context, p plan) (abi.DockerBuildResult, error) {
	if err := cmp.Or(p.missing, p.unbuilt); err != nil {
		return abi.DockerBuildResult{}, err
	}
	e, err := i.connect(ctx, p.engine)
	if err != nil {
		return abi.DockerBuildResult{}, engineError(err)
	}
	defer e.Close()
	j := job{
		Build: p.image(), push: p.push, load: p.options.Load, outputs: p.options.Outputs, cacheKey: p.options.cacheKey(p.context.Abs),
		progress: p.options.progress(i.mask),
	}
	if j.Secrets, err = i.secretValues(p.secrets); err != nil {
		return abi.DockerBuildResult{}, err
	}
	i.warnLarge(ctx, p)
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

// cacheKey names the files sent of a directory. Files count as unchanged by size,
// mode and time, so two machines must not share a name.
func (o Options) cacheKey(directory string) string {
	if o.Machine == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(o.Machine + "\x00" + directory))
	return hex.EncodeToString(sum[:])
}

// progress shows builds with the secrets masked.
func (o Options) progress(mask func(string) string) buildkit.Progress {
	return buildkit.Progress{Out: o.Progress, Mode: o.Mode, Mask: mask}
}

// image is the plan as builders take it, without the secrets' values.
func (p plan) image() image.Build {
	i := p.files()
	i.Tags, i.Args, i.Target, i.Network = p.tags, p.arguments(), p.target, p.network
	i.Labels, i.Platforms, i.CacheFrom = p.labels, p.platforms, references(p.cacheFrom)
	for _, c := range p.cacheTo {
		i.CacheTo = append(i.CacheTo, image.Cache{Ref: c.ref, Mode: c.mode})
	}
	i.NoCache, i.Pull, i.Epoch = p.options.NoCache, p.options.Pull, p.options.Epoch
	i.HostSteps, i.Misread = p.hostSteps(), p.uses.Misread
	// These bind an allowed frontend of the Dockerfile's as well.
	i.Text, i.Syntax, i.Remotes, i.Bases = p.text, p.uses.Syntax, p.uses.Remotes, p.pulled()
	i.Stored = make(map[string]image.Stored)
	for ref, base := range p.stored {
		i.Stored[ref] = base.Stored
	}
	if s := p.uses.Syntax; s == "" || dockerfile.IsDockers(s) {
		i.Takes = append([]dockerfile.Take{}, p.uses.Takes...)
	}
	return i
}

// warnLarge warns the user once of a context that should have an ignore file.
func (i *Images) warnLarge(ctx context.Context, p plan) {
	if i.warned[p.context.Rel] || !image.IsLarge(ctx, p.image()) {
		return
	}
	i.warned[p.context.Rel] = true
	i.warn(fmt.Errorf("the build context %s has more than %d MB and no .dockerignore: list in that file what the image does not need, such as .git and node_modules",
		strconv.Quote(p.context.Rel), image.LargeContext/1_000_000))
}

// secretValues are what steps may mount, by their IDs.
func (i *Images) secretValues(secrets []values.Variable) (map[string][]byte, error) {
	defer i.env.ReportHidden()
	values := make(map[string][]byte, len(secrets))
	for _, secret := range secrets {
		text, err := i.env.Value(secret.Value)
		if err != nil {
			return nil, hostfuncs.OfField("secrets", err)
		}
		values[secret.Name] = []byte(text)
	}
	return values, nil
}

// digests are those of the base images: from the reference, or as the builder
// reported them.
func (p plan) digests(reported map[string]string) map[string]string {
	known := make(map[string]string)
	for _, ref := range p.bases() {
		_, digest, pinned := strings.Cut(ref, "@")
		if !pinned {
			digest = reported[ref]
		}
		if digest != "" {
			known[ref] = digest
		}
	}
	return known
}

// failure says at which line of the Dockerfile a build failed.
func (p plan) failure(err error) error {
	e, ok := errors.AsType[*image.Error](err)
	if !ok {
		return engineError(err)
	}
	where, line := p.dockerfile.Rel, cmp.Or(e.Line, dockerfile.StepLine(p.text, e.Step))
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
