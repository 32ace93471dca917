package docker

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
)

// Build says what to build. Its paths are absolute, with all links resolved: a
// path with a link on the way is refused, as it may not be what was decided on.
type Build struct {
	Context    string            // the folder that is sent
	Dockerfile string            // a file, in the context or not
	Tags       []string          // what to name the image; see [CheckTag]
	Args       map[string]string // values for the Dockerfile's ARGs
	Target     string            // the stage to build; empty means the last one
	Network    string            // of its RUN steps: none, host, default, or empty for default
	Without    []string          // files that stay behind, absolute, their folders' links resolved

	// ContextInfo and DockerfileInfo are of what was decided on. What was put in
	// its place since is refused; nil is whatever is there.
	ContextInfo, DockerfileInfo os.FileInfo
}

// Image is an image that the engine holds.
type Image struct {
	ID string // sha256:<64 hexadecimal digits>
}

// Build builds an image.
//
// The context goes to the engine as it is read, so that memory doesn't grow
// with it: links as links, sockets left out, everything owned by root, modes
// and times (in seconds) kept. What <Dockerfile>.dockerignore names stays
// behind, or where there is none, what .dockerignore in the context names. The
// engine gets the Dockerfile and .dockerignore in any case, and takes those
// that are named out again. With the former, or with a Dockerfile from outside
// of the context, it gets a .dockerignore that serves this in place of the
// context's own one; no step sees that with the former, or when there was none.
//
// What the engine tells goes to progress as plain text, a line in each Write.
// An error there stops nothing; nil is no progress.
//
// # Errors
//
// A [*BuildError] when the engine refuses the build or a step of it fails, a
// [*UnavailableError] when it is out of reach, ctx's error when it is done. The
// engine ends the step that runs then. A file of the context that can't be
// read, or is written meanwhile, is an error with its name.
//
// # Notes
//
// Base images are pulled without credentials.
func (e *Engine) Build(ctx context.Context, b Build, progress io.Writer) (Image, error) {
	if err := b.check(); err != nil {
		return Image{}, err
	}
	c, err := openContext(b)
	if err != nil {
		return Image{}, err
	}
	return e.buildClassic(ctx, c, newPrinter(progress))
}

func (b Build) check() error {
	for _, tag := range b.Tags {
		if err := CheckTag(tag); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"", "none", "default", "host"}, b.Network) {
		return fmt.Errorf("build: network %q is not known, use none, default or host", b.Network)
	}
	return nil
}

// BuildError says that the engine did not build an image.
type BuildError struct {
	Step    string // such as "Step 3/5 : RUN make"; empty when none had begun
	Message string // what the engine says, such as the command and its exit code
	Log     string // the step's last lines of output, at most 20
}

func (e *BuildError) Error() string {
	if e.Step == "" {
		return "build: " + e.Message
	}
	return "build: " + e.Step + ": " + e.Message
}
