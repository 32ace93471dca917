package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/embedded"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// recipe is the content of a Dockerfile, with the engine that builds it: what the
// Dockerfile uses may depend on the engine.
type recipe struct {
	text   []byte
	engine Engine
	// unbuilt is why no engine can build it, if that is known already.
	unbuilt error
	// uses has references and URLs as a claim has them.
	uses   dockerfile.Uses
	stored map[string]storedBase // of uses.Bases, those in OCI layouts
}

// readDockerfile reads the Dockerfile and chooses the engine.
func (i *Images) readDockerfile(ctx context.Context, r request) (c recipe, err error) {
	c.engine = i.engines.located(r.options.Engine)
	if c.text, err = r.files().ReadDockerfile(); err != nil {
		return c, err
	}
	f, err := dockerfile.Parse(r.dockerfile.Rel, c.text)
	if err != nil {
		return c, abi.Errorf(abi.CodeFailed, "%v", err)
	}
	notEmbedded := r.checkEmbedded(f)
	if c.engine.isAuto() {
		c.engine, c.unbuilt = i.engines.choose(ctx, notEmbedded)
	}
	c.uses, err = i.usesOf(ctx, r, f, c)
	if err == nil {
		err = claimable(&c.uses)
	}
	if err == nil && c.engine.Kind == Embedded {
		err = notEmbedded
	}
	if err != nil {
		return c, abi.Errorf(abi.CodeFailed, "%v", err)
	}
	return c, nil
}

// checkEmbedded says why the embedded builder cannot build a Dockerfile, if so.
func (r request) checkEmbedded(f *dockerfile.File) error {
	if err := embedded.Can(f, r.dockerfileOptions()); err != nil {
		return err
	}
	switch {
	case len(r.platforms) > 1:
		return errors.New("the embedded builder builds for one platform at a time")
	case len(r.cacheFrom)+len(r.cacheTo) > 0:
		return errors.New("the embedded builder does not have a cache")
	case len(r.options.Outputs) == 0 && !r.options.Load && !r.push:
		return errors.New("the embedded builder does not keep images: say where this one goes with --output, --load or --push")
	}
	return nil
}

// usesOf asks the engine for its platform only if the decision depends on it.
func (i *Images) usesOf(ctx context.Context, r request, f *dockerfile.File, c recipe) (dockerfile.Uses, error) {
	o := r.dockerfileOptions()
	if c.engine.Kind == Embedded {
		on, err := embedded.On(o)
		if err != nil {
			return dockerfile.Uses{}, err
		}
		return f.Uses(on)
	}
	uses, err := f.UsesForAll(o, r.targets())
	if !dockerfile.NeedsPlatform(err) {
		return uses, err
	}
	cause := c.unbuilt
	if cause == nil {
		o.BuildPlatform, cause = i.engines.platform(ctx, c.engine)
	}
	if cause != nil {
		return uses, fmt.Errorf("%w: %v", err, cause)
	}
	return f.UsesForAll(o, r.targets())
}

// claimable writes references and URLs as a claim has them.
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

// scpRemote matches a repository as ssh names it: git@host:path.
var scpRemote = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([\w.-]+@)?([\w.-]+):([^/].*)$`) })

// remoteURL is the source of an ADD as a URL.
func remoteURL(remote string) string {
	if m := scpRemote().FindStringSubmatch(remote); m != nil && !strings.Contains(remote, "://") {
		return "ssh://" + m[1] + m[2] + "/" + m[3]
	}
	return remote
}

// storedBase is a base image in an OCI layout.
type storedBase struct {
	image.Stored
	// layout is oci:DIR, as a claim has it.
	layout string
}

// findBases finds the base images that the user has in OCI layouts.
func (i *Images) findBases(uses dockerfile.Uses, file string) (map[string]storedBase, error) {
	bases := make(map[string]storedBase)
	for _, base := range i.options.Bases {
		if !slices.Contains(uses.Bases, base.Reference) {
			return nil, abi.Errorf(abi.CodeInvalid, "docker_build: base: the Dockerfile %s does not use the image %s, but %s",
				strconv.Quote(file), base.Reference, cmp.Or(strings.Join(uses.Bases, ", "), "none"))
		}
		dir, err := files.ResolveLinks(base.Dir)
		if err != nil {
			return nil, abi.Errorf(abi.CodeInvalid, "docker_build: base: %v", err)
		}
		_, pinned, _ := strings.Cut(base.Reference, "@")
		found, err := image.FindStored(dir, cmp.Or(base.Digest, digest.Digest(pinned)))
		if err == nil && pinned != "" && found.Digest.String() != pinned {
			err = fmt.Errorf("its image is %s", found.Digest)
		}
		if err != nil {
			return nil, abi.Errorf(abi.CodeInvalid, "docker_build: base %s: oci:%s: %v", base.Reference, base.Dir, err)
		}
		bases[base.Reference] = storedBase{found, Output{Layout: true, Path: i.claimedPath(dir)}.String()}
	}
	return bases, nil
}

// bases are the base images as a claim has them: with its digest, if one is in an
// OCI layout.
func (c recipe) bases() []string {
	bases := slices.Clone(c.uses.Bases)
	for i, ref := range bases {
		if stored, ok := c.stored[ref]; ok && !strings.Contains(ref, "@") {
			bases[i] = ref + "@" + stored.Digest.String()
		}
	}
	return bases
}

// pulled are the base images that the builder pulls. The result is never nil,
// which would allow any.
func (c recipe) pulled() []string {
	return slices.DeleteFunc(append([]string{}, c.uses.Bases...), func(ref string) bool {
		_, ok := c.stored[ref]
		return ok
	})
}

// layouts are those that base images are taken from, as a claim has them.
func (c recipe) layouts() []string {
	var layouts []string
	for _, base := range c.stored {
		layouts = append(layouts, base.layout)
	}
	slices.Sort(layouts)
	return slices.Compact(layouts)
}
