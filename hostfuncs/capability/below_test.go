package capability_test

import (
	"strconv"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

func TestDeniesBelow(t *testing.T) {
	for pattern, want := range map[string]map[string]bool{
		"src/secret": {"src": true, ".": true, "src/secret": true, "src/secret/a": false, "lib": false, "SRC": true},
		"**/.env":    {"src": true, ".": true},
		"src/**":     {"src": true, "src/a": true, "lib": false},
		"*/keys/*":   {"src": true, "src/keys": true, "src/lib": false, "src/keys/a": true},
		".":          {".": true, "src": false},
	} {
		p, err := capability.Parse("p", []byte("version: 1\nproviders:\n  generic:\n    files:\n      read: {allow: [a], deny: ["+strconv.Quote(pattern)+"]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		for dir, want := range want {
			if got := p.DeniesBelow("generic", dir); got != want {
				t.Errorf("%s denies below %s: got %v", pattern, dir, got)
			}
			if p.DeniesBelow("other", dir) {
				t.Errorf("%s denies another provider", pattern)
			}
		}
	}
}

func TestPinsProgram(t *testing.T) {
	p, err := capability.Parse("p", []byte("version: 1\nproviders:\n  generic:\n    exec: [{command: npm run *, sha256: "+digestA+"}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]bool{"dev": true, "-x": false} {
		x := &capability.Exec{Argv: []string{"npm", "run", words}, Program: "/usr/bin/npm", Dir: "."}
		if got := p.Pins("generic", x); got != want {
			t.Errorf("npm run %s: got %v", words, got)
		}
		if p.Pins("other", x) {
			t.Error("another provider's rule counts")
		}
	}
}
