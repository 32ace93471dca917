package build

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/embedded"
)

// autoLimit is how long a Docker engine has to answer where another builder
// would do as well.
const autoLimit = time.Second

// choose settles what builds an image, since that is a part of what is decided
// on. Where nothing can, it is the Docker engine that is decided on, and unbuilt
// is why neither works.
func (w *World) choose(ctx context.Context, p *buildPlan, f *dockerfile.File) {
	if p.engine.Kind != EngineAuto && p.engine.Kind != "" {
		return
	}
	p.engine = Engine{Kind: EngineDocker}
	asking, stop := context.WithTimeoutCause(ctx, autoLimit, errors.New("no answer within a second"))
	defer stop()
	e, err := w.connectDocker(asking)
	if err == nil {
		e.Close()
		return
	}
	if ctx.Err() != nil {
		return
	}
	if found, ok := errors.AsType[*docker.UnavailableError](err); ok && found.TooOld {
		p.unbuilt = abi.Errorf(abi.CodeUnavailable, "%v", err)
		return
	}
	cant := p.embeddedCant(f)
	if cant == nil {
		p.engine = Engine{Kind: EngineEmbedded}
		return
	}
	if cause := context.Cause(asking); cause != nil {
		err = cause
	}
	p.unbuilt = abi.Errorf(abi.CodeUnavailable, "%v; and without one: %v", err, cant)
}

// embeddedCant is why the embedded builder can't do it, if anything.
func (p buildPlan) embeddedCant(f *dockerfile.File) error {
	if err := embedded.Can(f, p.dockerfileOptions()); err != nil {
		return err
	}
	return embeddedLacks(job{Build: p.build(), push: p.push, options: p.options})
}

func (p buildPlan) dockerfileOptions() dockerfile.Options {
	return dockerfile.Options{Target: p.target, Args: p.arguments(), Platform: p.platforms()[0]}
}

// arguments are the values for ARGs: what is asked for, and above it the user's
// own SOURCE_DATE_EPOCH, which needs no rule.
func (p buildPlan) arguments() map[string]string {
	if p.options.Epoch == "" {
		return p.args
	}
	all := maps.Clone(p.args)
	if all == nil {
		all = make(map[string]string)
	}
	all["SOURCE_DATE_EPOCH"] = p.options.Epoch
	return all
}

// platforms are those that it is built for; an empty one is the engine's own.
func (p buildPlan) platforms() []string {
	if len(p.fields.platforms) == 0 {
		return []string{""}
	}
	return p.fields.platforms
}

// readDockerfile reads what the build is made of, and settles what builds it:
// what the Dockerfile uses may depend on that.
func (w *World) readDockerfile(ctx context.Context, p *buildPlan) (err error) {
	if p.text, err = p.build().ReadDockerfile(); err != nil {
		return err
	}
	f, err := dockerfile.Parse(p.dockerfile.rel, p.text)
	if err == nil {
		w.choose(ctx, p, f)
		p.uses, err = w.usesOf(ctx, p, f)
	}
	if err == nil {
		err = claimable(&p.uses)
	}
	if err == nil && p.engine.Kind == EngineEmbedded {
		err = p.embeddedCant(f)
	}
	if err != nil {
		return abi.Errorf(abi.CodeFailed, "%v", err)
	}
	return nil
}

// claimable writes what is used as a claim has it.
func claimable(u *dockerfile.Uses) (err error) {
	if u.Syntax != "" {
		if u.Syntax, err = capability.Reference(u.Syntax); err != nil {
			return err
		}
	}
	for i, ref := range u.Bases {
		if u.Bases[i], err = capability.Reference(ref); err != nil {
			return err
		}
	}
	for i, remote := range u.Remotes {
		u.Remotes[i] = remoteURL(remote)
	}
	return nil
}

// scpRemote is a repository as ssh names it: git@host:path.
var scpRemote = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([\w.-]+@)?([\w.-]+):([^/].*)$`) })

// remoteURL is what ADD fetches, as a URL.
func remoteURL(remote string) string {
	if m := scpRemote().FindStringSubmatch(remote); m != nil && !strings.Contains(remote, "://") {
		return "ssh://" + m[1] + m[2] + "/" + m[3]
	}
	return remote
}

// claimUses adds what the Dockerfile takes in, and what the user says of where
// the image is built and goes.
func (p buildPlan) claimUses(b *capability.Build) {
	if p.engine.Kind != EngineAuto {
		b.Engine, b.EngineAddress = string(p.engine.Kind), p.engine.elsewhere()
	}
	b.Bases, b.Layouts, b.Syntax, b.Remotes, b.Insecure = p.bases(), p.layouts(), p.uses.Syntax, p.uses.Remotes, len(p.uses.Insecure) > 0
	// What a step says goes before what the request says of all.
	if slices.Contains(p.uses.Networks, "host") {
		b.Network = "host"
	}
	b.Load, b.Outputs = p.options.Load, p.outputs
}

// outputs are where the image is written to, with the links on the way resolved,
// and their names as a claim has it: what is in the project by its path there.
func (w *World) outputs() (all []Output, names []string, err error) {
	for _, out := range w.Builds.Outputs {
		if out.Path, err = resolveLinks(out.Path); err != nil {
			return nil, nil, abi.Errorf(abi.CodeInvalid, "docker_build: output: %v", err)
		}
		all = append(all, out)
		out.Path = w.publicPath(out.Path)
		names = append(names, out.String())
	}
	return all, names, nil
}
