package docker

import (
	"context"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/versions"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// CheckMisread refuses a Dockerfile of which the engine would build something else
// than was decided on.
//
// # Errors
//
// An [*image.Error] with the line that the engine takes for something else.
func (e *Engine) CheckMisread(ctx context.Context, m dockerfile.Misread) error {
	if m == (dockerfile.Misread{}) {
		return nil
	}
	told, err := e.client.ServerVersion(ctx)
	if err != nil {
		return e.failure(err)
	}
	if misread := misreads(told, m); misread != nil {
		return misread
	}
	return nil
}

// misreads is what an engine takes for something else, nil for nothing. Docker
// 23.0, which has API 1.42, knows here-documents, as does Podman 4.8; Docker 24.0,
// which has API 1.43, is held to the images that were decided on.
func misreads(told types.Version, m dockerfile.Misread) *image.Error {
	podman := isPodman(told)
	before := func(docker string) bool { return !podman && versions.LessThan(told.APIVersion, docker) }
	const heredoc = "takes the lines of a here-document for instructions: expected "
	for _, is := range []struct {
		line int
		so   bool
		what string
	}{
		{m.Heredoc, before("1.42"), heredoc + "Docker 23.0 or later; update the engine, or write the lines to a file"},
		{m.Heredoc, podman && versions.LessThan(told.Version, "4.8"), heredoc + "Podman 4.8 or later; update the engine, or write the lines to a file"},
		{m.ArgAgain, before("1.43"), "forgets the value of an ARG that follows without one: expected Docker 24.0 or later; update the engine, or remove this ARG"},
		{m.StageAgain, podman, "takes the first of several stages with one name; give each stage a name of its own"},
		{m.StageCase, podman, "tells upper and lower case apart in the name of a stage; write it as the FROM of the stage does"},
	} {
		if is.line > 0 && is.so {
			return &image.Error{Line: is.line, Message: "this engine " + is.what}
		}
	}
	return nil
}
