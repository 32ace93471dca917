package docker

import (
	"testing"

	"github.com/docker/docker/api/types"
)

func TestHeredocsNeed(t *testing.T) {
	podman := []types.ComponentVersion{{Name: podmanEngine}}
	for _, tt := range []struct {
		told types.Version
		want string
	}{
		{types.Version{Version: "20.10.24", APIVersion: "1.41"}, "Docker 23.0"},
		{types.Version{Version: "23.0.0", APIVersion: "1.42"}, ""},
		{types.Version{Version: "29.1.0", APIVersion: "1.52"}, ""},
		{types.Version{}, "Docker 23.0"},
		{types.Version{Version: "4.3.1", APIVersion: "1.41", Components: podman}, "Podman 4.8"},
		{types.Version{Version: "4.8.0", APIVersion: "1.41", Components: podman}, ""},
		{types.Version{Version: "5.2.0", APIVersion: "1.41", Components: podman}, ""},
		{types.Version{APIVersion: "1.52", Components: podman}, "Podman 4.8"},
	} {
		if got := heredocsNeed(tt.told); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.told, got, tt.want)
		}
	}
}
