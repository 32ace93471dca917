package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	engineimage "github.com/docker/docker/api/types/image"
	engineregistry "github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/client"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// PushError says that a registry or the engine refused a push.
type PushError struct {
	Ref     string
	Message string // theirs
}

func (e *PushError) Error() string { return fmt.Sprintf("push %s: %s", e.Ref, e.Message) }

// Push pushes an image by its name, and returns its digest in the registry,
// sha256:<64 hexadecimal digits>. progress is as for [Engine.BuildClassic].
//
// The credentials of [Engine.Credentials] for the registry's host go to no other host;
// without any the push is anonymous.
//
// # Errors
//
// A [*PushError] if the push is refused, a [*UnavailableError] if the engine is out of
// reach, ctx's error once it is done.
func (e *Engine) Push(ctx context.Context, ref string, progress io.Writer) (digest string, err error) {
	tagged, err := image.ParseTag(ref)
	if err != nil {
		return "", err
	}
	auth, err := e.authFor(ctx, reference.Domain(tagged))
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	answer, err := e.client.ImagePush(ctx, tagged.String(), engineimage.PushOptions{RegistryAuth: auth})
	if err == nil {
		defer answer.Close()
		digest, err = readPush(answer, ref, newPrinter(progress))
	}
	return digest, e.pushFailure(ctx, ref, err)
}

// pushTries is how often an image is pushed while other builds take its name.
const pushTries = 5

// PushImage is [Engine.Push] for an image that may lose its name: a concurrent build may
// give it to another image, which the engine would push instead. Then the image gets
// the name again.
func (e *Engine) PushImage(ctx context.Context, id, ref string, progress io.Writer) (digest string, err error) {
	for range pushTries {
		err := e.client.ImageTag(ctx, id, ref)
		if cerrdefs.IsNotFound(err) {
			// The containerd image store drops an image that loses its only name.
			break
		}
		if err != nil {
			return "", e.pushFailure(ctx, ref, err)
		}
		digest, err := e.Push(ctx, ref, progress)
		if err != nil {
			return "", err
		}
		is, err := e.isPushed(ctx, id, ref, digest)
		if err != nil {
			return "", e.pushFailure(ctx, ref, err)
		}
		if is {
			return digest, nil
		}
	}
	return "", &PushError{Ref: ref, Message: "other builds use this name for their images at the same time; build again"}
}

// isPushed reports whether the pushed image is the right one. Docker records the digests
// of an image's pushes. Podman makes a new manifest for each push and does not record
// it, so the name must still be the image's.
func (e *Engine) isPushed(ctx context.Context, id, ref, digest string) (bool, error) {
	pushed, err := e.client.ImageInspect(ctx, id)
	if err != nil {
		return false, err
	}
	for _, known := range pushed.RepoDigests {
		if strings.HasSuffix(known, "@"+digest) {
			return true, nil
		}
	}
	podman, err := e.isPodman(ctx)
	if err != nil || !podman {
		return false, err
	}
	named, err := e.client.ImageInspect(ctx, ref)
	return named.ID == pushed.ID, err
}

// authFor returns the encoded credentials for one registry.
func (e *Engine) authFor(ctx context.Context, host string) (string, error) {
	var auth engineregistry.AuthConfig
	if e.Credentials != nil {
		found, err := e.Credentials.Lookup(ctx, host)
		if err != nil {
			return "", err
		}
		if !found.None() {
			auth = engineregistry.AuthConfig{
				Username: found.Username, Password: found.Password,
				IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken,
				ServerAddress: registry.Canonical(host),
			}
		}
	}
	return engineregistry.EncodeAuthConfig(auth)
}

// pushedLine matches an engine's last line of a push. With the containerd image store,
// and in Podman, only this line has the digest.
var pushedLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[^ ]+: digest: (sha256:[0-9a-f]{64}) size: [0-9]+$`)
})

func readPush(r io.Reader, ref string, out *printer) (string, error) {
	var pushed struct{ Digest string }
	reported := ""
	err := readMessages(r, func(m message) error {
		out.message(m)
		if m.failed() {
			return &PushError{Ref: ref, Message: engineText(m.failure())}
		}
		if line := pushedLine().FindStringSubmatch(m.Status); line != nil {
			reported = line[1]
		}
		if m.Aux != nil {
			// Messages of another form are not about the digest.
			_ = json.Unmarshal(m.Aux, &pushed)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	digest := cmp.Or(pushed.Digest, reported)
	if !image.IsID(digest) {
		return "", &PushError{Ref: ref, Message: "the engine did not return a digest"}
	}
	return digest, nil
}

func (e *Engine) pushFailure(ctx context.Context, ref string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if refused, ok := errors.AsType[*PushError](err); ok {
		return refused
	}
	if broken, ok := errors.AsType[*streamError](err); ok {
		return fmt.Errorf("push %s: %w", ref, e.broken(broken))
	}
	if client.IsErrConnectionFailed(err) {
		return e.failure(err)
	}
	return &PushError{Ref: ref, Message: engineText(err.Error())}
}
