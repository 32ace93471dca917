package build

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// imageOp finds an image that the engine has. It does not set Looks: in a plan,
// the image is not built yet.
func (i *Images) imageOp() hostfuncs.Op[abi.DockerImageRequest, string, abi.DockerImageResult] {
	return hostfuncs.Op[abi.DockerImageRequest, string, abi.DockerImageResult]{
		Name: abi.OpDockerImage,
		Resolve: func(_ context.Context, q abi.DockerImageRequest) (string, error) {
			if err := image.CheckTag(q.Image); err != nil {
				return "", abi.Errorf(abi.CodeInvalid, "docker_image: %v", err)
			}
			return q.Image, nil
		},
		Claim: func(image string) capability.Claim { return capability.Claim{Image: image} },
		Do:    i.findImage,
		Step:  func(_ context.Context, image string) (hostfuncs.Detail, error) { return &ImageStep{image}, nil },
		Preview: func(image string) (abi.DockerImageResult, []string, error) {
			return abi.DockerImageResult{Image: image}, []string{"the image's ID"}, nil
		},
	}
}

func (i *Images) findImage(ctx context.Context, image string) (abi.DockerImageResult, error) {
	e, err := i.find(ctx)
	if err != nil {
		return abi.DockerImageResult{}, engineError(err)
	}
	defer e.Close()
	found, ok, err := e.Find(ctx, image)
	if err == nil && ok {
		err = found.Check()
	}
	switch {
	case err != nil:
		return abi.DockerImageResult{}, engineError(err)
	case !ok:
		return abi.DockerImageResult{}, abi.Errorf(abi.CodeNotFound, "the engine does not have the image %s", image)
	}
	return abi.DockerImageResult{Image: image, ID: found.ID(), Digest: found.Digest(), Config: found.Config}, nil
}
