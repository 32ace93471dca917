package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/client"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

var imageID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256:[0-9a-f]{64}$`) })

// buildingAt is what Podman puts before a failure: the step, once more.
var buildingAt = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^building at STEP ".*?": `) })

// buildClassic builds by the classic build API, which every engine since the
// beginnings has, and Podman.
func (e *Engine) buildClassic(ctx context.Context, b image.Build, c *image.Context, out *printer) (image.Image, error) {
	podman, err := e.isPodman(ctx)
	if err != nil {
		c.Close()
		return image.Image{}, e.refusal(ctx, err)
	}
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
		note(&id, m.Aux)
		return nil
	})
	out.flush()
	if err != nil {
		return image.Image{}, e.buildFailure(ctx, tar, err)
	}
	if !imageID().MatchString(id) {
		return image.Image{}, &image.Error{Step: out.step, Message: "the engine stopped without an image", Log: out.log()}
	}
	// It knows no manifests.
	return image.Image{Identity: image.Identity{Config: id, Engine: id}}, nil
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

// note remembers the ID of an image that a message tells of. There may be one
// for each stage, of which the last counts.
func note(id *string, aux json.RawMessage) {
	var told struct{ ID string }
	if json.Unmarshal(aux, &told) == nil && told.ID != "" {
		*id = told.ID
	}
}

// buildFailure says why a build broke off: the caller's wish, a file that could
// not be sent, or the engine.
func (e *Engine) buildFailure(ctx context.Context, tar *image.Stream, err error) error {
	if failure := tar.Failure(); failure != nil && ctx.Err() == nil {
		return failure
	}
	return e.refusal(ctx, err)
}

// refusal says why an engine built nothing: the caller's wish, or the engine's.
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
		text = "the engine refuses the build and names no reason (" + status[1] + "); Podman does so where a link in the context leads out of it"
	}
	if refusesClassic(text) {
		text = "this engine builds with BuildKit only, which is not used here; set DOCKER_HOST to an engine that has the classic builder as well (" + text + ")"
	}
	return &image.Error{Message: text}
}

// noReason is what the client makes of an answer without words.
var noReason = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^request returned (.+) for API route and version `) })

// refusesClassic tells whether an engine's refusal is about the builder asked
// for, and not about the Dockerfile.
func refusesClassic(text string) bool {
	text = strings.ToLower(text)
	for _, sign := range []string{"builder version", "buildkit is required", "classic builder", "legacy builder"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
