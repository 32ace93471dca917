package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/client"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// buildingAt matches Podman's prefix of a failure, which repeats the step.
var buildingAt = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^building at STEP ".*?": `) })

// BuildClassic builds an image by the classic build API, for engines without
// BuildKit, such as Podman.
//
// The context is streamed, so memory does not grow with it. Links are sent as
// links, files that cannot be sent are left out (see [image.Context.Leave]), all
// is owned by root, modes and times (in seconds) are kept. Files that
// <Dockerfile>.dockerignore names are left out, or without that file, those that
// .dockerignore names.
//
// Podman gets the Dockerfile under an unused name, and ignores only that, see
// [image.Context.StreamApart]. Other engines get the Dockerfile and a .dockerignore, and
// remove the files that it names. With <Dockerfile>.dockerignore, or with a Dockerfile
// outside the context, the .dockerignore is generated. Steps do not see it in the first
// case, or if the context has none.
//
// The engine's output goes to progress as plain text, one line in each Write.
// An error there does not stop the build; nil discards the output.
//
// # Errors
//
// An [*image.Error] if the build needs BuildKit, if the engine refuses the build
// or if a step fails; an [*UnavailableError] if the engine is out of reach; ctx's
// error once it is done, when the engine ends the current step. A file of the
// context that cannot be read, or is written meanwhile, is an error with its name.
//
// # Notes
//
// Base images are pulled without credentials.
func (e *Engine) BuildClassic(ctx context.Context, b image.Build, progress io.Writer) (image.Image, error) {
	if err := b.Check(); err != nil {
		return image.Image{}, err
	}
	if what := needsBuildKit(b); what != "" {
		return image.Image{}, &image.Error{Message: "this engine does not have BuildKit, which is required for " + what}
	}
	c, err := image.Open(b)
	if err != nil {
		return image.Image{}, err
	}
	podman, err := e.isPodman(ctx)
	if err != nil {
		c.Close()
		return image.Image{}, e.refusal(ctx, err)
	}
	out := newPrinter(progress)
	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	builder, stream := e.client, c.Stream
	if podman {
		stream = c.StreamApart
	}
	tar := stream(sending)
	defer tar.Close()
	options := classicOptions(b, tar.Dockerfile)
	if podman {
		if builder, err = e.podmanBuilder(&options); err != nil {
			return image.Image{}, e.buildFailure(ctx, tar, err)
		}
	}
	answer, err := builder.ImageBuild(sending, tar, options)
	if err != nil {
		return image.Image{}, e.buildFailure(ctx, tar, err)
	}
	defer answer.Body.Close()
	var id string
	err = readMessages(answer.Body, func(m message) error {
		out.message(m)
		if m.failed() {
			return &image.Error{Step: out.step, Message: buildingAt().ReplaceAllString(engineText(m.failure()), ""), Log: out.log()}
		}
		rememberID(&id, m.Aux)
		return nil
	})
	out.flush()
	if err != nil {
		return image.Image{}, e.buildFailure(ctx, tar, err)
	}
	if !image.IsID(id) {
		return image.Image{}, &image.Error{Step: out.step, Message: "the engine did not return an image", Log: out.log()}
	}
	// This API does not report manifests.
	return image.Image{Identity: image.Identity{Config: id, Engine: id}}, nil
}

// needsBuildKit names a feature of a build that the classic build API does not
// have, empty for none.
func needsBuildKit(b image.Build) string {
	switch {
	case len(b.Platforms) > 0:
		return "platforms"
	case len(b.Secrets) > 0:
		return "secrets"
	case len(b.CacheFrom)+len(b.CacheTo) > 0:
		return "a cache in a registry"
	case len(b.Stored) > 0:
		return "images in OCI layouts"
	case b.Syntax != "":
		return "a frontend of its own (" + b.Syntax + ")"
	}
	return ""
}

func classicOptions(b image.Build, dockerfile string) build.ImageBuildOptions {
	args := make(map[string]*string, len(b.Args))
	for name, value := range b.Args {
		args[name] = &value
	}
	return build.ImageBuildOptions{
		Version:     build.BuilderV1,
		Dockerfile:  dockerfile,
		Tags:        b.Tags,
		BuildArgs:   args,
		Target:      b.Target,
		Labels:      b.Labels,
		NoCache:     b.NoCache,
		PullParent:  b.Pull,
		NetworkMode: b.Network,
		Remove:      true,
		ForceRemove: true,
	}
}

// rememberID sets id to the image that a message reports. There may be one for
// each stage; the last one counts.
func rememberID(id *string, aux json.RawMessage) {
	var reported struct{ ID string }
	if json.Unmarshal(aux, &reported) == nil && reported.ID != "" {
		*id = reported.ID
	}
}

// buildFailure says why a build ended: it was cancelled, a file could not be
// sent, or the engine failed.
func (e *Engine) buildFailure(ctx context.Context, tar *image.Stream, err error) error {
	if failure := tar.Failure(); failure != nil && ctx.Err() == nil {
		return failure
	}
	return e.refusal(ctx, err)
}

// refusal says why an engine built nothing.
func (e *Engine) refusal(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed, ok := errors.AsType[*image.Error](err); ok {
		return failed
	}
	if broken, ok := errors.AsType[*streamError](err); ok {
		return fmt.Errorf("build: %w", e.broken(broken))
	}
	if client.IsErrConnectionFailed(err) {
		return e.failure(err)
	}
	text := engineText(err.Error())
	if status := noReason().FindStringSubmatch(text); status != nil {
		text = "the engine refuses the build without a reason (" + status[1] + "); Podman does so if a link in the context leads out of it"
	}
	return &image.Error{Message: text}
}

// noReason matches the client's error for an answer without a message.
var noReason = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^request returned (.+) for API route and version `) })
