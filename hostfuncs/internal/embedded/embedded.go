// Package embedded builds images without a daemon, an engine or root, from
// Dockerfiles that run no commands: it copies files and sets the image's settings
// as BuildKit does. The same inputs give the same image on any machine.
package embedded

import (
	"cmp"
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// Options are the options of a build besides the [image.Build].
type Options struct {
	Name     string            // of the Dockerfile in errors; empty is the file's name
	Text     []byte            // the Dockerfile that was decided on
	Labels   map[string]string // added to those of the Dockerfile
	Platform string            // such as linux/arm64; empty is Linux on this machine's processor
	// Epoch is the time of files without one, and the latest time of all others.
	// Nil is the build argument SOURCE_DATE_EPOCH, or else 1970.
	Epoch *time.Time
	Base  Base   // finds base images; nil refuses them
	Temp  string // the directory for temporary files; empty is the system's
	// Step gets each instruction when it begins, such as "[2/3] COPY . /app". The
	// text is safe to print.
	Step func(string)
}

// Base finds an image by its full reference, for a platform. The image must check
// the digests of what it reads, as those of go-containerregistry do.
type Base func(ctx context.Context, ref string, platform v1.Platform) (Found, error)

// Found is an image for a platform.
type Found struct {
	Image v1.Image
	// Digest is the reference's, which may be an index for several platforms; empty
	// if unknown.
	Digest string
}

// Build builds an image from a context, which it opens with [image.Open]. The image
// must be closed. Until then it is in files below o.Temp, and ctx bounds its methods
// too.
//
// # Notes
//
// COPY --link is COPY, as in a BuildKit that cannot merge layers. Unlike BuildKit, a
// file of the context has mode 0644, or 0755 if its owner may execute it, and the time
// o.Epoch, and hard links in the context become separate files. So the image is the
// same from any checkout.
//
// # Errors
//
// A [*dockerfile.Error] with the line if something cannot be built; [Can] finds most
// of that before anything is read or pulled. ctx's error once it is done. After an
// error nothing is left in o.Temp.
func Build(ctx context.Context, b image.Build, o Options) (_ *Image, err error) {
	if err := b.Check(); err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = filepath.Base(b.Dockerfile)
	}
	on, err := On(dockerfile.Options{Target: b.Target, Args: b.Args, Platform: o.Platform})
	if err != nil {
		return nil, err
	}
	file, err := dockerfile.Parse(o.Name, o.Text)
	if err != nil {
		return nil, err
	}
	plan, err := can(file, on)
	if err != nil {
		return nil, err
	}
	b.Takes = append([]dockerfile.Take{}, plan.Uses().Takes...)
	source, err := image.Open(b)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	store, err := newStore(ctx, o.Temp)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = store.remove()
		}
	}()
	builder, err := newBuilder(store, plan, source, o, on.Platform)
	if err != nil {
		return nil, err
	}
	return builder.run()
}

// wayOut is the advice for what the embedded builder cannot build.
const wayOut = "start Docker, or use --engine buildkit+tcp://HOST:PORT"

// Can returns nil if [Build] can build a Dockerfile, otherwise an error with the line
// that needs an engine. It reads and pulls nothing, so [Build] may still fail on the
// content of a base image or an archive.
func Can(f *dockerfile.File, o dockerfile.Options) error {
	o, err := On(o)
	if err == nil {
		_, err = can(f, o)
	}
	return err
}

// On returns the options of an embedded build. The build platform is the image's, so
// that the result does not depend on the machine. The default is Linux on this
// machine's processor.
func On(o dockerfile.Options) (dockerfile.Options, error) {
	name := cmp.Or(o.Platform, "linux/"+runtime.GOARCH)
	o.Platform, o.BuildPlatform = "", ""
	p, err := platforms.Parse(name)
	if err != nil {
		return o, err
	}
	if p = platforms.Normalize(p); p.OS != "linux" {
		return o, errNotLinux
	}
	o.Platform = platforms.FormatAll(p)
	o.BuildPlatform = o.Platform
	return o, nil
}

func can(f *dockerfile.File, o dockerfile.Options) (*dockerfile.Plan, error) {
	p, err := f.Plan(o)
	if err != nil {
		return nil, err
	}
	if p.Syntax != "" && !dockerfile.IsDockers(p.Syntax) {
		return nil, p.Errorf(1, "the Dockerfile has a frontend of its own, %s, which needs an engine: %s", p.Syntax, wayOut)
	}
	for _, s := range p.Stages {
		for _, c := range s.Commands {
			if what := needsEngine(c); what != "" {
				return nil, p.Errorf(c.Line, "%s needs an engine: %s", what, wayOut)
			}
		}
	}
	return p, nil
}

// needsEngine returns the part of an instruction that needs an engine, "" for none.
func needsEngine(c dockerfile.Command) string {
	switch known := c.Command.(type) {
	case *instructions.RunCommand:
		return "RUN"
	case *instructions.OnbuildCommand:
		return "ONBUILD"
	case *instructions.AddCommand:
		switch {
		case len(c.Remotes) > 0:
			return "ADD of " + c.Remotes[0]
		case known.Checksum != "":
			return "ADD --checksum"
		case known.KeepGitDir != nil:
			return "ADD --keep-git-dir"
		case symbolic(known.Chmod):
			return "--chmod=" + known.Chmod
		}
	case *instructions.CopyCommand:
		switch {
		case known.Parents:
			return "COPY --parents"
		case symbolic(known.Chmod):
			return "--chmod=" + known.Chmod
		}
	}
	return ""
}

// symbolic reports whether a mode is symbolic, such as u+x.
func symbolic(mode string) bool {
	return strings.ContainsAny(mode, "+-=") && !strings.Contains(mode, "$")
}
