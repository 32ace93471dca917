package session

import (
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// TestRecorderKnowsBases wants each image that was decided on, with the digest
// that is known of it.
func TestRecorderKnowsBases(t *testing.T) {
	r := &recorder{reporter: silent{}, mode: live{}}
	r.Done(&hostfuncs.Record{
		Operation: abi.OpDockerBuild,
		Claim:     capability.Claim{Build: &capability.Build{Bases: []string{"a.test/x:1", "a.test/y:1"}}},
		Result:    abi.DockerBuildResult{Image: "shop:1", Bases: map[string]string{"a.test/y:1": "sha256:y", "a.test/z:1": "sha256:z"}},
	})
	if want := []Base{{"a.test/x:1", ""}, {"a.test/y:1", "sha256:y"}}; r.built == nil || !slices.Equal(r.built.bases, want) {
		t.Errorf("got %+v, want %+v", r.built, want)
	}
}
