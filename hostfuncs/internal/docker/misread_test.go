package docker

import (
	"testing"

	"github.com/docker/docker/api/types"
	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// TestMisreads has each kind of line at a number of its own, and wants the kinds
// that each engine takes for something else.
func TestMisreads(t *testing.T) {
	podman := []types.ComponentVersion{{Name: podmanEngine}}
	kinds := []dockerfile.Misread{{Heredoc: 1}, {ArgAgain: 2}, {StageAgain: 3}, {StageCase: 4}}
	for _, tt := range []struct {
		told types.Version
		want []int
	}{
		{types.Version{}, []int{1, 2}},
		{types.Version{Version: "20.10.24", APIVersion: "1.41"}, []int{1, 2}},
		{types.Version{Version: "23.0.0", APIVersion: "1.42"}, []int{2}},
		{types.Version{Version: "24.0.0", APIVersion: "1.43"}, nil},
		{types.Version{Version: "29.1.0", APIVersion: "1.52"}, nil},
		{types.Version{APIVersion: "1.52", Components: podman}, []int{1, 3, 4}},
		{types.Version{Version: "4.3.1", APIVersion: "1.41", Components: podman}, []int{1, 3, 4}},
		{types.Version{Version: "4.8.0", APIVersion: "1.41", Components: podman}, []int{3, 4}},
		{types.Version{Version: "5.2.0", APIVersion: "1.41", Components: podman}, []int{3, 4}},
	} {
		var got []int
		for _, m := range kinds {
			if misread := misreads(tt.told, m); misread != nil {
				got = append(got, misread.Line)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: lines (-want +got):\n%s", tt.told, diff)
		}
	}
}
