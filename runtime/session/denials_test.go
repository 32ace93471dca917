package session

import (
	"fmt"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// TestDenialsAreBounded has a provider that asks for the same again and again,
// and for ever new things.
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
		t.Error("what is allowed counts as denied")
	}
}
