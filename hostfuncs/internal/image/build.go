// Package image describes the build of an image, its context, and the result. It
// does not depend on any engine; all of them build from it.
package image

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// Build says what to build. Its paths are absolute, with all links resolved: a
// path with a link on the way is refused, as it may not be what was decided on.
type Build struct {
	Context    string            // the directory that is sent
	Dockerfile string            // a file, in the context or not
	Tags       []string          // what to name the image; see [ParseTag]
	Args       map[string]string // values for the Dockerfile's ARGs
	Target     string            // the stage to build; empty means the last one
	Network    string            // of its RUN steps: none, host, default, or empty for default
	HostSteps  bool              // some of them may say that they are in the host's network
	Without    []string          // files that stay behind, absolute, their directories' links resolved

	Labels    map[string]string // of the image
	Platforms []string          // such as linux/arm64; none is the engine's own
	Secrets   map[string][]byte // what RUN --mount=type=secret may have, by ID
	CacheFrom []string          // references of images to take cached steps from
	CacheTo   []Cache           // where cached steps are sent
	NoCache   bool              // no step is taken from a cache
	Pull      bool              // look for newer base images
	// Epoch is the argument SOURCE_DATE_EPOCH where the user gives it, in seconds:
	// files are then no later than that. Empty is none, see
	// https://reproducible-builds.org/specs/source-date-epoch/.
	Epoch string

	// Misread is what builders other than current BuildKit read differently.
	Misread dockerfile.Misread

	// Takes are what instructions copy of the context. What cannot be sent is left
	// out where none of them takes it, and an error where one does; nil is not
	// known, and then it always is.
	Takes []dockerfile.Take

	// Text is the Dockerfile as it was decided on, nil where only its file was.
	Text []byte
	// Bases are all the images that the build may take, in full; nil is any.
	Bases []string
	// Stored are images that are taken from OCI layouts, by their references in
	// full, and none of which is in Bases.
	Stored map[string]Stored
	// Remotes are the addresses that the build may take files from.
	Remotes []string
	// Syntax is the image of a frontend that may replace the engine's own; if it is
	// empty, none may, whatever the Dockerfile says.
	Syntax string

	// ContextInfo and DockerfileInfo are of what was decided on. What was put in
	// its place since is refused; nil is whatever is there.
	ContextInfo, DockerfileInfo os.FileInfo
}

// Cache is a place for cached steps in a registry.
type Cache struct {
	Ref string
	// Mode is max for the steps of all stages, min for those of the image, or
	// empty for the builder's own, which is min.
	Mode string
}

// Image is what was built.
type Image struct {
	Identity
	// Bases are the digests of the images that it was built from, by their full
	// references, as far as the engine reported them.
	Bases map[string]string
}

// Check returns an error for an invalid build. It reads nothing.
func (b Build) Check() error {
	for _, tag := range b.Tags {
		if _, err := ParseTag(tag); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"", "none", "default", "host"}, b.Network) {
		return fmt.Errorf("build: unknown network %q: expected none, default or host", b.Network)
	}
	return nil
}

// Error says why an engine did not build an image.
type Error struct {
	Step    string // such as "Step 3/5 : RUN make"; empty when none had begun
	Line    int    // of the Dockerfile; 0 when it is not known
	Message string // what the engine says, such as the command and its exit code
	Log     string // the step's last lines of output, at most 20
	Shown   bool   // the user has seen them as the step printed them
	Err     error  // what it came from, if anything
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	if e.Step == "" {
		return "build: " + e.Message
	}
	return "build: " + e.Step + ": " + e.Message
}

// maxDockerfile is the most bytes that a Dockerfile may have.
const maxDockerfile = 1 << 20

// ReadDockerfile reads the Dockerfile that was decided on.
func (b Build) ReadDockerfile() ([]byte, error) {
	f, err := b.openDockerfile()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDockerfile+1))
	if err == nil && len(text) > maxDockerfile {
		err = errors.New("it is larger than 1 MiB")
	}
	if err != nil {
		return nil, problemAt(b.Dockerfile, err)
	}
	return text, nil
}
