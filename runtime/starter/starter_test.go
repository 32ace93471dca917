package starter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/starter"
)

func TestConfig(t *testing.T) {
	got, err := starter.Config(starter.Proposal{Provider: "generic", Project: "shop", Candidate: abi.Candidate{
		Evidence: []string{"go.mod"}, Config: abi.JSON(`{"dev":{"command":["go","run","."],"processes":{"a":{"once":true}},"empty":{},"list":[{"a":1,"b":[]},[1,null]]}}`),
		Comments: map[string]string{"/dev/command": "go.mod", "/dev/processes/a": "a/b~c", "/none": "not written"},
	}})
	const want = `# Written by "stagecraft init".
# found go.mod
project:
  name: shop
backend:
  provider: generic
  providers:
    generic:
      dev:
        # go.mod
        command: [go, run, .]
        processes:
          # a/b~c
          a:
            once: true
        empty: {}
        list:
          - a: 1
            b: []
          - [1, null]
`
	if err != nil || string(got) != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
}

// TestComments: a comment that is not one visible line is refused.
func TestComments(t *testing.T) {
	for _, comment := range []string{"a\nb: c", "a\rb", "a\u2028b", "a\x1b[2J", "a\u202eb"} {
		_, err := starter.Config(starter.Proposal{Provider: "x", Candidate: abi.Candidate{Config: abi.JSON(`{"a":1}`), Comments: map[string]string{"/a": comment}}})
		if err == nil {
			t.Errorf("%q is accepted", comment)
		}
		if _, err := starter.Config(starter.Proposal{Provider: "x", Candidate: abi.Candidate{Config: abi.JSON(`{}`), Evidence: []string{comment}}}); err == nil {
			t.Errorf("%q is accepted as evidence", comment)
		}
	}
}

func TestPolicy(t *testing.T) {
	for name, tt := range map[string]struct {
		needs abi.Needs
		want  string
	}{
		"all": {
			abi.Needs{
				Exec: [][]string{{"npm", "run", "dev"}, {"sh", "-c", "a b"}, {"npm", "run", "dev"}}, Use: []string{"node", "fortran", "node"}, EnvPass: []string{"B", "A"},
				Write: []string{"web/dist", "."}, Listen: []int{4000, 3000}, Connect: []int{5432}, Build: []string{"web"}, Comments: map[string]string{"net.connect": "db", "exec": "c"},
			},
			`    # c
    exec:
      - npm run dev
      - [sh, "-c", a b]
    use: [node]
    env:
      pass: [A, B]
    files:
      read: ["**"]
      write: ["**", "web/dist/**"]
    build:
      contexts: [web]
      tags: ["shop:*"]
    net:
      # db
      connect: [5432]
      listen: [3000, 4000]
`,
		},
		"nothing": {abi.Needs{}, "    exec: []\n    files:\n      read: [\"**\"]\n    net: {}\n"},
	} {
		got, err := starter.Policy(starter.Proposal{Provider: "x", Project: "shop", Candidate: abi.Candidate{Needs: tt.needs}})
		if _, body, _ := strings.Cut(string(got), "  x:\n"); err != nil || body != strings.ReplaceAll(tt.want, "- [sh, \"-c\", a b]", "- [sh, \"-c\", a b]") {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", name, err, body, tt.want)
		}
	}
}

// FuzzFiles: whatever is proposed, the files say exactly that, or are refused.
func FuzzFiles(f *testing.F) {
	f.Add(`{"a":"b"}`, "comment", "npm run dev", "dist", "evidence")
	f.Add(`{"a: b\n":{"# c":["- d",{"":"*e"}]},"<<":{"x":1}}`, "x: y\n# z", "sh\n-c", "a b", "\u2028")
	f.Add(`{"no":1e5,"1":-0,"~":"null"}`, "---", "&a *b", "[x]", "...")
	f.Fuzz(func(t *testing.T, config, comment, command, dir, evidence string) {
		if !json.Valid([]byte(config)) || !strings.HasPrefix(config, "{") {
			return
		}
		p := starter.Proposal{Provider: "x", Project: "shop", Candidate: abi.Candidate{
			Config: abi.JSON(config), Evidence: []string{evidence}, Comments: map[string]string{"/a": comment, "": comment},
			Needs: abi.Needs{Exec: [][]string{strings.Split(command, " ")}, Write: []string{dir}, Comments: map[string]string{"exec": comment}},
		}}
		if data, err := starter.Config(p); err == nil {
			root, err := yamldoc.Parse("x", data)
			if err != nil || len(root.Entries()) != 2 || len(root.Get("backend").Entries()) != 2 || len(root.Get("backend").Get("providers").Entries()) != 1 {
				t.Errorf("%v:\n%s", err, data)
			}
		}
		if data, err := starter.Policy(p); err == nil {
			policy, err := capability.Parse("x", data)
			if err != nil || len(policy.Lists()) > 4 {
				t.Errorf("%v:\n%s", err, data)
			}
		}
	})
}
