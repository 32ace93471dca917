package buildkit

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client"
	spb "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/moby/buildkit/util/gitutil"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// addStored makes the frontend take images from layouts, which the builder reads through
// the session. The builder checks the digests.
func addStored(opt *client.SolveOpt, stored map[string]image.Stored) error {
	for i, ref := range slices.Sorted(maps.Keys(stored)) {
		named, err := reference.ParseNormalizedNamed(ref)
		if err != nil {
			return err
		}
		// The frontend looks for it by this name, see
		// https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerui/config.go.
		key := "context:" + strings.TrimSuffix(reference.FamiliarString(named), ":latest")
		store := fmt.Sprintf("layout%d", i)
		opt.FrontendAttrs[key] = "oci-layout://" + store + "@" + stored[ref].Digest.String()
		if opt.OCIStores == nil {
			opt.OCIStores = make(map[string]content.Store)
		}
		opt.OCIStores[store] = layoutStore{stored[ref]}
	}
	return nil
}

// takesStored refuses an old builder, which would silently pull the images.
func (b *Builder) takesStored() error {
	if b.old {
		return &image.Error{Message: "this BuildKit is too old for base images from an OCI layout: expected version 0.11 (Docker 24.0) or later; --engine embedded supports them if no step runs a command"}
	}
	return nil
}

// layoutStore lets a builder only read a layout's blobs.
type layoutStore struct{ image.Stored }

// Info implements [content.Store].
func (s layoutStore) Info(_ context.Context, d digest.Digest) (content.Info, error) {
	r, err := s.reader(d)
	if err != nil {
		return content.Info{}, err
	}
	defer r.Close()
	return content.Info{Digest: d, Size: r.Size()}, nil
}

// ReaderAt implements [content.Store].
func (s layoutStore) ReaderAt(_ context.Context, d ocispec.Descriptor) (content.ReaderAt, error) {
	return s.reader(d.Digest)
}

func (s layoutStore) reader(d digest.Digest) (blob, error) {
	f, err := s.Open(d)
	if err != nil {
		return blob{}, fmt.Errorf("%w: %w", errdefs.ErrNotFound, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return blob{}, err
	}
	return blob{f, info}, nil
}

type blob struct {
	*os.File
	info fs.FileInfo
}

// Size implements [content.ReaderAt].
func (b blob) Size() int64 { return b.info.Size() }

// The other methods of [content.Store] are refused.

func refused(what string) error {
	return fmt.Errorf("a layout is only read: %s: %w", what, errdefs.ErrPermissionDenied)
}

// Update implements [content.Store].
func (layoutStore) Update(context.Context, content.Info, ...string) (content.Info, error) {
	return content.Info{}, refused("update")
}

// Walk implements [content.Store].
func (layoutStore) Walk(context.Context, content.WalkFunc, ...string) error { return refused("walk") }

// Delete implements [content.Store].
func (layoutStore) Delete(context.Context, digest.Digest) error { return refused("delete") }

// Status implements [content.Store].
func (layoutStore) Status(context.Context, string) (content.Status, error) {
	return content.Status{}, refused("status")
}

// ListStatuses implements [content.Store].
func (layoutStore) ListStatuses(context.Context, ...string) ([]content.Status, error) {
	return nil, refused("list")
}

// Abort implements [content.Store].
func (layoutStore) Abort(context.Context, string) error { return refused("abort") }

// Writer implements [content.Store].
func (layoutStore) Writer(context.Context, ...content.WriterOpt) (content.Writer, error) {
	return nil, refused("write")
}

// sourcePolicy makes the builder itself enforce the decided images and sources. The last
// matching rule counts. Builders before version 0.11, and so engines before 24.0, ignore
// it.
func sourcePolicy(what image.Build) *spb.Policy {
	if what.Bases == nil {
		return nil
	}
	deny := func(identifier string) *spb.Rule {
		return &spb.Rule{Action: spb.PolicyAction_DENY, Selector: &spb.Selector{Identifier: identifier}}
	}
	p := &spb.Policy{Version: 1, Rules: []*spb.Rule{deny("docker-image://*"), deny("http://*"), deny("https://*"), deny("git://*")}}
	for _, remote := range what.Remotes {
		allow(p, spb.MatchType_EXACT, remote)
		if repository := repositoryOf(remote); repository != "" {
			allow(p, spb.MatchType_EXACT, repository)
			allow(p, spb.MatchType_WILDCARD, repository+"#*")
		}
	}
	images := what.Bases
	if what.Syntax != "" {
		images = append(images[:len(images):len(images)], what.Syntax)
	}
	for _, ref := range images {
		allow(p, spb.MatchType_EXACT, "docker-image://"+ref)
		if !strings.Contains(ref, "@") {
			// The builder looks up its digest, and asks again.
			allow(p, spb.MatchType_WILDCARD, "docker-image://"+ref+"@sha256:*")
		}
	}
	// An image may trigger an ADD of an allowed repository, which is unknown when
	// the build is decided on.
	above := deny(aboveRepository)
	above.Selector.MatchType = spb.MatchType_REGEX
	p.Rules = append(p.Rules, above)
	return p
}

// aboveRepository is a subdirectory with .. in it: git://host/path#ref:directory.
const aboveRepository = `^git://[^#]*#(?:.*[/\\:])?\.\.(?:[/\\:]|$)`

// repositoryOf returns BuildKit's name of a repository, for any protocol; empty for
// other sources, and for a name that would be a pattern.
func repositoryOf(remote string) string {
	at, err := gitutil.ParseURL(remote)
	if err != nil || strings.ContainsAny(at.Host+at.Path, "*?") {
		return ""
	}
	return "git://" + at.Host + path.Join("/", at.Path)
}

func allow(p *spb.Policy, match spb.MatchType, identifier string) {
	p.Rules = append(p.Rules, &spb.Rule{
		Action:   spb.PolicyAction_ALLOW,
		Selector: &spb.Selector{Identifier: identifier, MatchType: match},
	})
}
