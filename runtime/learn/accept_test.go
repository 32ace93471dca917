package learn_test

import (
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/learn"
)

func TestKeepAccepted(t *testing.T) {
	const learnt = "version: 1\nproviders:\n  generic:\n    exec:\n      - ls\n"
	const accept = "accept: # by us\n  - finding: open-word\n    provider: generic\n    key: exec\n    rule: [ls, \"-*\"]\n    reason: so it is\n"
	for before, want := range map[string]string{
		"version: 1\n":                   learnt,
		"version: 1\naccept: []\n":       learnt,
		"no policy":                      learnt,
		"version: 1\n" + accept:          learnt + accept,
		"version: 1\n" + accept + "\n\n": learnt + accept,
		"version: 1\n" + accept + "require:\n  lock: true\nproviders: {}\n": learnt + accept,
	} {
		if got, err := learn.KeepAccepted(before, learnt); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", before, got, err, want)
		}
	}
	for _, before := range []string{
		"{version: 1, accept: [{finding: open-word, provider: generic, key: exec, rule: ls -*, reason: x}]}",
		"version: 1\nproviders: {generic: {exec: [&a ls -*]}}\naccept: [{finding: open-word, provider: generic, key: exec, rule: *a , reason: x}]\n",
	} {
		if got, err := learn.KeepAccepted(before, learnt); err == nil {
			t.Errorf("%q: got %q, want an error", before, got)
		}
	}
}
