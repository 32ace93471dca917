// Package image describes the build of an image, its context, and the result, for all
// builders.
package image

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// Build is an image to build. Its paths are absolute, with all links resolved: a path
// with a link may not be the one that was decided on, and is refused.
type Build struct {
	Context    string            // the directory that is sent
	Dockerfile string            // a file, in the context or not
	Tags       []string          // the image's names; see [ParseTag]
	Args       map[string]string // values for the Dockerfile's ARGs
	Target     string            // the stage to build; empty means the last one
	Network    string            // of its RUN steps: none, host, default, or empty for default
	HostSteps  bool              // some of them may ask for the host's network
	Without    []string          // files to leave out, absolute, their directories' links resolved

	Labels    map[string]string // of the image
	Platforms []string          // such as linux/arm64; none for the engine's own
	Secrets   map[string][]byte // for RUN --mount=type=secret, by ID
	CacheFrom []string          // references of caches to read
	CacheTo   []Cache           // caches to write
	NoCache   bool              // use no cached step
	Pull      bool              // look for newer base images
	// Epoch is the user's argument SOURCE_DATE_EPOCH, the latest time of files in
	// seconds; empty for none.
	// https://reproducible-builds.org/specs/source-date-epoch/
	Epoch string

	// Misread is what builders other than current BuildKit read differently.
	Misread dockerfile.Misread

	// Takes are the paths of the context that instructions copy. A file that cannot be
	// sent is an error if one of them takes it, and is left out otherwise. If Takes is
	// nil, it is always an error.
	Takes []dockerfile.Take

	// Text is the Dockerfile that was decided on, nil if only its file was.
	Text []byte
	// Bases are the images that the build may pull, in full; nil allows any.
	Bases []string
	// Stored are images in OCI layouts by their full references. None is in Bases.
	Stored map[string]Stored
	// Remotes are the addresses that the build may fetch files from.
	Remotes []string
	// Syntax is the frontend image that may replace the engine's own. If it is empty,
	// none may, whatever the Dockerfile says.
	Syntax string

	// ContextInfo and DockerfileInfo identify the files that were decided on. A
	// replaced file is refused; nil allows any.
	ContextInfo, DockerfileInfo os.FileInfo
}

// Cache is a cache in a registry.
type Cache struct {
	Ref string
	// Mode is max for the steps of all stages, or min for those of the image; empty is
	// the builder's default, min.
	Mode string
}

// Image is an image that was built.
type Image struct {
	Identity
	// Bases are the digests of the base images that the engine reported, by their full
	// references.
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

// Error is the failure of a build.
type Error struct {
	Step    string // such as "Step 3/5 : RUN make"; empty if none had begun
	Line    int    // of the Dockerfile; 0 if unknown
	Message string // the engine's, such as the command and its exit code
	Log     string // the step's last lines of output, at most 20
	Shown   bool   // the user has seen the log
	Err     error  // the cause, if any
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	if e.Step == "" {
		return "build: " + e.Message
	}
	return "build: " + e.Step + ": " + e.Message
}

// maxDockerfile is the most bytes of a Dockerfile.
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
