package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/client"
)

var imageID = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// buildClassic builds with the engine's first builder, which every engine since
// the beginnings has.
func (e *Engine) buildClassic(ctx context.Context, c *buildContext, out *printer) (Image, error) {
	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	tar := c.stream(sending)
	defer tar.Close()
	answer, err := e.client.ImageBuild(sending, tar, classicOptions(c))
	if err != nil {
		return Image{}, e.buildFailure(ctx, tar, err)
	}
	defer answer.Body.Close()
	var image Image
	err = readMessages(answer.Body, func(m message) error {
		out.message(m)
		if m.failed() {
			return &BuildError{Step: out.step, Message: engineText(m.failure()), Log: out.log()}
		}
		image.note(m.Aux)
		return nil
	})
	out.flush()
	if err != nil {
		return Image{}, e.buildFailure(ctx, tar, err)
	}
	if !imageID.MatchString(image.ID) {
		return Image{}, &BuildError{Step: out.step, Message: "the engine stopped without an image", Log: out.log()}
	}
	return image, nil
}

func classicOptions(c *buildContext) build.ImageBuildOptions {
	args := make(map[string]*string, len(c.build.Args))
	for name, value := range c.build.Args {
		args[name] = &value
	}
	return build.ImageBuildOptions{
		Version:     build.BuilderV1,
		Dockerfile:  c.dockerfile,
		Tags:        c.build.Tags,
		BuildArgs:   args,
		Target:      c.build.Target,
		NetworkMode: c.build.Network,
		Remove:      true,
		ForceRemove: true,
	}
}

// note remembers the ID of an image that a message tells of. There may be one
// for each stage, of which the last counts.
func (i *Image) note(aux json.RawMessage) {
	var told struct{ ID string }
	if json.Unmarshal(aux, &told) == nil && told.ID != "" {
		i.ID = told.ID
	}
}

// buildFailure says why a build broke off: the caller's wish, a file that could
// not be sent, or the engine.
func (e *Engine) buildFailure(ctx context.Context, tar *contextStream, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failure := tar.failure(); failure != nil {
		return failure
	}
	if failed, ok := errors.AsType[*BuildError](err); ok {
		return failed
	}
	if broken, ok := errors.AsType[*streamError](err); ok {
		return fmt.Errorf("build: engine at %s: %w", e.at.host, broken)
	}
	if client.IsErrConnectionFailed(err) {
		return e.failure(err)
	}
	text := engineText(err.Error())
	if refusesClassic(text) {
		text = "this engine builds with BuildKit only, which is not used here; set DOCKER_HOST to an engine that has the classic builder as well (" + text + ")"
	}
	return &BuildError{Message: text}
}

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
