package session

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// TestDenialsAreBounded denies the same call again and again, and then other ones.
func TestDenialsAreBounded(t *testing.T) {
	denied := func(path string) *hostfuncs.Record {
		claim := capability.Claim{Operation: "stat", Provider: "p", Files: []capability.FileUse{{Path: path}}}
		layers := capability.Explain([]*capability.Policy{capability.Nothing()}, claim)
		return &hostfuncs.Record{Decided: true, Claim: claim, Layers: layers, Decision: capability.Weigh(layers)}
	}
	var r recorder
	for range 1000 {
		r.Decided(denied("same"))
	}
	if len(r.denials) != 1 || r.denied != 1000 {
		t.Errorf("%d kept of %d, want 1", len(r.denials), r.denied)
	}
	for i := range 1000 {
		r.Decided(denied(fmt.Sprint(i)))
	}
	if len(r.denials) != maxDenials || len(r.seen) != maxDenials || r.denied != 2000 {
		t.Errorf("%d kept and %d remembered of %d", len(r.denials), len(r.seen), r.denied)
	}
	e := DeniedError{Denials: r.denials, Count: r.denied}
	if grants := e.Grants(); len(grants) != maxDenials {
		t.Errorf("%d grants", len(grants))
	}
	allowed := &hostfuncs.Record{Decided: true, Decision: capability.Decision{Allowed: true}}
	if r.Decided(allowed); r.denied != 2000 {
		t.Error("an allowed call counts as denied")
	}
}

// TestRecorderKnowsBases expects each base image of the claim, with its digest if it is
// known.
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
