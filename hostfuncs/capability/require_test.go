package capability_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

const (
	oneDigest   = "1111111111111111111111111111111111111111111111111111111111111111"
	otherDigest = "2222222222222222222222222222222222222222222222222222222222222222"
)

func TestAdmit(t *testing.T) {
	for name, tt := range map[string]struct {
		require string
		run     capability.Run
		want    string // of the first refusal, empty for none
	}{
		"nothing required":    {"{}", capability.Run{}, ""},
		"locked":              {"{lock: true}", capability.Run{Locked: true}, ""},
		"not locked":          {"{lock: true}", capability.Run{}, "policy.yml:2:17: provider mine must be in stagecraft.lock"},
		"built in":            {"{lock: true}", capability.Run{BuiltIn: true}, ""},
		"lock false":          {"{lock: false}", capability.Run{}, ""},
		"digest":              {"{digests: {mine: " + oneDigest + "}}", capability.Run{SHA256: oneDigest}, ""},
		"prefixed digest":     {"{digests: {mine: 'sha256:" + oneDigest + "'}}", capability.Run{SHA256: oneDigest}, ""},
		"one of several":      {"{digests: {mine: [" + otherDigest + ", " + oneDigest + "]}}", capability.Run{SHA256: oneDigest}, ""},
		"another digest":      {"{digests: {mine: " + oneDigest + "}}", capability.Run{SHA256: otherDigest}, "policy.yml:2:21: provider mine has sha256"},
		"built in as well":    {"{digests: {mine: " + oneDigest + "}}", capability.Run{SHA256: otherDigest, BuiltIn: true}, "policy.yml:2:21: provider mine has"},
		"no digest will do":   {"{digests: {mine: []}}", capability.Run{SHA256: oneDigest}, "policy.yml:2:21: provider mine has"},
		"of another provider": {"{digests: {other: " + oneDigest + "}}", capability.Run{SHA256: otherDigest}, ""},
		"confined":            {"{confine: require}\nproviders: {mine: {files: {}}}", capability.Run{}, ""},
		"confined by another": {"{confine: require}\nproviders: {other: {files: {}}}", capability.Run{}, "policy.yml:2:20: commands must be confined, and no policy says to what"},
		"not confined":        {"{confine: require}", capability.Run{}, "policy.yml:2:20: commands must be confined"},
		"confined in vain":    {"{confine: require}\nproviders: {mine: {net: {}}}", capability.Run{Unenforced: []string{"ports", "files"}}, "policy.yml:2:20: this system cannot confine commands as the policy requires: ports; files"},
		"best effort":         {"{confine: best-effort}", capability.Run{}, ""},
	} {
		tt.run.Provider = "mine"
		policies := []*capability.Policy{parse(t, "version: 1\nrequire: "+tt.require), parse(t, "version: 1")}
		got := ""
		if refusals := capability.Admit(policies, tt.run); len(refusals) > 0 {
			got = refusals[0].Pos.String() + ": " + refusals[0].Message
		}
		if !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestAdmitAll wants each policy's requirements to count, whichever it is.
func TestAdmitAll(t *testing.T) {
	a, b := parse(t, "version: 1\nrequire: {lock: true}"), parse(t, "version: 1\nrequire: {confine: require}")
	for _, policies := range [][]*capability.Policy{{a, b}, {b, a}} {
		if got := capability.Admit(policies, capability.Run{Provider: "mine"}); len(got) != 2 {
			t.Errorf("got %+v", got)
		}
	}
}

// TestAdmitModule wants what concerns a module to count by itself, and what
// concerns commands not to.
func TestAdmitModule(t *testing.T) {
	policies := []*capability.Policy{parse(t, "version: 1\nrequire: {lock: true, confine: require}"), parse(t, "version: 1\nrequire: {digests: {mine: []}}")}
	run := capability.Run{Provider: "mine", Unenforced: []string{"ports"}}
	if got := capability.AdmitModule(policies, run); len(got) != 2 {
		t.Errorf("got %+v", got)
	}
	if got := capability.Admit(policies, run); len(got) != 3 {
		t.Errorf("got %+v", got)
	}
	if got := capability.AdmitModule(policies[:1], capability.Run{Provider: "mine", Locked: true}); got != nil {
		t.Errorf("got %+v", got)
	}
}

func TestRequireProblems(t *testing.T) {
	for text, want := range map[string]string{
		"require: 1":                                                                      "policy.yml:2:10: require: is a number, expected a mapping",
		"require: {lock: yes please}":                                                     "expected true or false",
		"require: {locks: true}":                                                          `unknown key "locks"`,
		"require: {confine: always}":                                                      `unknown value "always"`,
		"require: {confine: true}":                                                        `unknown value "true"`,
		"require: {digests: [a]}":                                                         "expected a mapping of provider IDs",
		"require: {digests: {mine: abc}}":                                                 `"abc" is not a SHA-256 digest`,
		"require: {digests: {mine: {}}}":                                                  "is not a SHA-256 digest",
		"require: {digests: {'*': []}}":                                                   `"*" is not a provider ID`,
		"providers: {x: {exec: [{}]}}":                                                    "has command and sha256",
		"providers: {x: {exec: [{a: b}]}}":                                                `unknown key "a"`,
		"providers: {x: {exec: [{command: a, sha256: b}]}}":                               `"b" is not a SHA-256 digest`,
		"providers: {x: {exec: [{command: {}, sha256: " + oneDigest + "}]}}":              "expected a command",
		"providers: {x: {exec: {deny: [{command: a, sha256: " + oneDigest + "}]}}}":       "denies one file of a program",
		"providers: {x: {exec: [{command: '', sha256: " + oneDigest + "}]}}":              "names no program",
		"providers: {x: {exec: [{command: [a, '**', b], sha256: " + oneDigest + "}]}}":    "has ** before its end",
		"providers: {x: {exec: [{command: a, sha256: 1}, {command: a, sha256: sha1:2}]}}": `"sha1:2" is not a SHA-256 digest`,
	} {
		_, err := capability.Parse("policy.yml", []byte("version: 1\n"+text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestPins compares rules that pin a program with claims of its digest.
func TestPins(t *testing.T) {
	p := parse(t, "version: 1\nproviders: {mine: {exec: ["+
		"{command: npm run *, sha256: "+oneDigest+"}, {command: [./x.sh, '**'], sha256: "+otherDigest+"}, node]}}")
	for name, tt := range map[string]struct {
		exec    capability.Exec
		allowed bool
	}{
		"pinned":          {capability.Exec{Argv: []string{"npm", "run", "dev"}, SHA256: oneDigest}, true},
		"another file":    {capability.Exec{Argv: []string{"npm", "run", "dev"}, SHA256: otherDigest}, false},
		"may be written":  {capability.Exec{Argv: []string{"npm", "run", "dev"}, SHA256: oneDigest, Writable: true}, false},
		"written, free":   {capability.Exec{Argv: []string{"node"}, SHA256: oneDigest, Writable: true}, true},
		"unknown file":    {capability.Exec{Argv: []string{"npm", "run", "dev"}}, false},
		"other words":     {capability.Exec{Argv: []string{"npm", "publish"}, SHA256: oneDigest}, false},
		"project's":       {capability.Exec{Argv: []string{"./x.sh"}, ProgramInProject: "x.sh", Program: "/p/x.sh", SHA256: otherDigest}, true},
		"project's other": {capability.Exec{Argv: []string{"./x.sh"}, ProgramInProject: "x.sh", Program: "/p/x.sh", SHA256: oneDigest}, false},
		"not pinned":      {capability.Exec{Argv: []string{"node"}}, true},
		"not pinned, any": {capability.Exec{Argv: []string{"node"}, SHA256: oneDigest}, true},
	} {
		tt.exec.Dir = "."
		c := capability.Claim{Operation: "exec", Provider: "mine", Exec: &tt.exec}
		if d := capability.Decide([]*capability.Policy{p}, c); d.Allowed != tt.allowed {
			t.Errorf("%s: %s", name, d.Reason())
		}
	}
	for command, want := range map[string]bool{"npm run dev": true, "npm publish": false, "node": false} {
		x := capability.Exec{Argv: strings.Fields(command), Dir: "."}
		if got := capability.Pins([]*capability.Policy{parse(t, "version: 1"), p}, "mine", &x); got != want {
			t.Errorf("%s is pinned: %v", command, got)
		}
		if capability.Pins([]*capability.Policy{p}, "other", &x) {
			t.Errorf("%s is pinned for another provider", command)
		}
	}
}

// TestPinOfWritable says why a pin doesn't hold, and proposes no rule without one.
func TestPinOfWritable(t *testing.T) {
	p := parse(t, "version: 1\nproviders: {mine: {exec: [{command: ./x.sh, sha256: "+oneDigest+"}]}}")
	x := capability.Exec{Argv: []string{"./x.sh"}, Program: "/p/x.sh", ProgramInProject: "x.sh", SHA256: oneDigest, Writable: true, Dir: "."}
	d := capability.Decide([]*capability.Policy{p}, capability.Claim{Operation: "exec", Provider: "mine", Exec: &x})
	if d.Allowed || len(d.Missing) > 0 || !strings.Contains(d.Reason(), "confined commands may write to /p/x.sh") {
		t.Errorf("got %+v, %s", d, d.Reason())
	}
}
