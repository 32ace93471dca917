package docker

import (
	"context"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/versions"
)

// The first versions that know here-documents: Docker 23.0 has API 1.42 and
// BuildKit 0.10, and Podman 4.8 has Buildah 1.33.
const (
	heredocAPI    = "1.42"
	heredocPodman = "4.8"
)

// HeredocsNeed names the engine that here-documents need, empty where this one
// knows them.
func (e *Engine) HeredocsNeed(ctx context.Context) (string, error) {
	told, err := e.client.ServerVersion(ctx)
	if err != nil {
		return "", e.failure(err)
	}
	return heredocsNeed(told), nil
}

func heredocsNeed(told types.Version) string {
	switch {
	case isPodman(told) && versions.LessThan(told.Version, heredocPodman):
		return "Podman " + heredocPodman
	case !isPodman(told) && versions.LessThan(told.APIVersion, heredocAPI):
		return "Docker 23.0"
	}
	return ""
}
