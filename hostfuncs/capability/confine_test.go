package capability_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

func TestConfine(t *testing.T) {
	type files = capability.ConfinedFiles
	type net = capability.ConfinedNet
	tree := func(path string) capability.Subtree { return capability.Subtree{Path: path, Below: true} }
	file := func(path string) capability.Subtree { return capability.Subtree{Path: path} }
	for name, tt := range map[string]struct {
		section string
		want    *capability.Confinement // nil for none
	}{
		"nothing said":          {"{exec: [a]}", nil},
		"off":                   {"{exec: [a], confine: off, files: {read: ['**']}}", nil},
		"files":                 {"{exec: [a], files: {read: ['**', b/c, './d//**']}}", &capability.Confinement{Mode: "require", Commands: true, Files: &files{Read: []capability.Subtree{tree("."), file("b/c"), tree("d")}}}},
		"no files":              {"{files: {}}", &capability.Confinement{Mode: "require", Files: &files{}}},
		"patterns of names":     {"{files: {read: ['*/**', 'a/**/b', 'a/**/**', 'a*', '*'], write: ['**/x']}}", &capability.Confinement{Mode: "require", Files: &files{}}},
		"the project's name":    {"{files: {write: [.]}}", &capability.Confinement{Mode: "require", Files: &files{Write: []capability.Subtree{file(".")}}}},
		"dotenv files":          {"{files: {env: [.env]}}", &capability.Confinement{Mode: "require", Files: &files{}}},
		"directories to list":   {"{files: {list: [., ./src/, a/b]}}", &capability.Confinement{Mode: "require", Files: &files{List: []capability.Subtree{tree("."), tree("src"), tree("a/b")}}}},
		"net":                   {"{net: {connect: [80, 9000-9001], listen: ['*']}}", &capability.Confinement{Mode: "require", Net: &net{Connect: []capability.Ports{{Low: 80, High: 80}, {Low: 9000, High: 9001}}, Listen: []capability.Ports{{Low: 1, High: 65535}}}}},
		"any port to listen on": {"{net: {listen: [0]}}", &capability.Confinement{Mode: "require", Net: &net{Listen: []capability.Ports{{}}}}},
		"mode alone":            {"{confine: require, exec: [a]}", &capability.Confinement{Mode: "require", Commands: true}},
		"best effort":           {"{confine: best-effort, files: {}}", &capability.Confinement{Mode: "best-effort", Files: &files{}}},
		"what is to be used":    {"{confine: require, use: [go, git], sockets: [docker]}", &capability.Confinement{Mode: "require", Use: []string{"go", "git"}, Sockets: []string{"docker"}}},
		"used without a mode":   {"{use: [go], sockets: [docker]}", nil},
		"pinned commands":       {"{confine: require, exec: [{command: a, sha256: " + oneDigest + "}]}", &capability.Confinement{Mode: "require", Commands: true}},
		"commands of the root":  {"{confine: require, exec: [/bin/a]}", &capability.Confinement{Mode: "require", Commands: true}},
	} {
		policy := parse(t, "version: 1\nproviders: {mine: "+tt.section+"}")
		got := capability.Confine([]*capability.Policy{policy, parse(t, "version: 1")}, "mine")
		var want []capability.Confinement
		if tt.want != nil {
			tt.want.Policy = policy.Name
			want = []capability.Confinement{*tt.want}
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(capability.Confinement{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestConfineOfAll joins what is said of a provider with what is said of all; of
// modes the strictest counts.
func TestConfineOfAll(t *testing.T) {
	const order = "require best-effort off"
	for _, of := range []string{"require", "best-effort", "off"} {
		for _, all := range []string{"require", "best-effort", "off"} {
			policy := parse(t, "version: 1\nproviders: {mine: {confine: "+of+", files: {read: [a]}}, '*': {confine: "+all+", files: {read: [b]}, use: [go]}}")
			got := capability.Confine([]*capability.Policy{policy}, "mine")
			want := of
			if strings.Index(order, all) < strings.Index(order, of) {
				want = all
			}
			switch {
			case want == "off" && len(got) == 0:
			case len(got) != 1 || string(got[0].Mode) != want || len(got[0].Files.Read) != 2 || len(got[0].Use) != 1:
				t.Errorf("%s and %s: got %+v, want %s", of, all, got, want)
			}
		}
	}
}

// TestConfineLayers: each policy that says something holds by itself, none lifts
// what another says.
func TestConfineLayers(t *testing.T) {
	said := parse(t, "version: 1\nproviders: {mine: {files: {}}}")
	off := parse(t, "version: 1\nproviders: {mine: {confine: off, files: {}}}")
	for _, policies := range [][]*capability.Policy{{said}, {said, off}, {off, said}, {capability.Open("learning"), said}, {said, capability.Nothing()}} {
		if got := capability.Confine(policies, "mine"); len(got) != 1 {
			t.Errorf("got %+v", got)
		}
	}
	if got := capability.Confine([]*capability.Policy{said, said}, "mine"); len(got) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestLimitsOf(t *testing.T) {
	a := parse(t, "version: 1\nproviders: {mine: {limits: {time: 90s, processes: 8, output: 2KiB}}, '*': {limits: {processes: 9, open_files: 64}}}")
	b := parse(t, "version: 1\nproviders: {mine: {limits: {time: 1h, open_files: 32, output: 1GiB}}, other: {limits: {processes: 1}}}")
	want := capability.Limits{Time: 90 * time.Second, Processes: 8, OpenFiles: 32, Output: 2048}
	for _, policies := range [][]*capability.Policy{{a, b}, {b, a}} {
		if got := capability.LimitsOf(policies, "mine"); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// TestAdmitUnenforced: what no system can enforce on commands is refused with its place,
// if commands may run and enforcement is required.
func TestAdmitUnenforced(t *testing.T) {
	for section, want := range map[string]int{
		"{exec: [a], files: {read: {allow: ['**'], deny: [b]}}}":                       1,
		"{exec: [a], files: {write: {deny: [b, c]}}}":                                  2,
		"{exec: [a], net: {connect: {deny: [80]}}}":                                    1,
		"{exec: [a], confine: best-effort, files: {read: {allow: ['**'], deny: [b]}}}": 0,
		"{exec: [a], confine: off, files: {read: {deny: [b]}}}":                        0,
		"{files: {read: {deny: [b]}}}":                                                 0,
	} {
		policy := parse(t, "version: 1\nproviders:\n  mine: "+section)
		got := capability.Admit([]*capability.Policy{policy}, capability.Run{Provider: "mine"})
		if len(got) != want {
			t.Errorf("%s: got %+v", section, got)
		}
		for _, r := range got {
			if r.Pos.Line != 3 || r.Pos.Column < 20 || r.Hint == "" || !strings.Contains(r.Message, "cannot be denied to commands") {
				t.Errorf("%s: got %+v", section, r)
			}
		}
	}
	policy := parse(t, "version: 1\nproviders:\n  mine: {exec: [a], files: {}}")
	if got := capability.Admit([]*capability.Policy{policy}, capability.Run{Provider: "mine", Unenforced: []string{"ports"}}); len(got) != 1 || got[0].Pos.Line != 3 {
		t.Errorf("got %+v", got)
	}
}
