package policytest_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/policytest"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// withCase is a file with one case, of which the text is the end.
func withCase(text string) string {
	return "version: 1\npolicy: p.yml\nprovider: generic\ncases:\n  - " + text
}

func withRequest(text string) string {
	return withCase("{note: n, want: denied, request: " + text + "}")
}

// wrongTests are files with one problem each.
var wrongTests = []struct{ name, in, want, hint string }{
	{"empty", "", "t.yml:1:1: the file is empty", "begin it with:"},
	{"a list", "[]", "t.yml:1:1: is a list, expected a mapping", ""},
	{"syntax", "version: [", "t.yml:1: ", ""},
	{"no version", "policy: p\nprovider: p\ncases: [{note: n, request: {log: true}, want: denied}]", "t.yml:1:1: version is required", ""},
	{"another version", "version: 2\npolicy: p\nprovider: p\ncases: [{note: n, request: {log: true}, want: denied}]", `t.yml:1:10: version: unknown version "2"`, ""},
	{"version as a string", "version: '1'\npolicy: p\nprovider: p\ncases: [{note: n, request: {log: true}, want: denied}]", `t.yml:1:10: version: unknown version "1"`, ""},
	{"unknown key", withCase("{note: n, request: {log: true}, want: denied}") + "\ncase: []", `t.yml:6:1: unknown key "case"`, `did you mean "cases"?`},
	{"no cases", "version: 1\npolicy: p", "t.yml:1:1: cases is required", ""},
	{"an empty list", "version: 1\npolicy: p\ncases: []", "t.yml:3:8: cases: at least one case is required", ""},
	{"cases that are none", "version: 1\npolicy: p\ncases:", "t.yml:3:7: cases: is nothing, expected a list of cases", ""},
	{"cases by name", "version: 1\npolicy: p\ncases: {a: b}", "t.yml:3:8: cases: is a mapping, expected a list of cases", ""},
	{"a case that is none", withCase("x"), "t.yml:5:5: cases[0]: is a string, expected a mapping", ""},
	{"unknown key of a case", withCase("{note: n, request: {log: true}, want: denied, wants: x}"), `unknown key "wants"`, `did you mean "want"?`},
	{"no note", withCase("{request: {log: true}, want: denied}"), "t.yml:5:5: cases[0]: note is required", ""},
	{"empty note", withCase("{note: '', request: {log: true}, want: denied}"), "t.yml:5:12: cases[0].note: is empty", ""},
	{"no request", withCase("{note: n, want: denied}"), "t.yml:5:5: cases[0]: request is required", ""},
	{"no want", withCase("{note: n, request: {log: true}}"), "t.yml:5:5: cases[0]: want is required", ""},
	{"unknown want", withCase("{note: n, request: {log: true}, want: deny}"), `t.yml:5:43: cases[0].want: "deny" is not a decision`, `did you mean "denied"?`},
	{"another want", withCase("{note: n, request: {log: true}, want: true}"), `"true" is not a decision`, "use allowed or denied"},
	{"want in another case", withCase("{note: n, request: {log: true}, want: Allowed}"), `"Allowed" is not a decision`, `did you mean "allowed"?`},
	{"want as a list", withCase("{note: n, request: {log: true}, want: [denied]}"), `"" is not a decision`, "use allowed or denied"},
	{"reason that is none", withCase("{note: n, request: {log: true}, want: denied, reason: [x]}"), "reason: is a list, expected a string", ""},
	{"empty reason", withCase("{note: n, request: {log: true}, want: denied, reason: ''}"), "reason: is empty", ""},

	{"no policy", "version: 1\nprovider: p\ncases: [{note: n, request: {log: true}, want: denied}]", "t.yml:3:9: cases[0]: policy is required", "name one in the case"},
	{"no policies", "version: 1\npolicy: []\nprovider: p\ncases: [{note: n, request: {log: true}, want: denied}]", "t.yml:2:9: policy: names no policy", ""},
	{"policy that is none", "version: 1\npolicy: [1]\nprovider: p\ncases: [{note: n, request: {log: true}, want: denied}]", "t.yml:2:10: policy[0]: is a number, expected a string", ""},
	{"no policies of a case", withCase("{note: n, request: {log: true}, want: denied, policy: []}"), "cases[0].policy: names no policy", ""},
	{"no provider", "version: 1\npolicy: p\ncases: [{note: n, request: {log: true}, want: denied}]", "t.yml:3:9: cases[0]: provider is required", "name one in the case"},
	{"all providers", "version: 1\npolicy: p\nprovider: '*'\ncases: [{note: n, request: {log: true}, want: denied}]", `t.yml:3:11: provider: "*" is not a provider ID`, ""},
	{"provider that is none", withCase("{note: n, request: {log: true}, want: denied, provider: My One}"), `cases[0].provider: "My One" is not a provider ID`, ""},
	{"provider as a list", withCase("{note: n, request: {log: true}, want: denied, provider: [p]}"), "cases[0].provider: is a list, expected a string", ""},

	{"a request that is none", withRequest("exec"), "cases[0].request: is a string, expected a mapping", ""},
	{"nothing asked for", withRequest("{}"), "cases[0].request: does not say what is asked for", "use one of exec, look, read, write, load, build, connect, log"},
	{"unknown request", withRequest("{exce: npm}"), `unknown key "exce"`, `did you mean "exec"?`},
	{"two requests", withRequest("{exec: npm, read: a}"), "asks for exec and read, a case is one request", ""},
	{"key of another request", withRequest("{read: a, dir: b}"), `cases[0].request: unknown key "dir"`, "known here: read"},
	{"command that is none", withRequest("{exec: 1}"), "exec: is a number, expected a command", ""},
	{"empty command", withRequest("{exec: ' '}"), "it names no program", ""},
	{"no words", withRequest("{exec: []}"), "it names no program", ""},
	{"word that is none", withRequest("{exec: [npm, 1]}"), "exec[1]: is a number, expected a string: put it in quotes", ""},
	{"quotes", withRequest(`{exec: 'sh -c "a b"'}`), "has a quote in it", `[node, "-e", "a b"]`},
	{"directory outside", withRequest("{exec: npm, dir: ../x}"), `dir: "../x" leaves the project directory`, ""},
	{"absolute directory", withRequest("{exec: npm, dir: /x}"), `dir: "/x" leaves the project directory`, ""},
	{"program outside", withRequest("{exec: npm, program: ../npm}"), `program: "../npm" leaves the project directory`, ""},
	{"program that is none", withRequest("{exec: npm, program: [npm]}"), "program: is a list, expected a string", ""},
	{"digest that is none", withRequest("{exec: npm, sha256: abc}"), `sha256: "abc" is not a SHA-256 digest`, "write its 64 digits"},
	{"daemons that are none", withRequest("{exec: npm, daemons: npm serve}"), "daemons: is a string, expected a list of commands", ""},
	{"daemon that is none", withRequest("{exec: npm, daemons: [1]}"), "daemons[0]: is a number, expected a command", ""},
	{"empty daemon", withRequest("{exec: npm, daemons: ['']}"), "it names a daemon without a program", ""},
	{"daemon without a command", withRequest("{daemons: [npm serve]}"), "does not say what is asked for", "use one of exec"},
	{"variables that are none", withRequest("{exec: npm, env: [A]}"), "env: is a list, expected a mapping", ""},
	{"unknown use", withRequest("{exec: npm, env: {sets: [A]}}"), `unknown key "sets"`, `did you mean "set"?`},
	{"name that is none", withRequest("{exec: npm, env: {set: [A=b]}}"), `"A=b" is not the name of a variable`, ""},
	{"names that are none", withRequest("{exec: npm, env: {pass: A}}"), "env.pass: is a string, expected a list of strings", ""},
	{"no path", withRequest("{read: }"), "read: is nothing, expected a string", ""},
	{"empty path", withRequest("{read: ''}"), "read: is empty", ""},
	{"path outside", withRequest("{write: a/../../b}"), `write: "a/../../b" leaves the project directory`, ""},
	{"nothing loaded", withRequest("{load: []}"), "it asks for nothing", ""},
	{"loads outside", withRequest("{load: ../.env}"), `load: "../.env" leaves the project directory`, ""},
	{"a command loads outside", withRequest("{exec: npm, load: [.env, ../.env]}"), `load[1]: "../.env" leaves the project directory`, ""},
	{"loads a mapping", withRequest("{exec: npm, load: {a: b}}"), "load: is a mapping, expected a string", ""},
	{"load beside a read", withRequest("{read: a, load: b}"), "asks for read and load, a case is one request", ""},
	{"unknown key among all", withRequest("{exce: npm}"), `unknown key "exce"`, "known here: build, connect, daemons, dir, env, exec, load, log, look, program, read, sha256, write"},
	{"port as a string", withRequest("{connect: '4000'}"), "connect: is a string, expected a port", "write it as a number: 4000"},
	{"ports", withRequest("{connect: [4000]}"), "connect: is a list, expected a port", ""},
	{"port that is none", withRequest("{connect: 65536}"), "65536 is not a port", ""},
	{"port that is not a number", withRequest("{connect: 99999999999999999999}"), "connect: is a number, expected a port", ""},
	{"nothing looked at", withRequest("{look: []}"), "it asks for nothing", ""},
	{"log of false", withRequest("{log: false}"), "log: is true or false, expected true", ""},
	{"log of a string", withRequest("{log: 'true'}"), "log: is a string, expected true", ""},
	{"build that is none", withRequest("{build: .}"), "build: is a string, expected a mapping", ""},
	{"no tags", withRequest("{build: {context: .}}"), "the image has no reference", ""},
	{"context outside", withRequest("{build: {context: .., tags: [a]}}"), `context: ".." leaves the project directory`, ""},
	{"Dockerfile outside", withRequest("{build: {dockerfile: /D, tags: [a]}}"), `dockerfile: "/D" leaves the project directory`, ""},
	{"unknown network", withRequest("{build: {tags: [a], network: mine}}"), `"mine" is not a network`, ""},
	{"target that is none", withRequest("{build: {tags: [a], target: 1}}"), "target: is a number, expected a string", ""},
	{"push that is none", withRequest("{build: {tags: [a], push: maybe}}"), "push: is a string, expected true or false", ""},
	{"load that is none", withRequest("{build: {tags: [a], load: 1}}"), "load: is a number, expected true or false", ""},
	{"base that is none", withRequest("{build: {tags: [a], bases: [node, 'No']}}"), `t.yml:5:72: cases[0].request.build.bases[1]: "No" is not a reference of an image`, ""},
	{"base as a number", withRequest("{build: {tags: [a], bases: [1]}}"), "bases[0]: is a number, expected a string", ""},
	{"syntax that is none", withRequest("{build: {tags: [a], syntax: 'a b'}}"), `syntax: "a b" is not a reference`, ""},
	{"empty syntax", withRequest("{build: {tags: [a], syntax: ''}}"), "syntax: is empty", ""},
	{"cache that is none", withRequest("{build: {tags: [a], cache_to: ['type=local']}}"), `cache_to[0]: "type=local" is not a reference`, ""},
	{"remote that is none", withRequest("{build: {tags: [a], remotes: ['https://a/../b']}}"), `"https://a/../b" is not a clean URL of a source`, ""},
	{"platform that is none", withRequest("{build: {tags: [a], platforms: [linux]}}"), `"linux" is not a platform`, ""},
	{"secret that is none", withRequest("{build: {tags: [a], secrets: [a/b]}}"), `"a/b" is not the ID of a secret`, ""},
	{"output that is none", withRequest("{build: {tags: [a], outputs: [dist]}}"), `"dist" is not an output`, ""},
	{"engine that is none", withRequest("{build: {tags: [a], engine: podman}}"), `"podman" is not an engine`, ""},
	{"empty engine", withRequest("{build: {tags: [a], engine: ''}}"), "engine: is empty", ""},
	{"a variable that a build sets", withRequest("{build: {tags: [a]}, env: {set: [A]}}"), `unknown key "set"`, "known here: pass"},
	{"unknown key of a build", withRequest("{build: {tag: [a]}}"), `unknown key "tag"`, `did you mean "tags"?`},
}

func TestProblems(t *testing.T) {
	for _, tt := range wrongTests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := policytest.Parse("t.yml", []byte(tt.in))
			problems, ok := errors.AsType[yamldoc.Problems](err)
			if !ok {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if len(problems) != 1 {
				t.Errorf("want one problem alone, got\n%v", err)
			}
			if !strings.Contains(problems[0].Error(), tt.want) || !strings.Contains(problems[0].Hint, tt.hint) {
				t.Errorf("got %v, hint %q, want %s, hint %q", err, problems[0].Hint, tt.want, tt.hint)
			}
		})
	}
}

// TestAllProblems wants all problems at once, each with its position.
func TestAllProblems(t *testing.T) {
	_, err := policytest.Parse("t.yml", []byte(`version: 3
policy: 1
provider: "No"
cases:
  - {note: a, request: {exec: npm, dir: ..}, want: allow}
  - {request: {read: a, write: b}, want: denied, provider: "No either"}
  - x
`))
	want := `t.yml:1:10: version: unknown version "3", this stagecraft reads version 1
t.yml:2:9: policy: is a number, expected a string: put it in quotes
t.yml:3:11: provider: "No" is not a provider ID
t.yml:5:41: cases[0].request.dir: ".." leaves the project directory
t.yml:5:52: cases[0].want: "allow" is not a decision
t.yml:6:5: cases[1]: note is required
t.yml:6:15: cases[1].request: asks for read and write, a case is one request
t.yml:6:60: cases[1].provider: "No either" is not a provider ID
t.yml:7:5: cases[2]: is a string, expected a mapping`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// FuzzParse wants a file to be refused with problems that have a place, or to
// have cases that can be run: each by a claim that some policy allows.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/passing.yml")
	if err != nil {
		f.Fatal(err)
	}
	// Small files go far faster.
	for _, text := range strings.Split(string(data), "\n  - ")[1:] {
		f.Add(withCase(text))
	}
	f.Add(withRequest(`{exec: "npm *", dir: a/b, program: 'C:\x', env: {set: [LD_X], pass: ["A*"]}}`))
	f.Add(withRequest(`{build: {context: a/.., dockerfile: b//c, tags: ["a b"], args: [""], network: "", push: yes}}`))
	f.Add(withRequest(`{exec: ["\x00", ""], program: '\\'}`))
	f.Add(withCase("&a {note: *a}"))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := policytest.Parse("t.yml", []byte(text))
		if err != nil {
			problems, ok := errors.AsType[yamldoc.Problems](err)
			if !ok || len(problems) == 0 || problems[0].Pos.File != "t.yml" {
				t.Fatalf("no problems with a place: %v", err)
			}
			return
		}
		loaded := 0
		results, err := s.Run(func(string) (*capability.Policy, error) {
			loaded++
			return capability.Open("open"), nil
		})
		if err != nil || len(s.Cases) == 0 || loaded == 0 {
			t.Fatalf("cases %v, %d policies: %v", s.Cases, loaded, err)
		}
		for _, r := range results {
			if !r.Decision.Allowed {
				t.Errorf("%v can't be allowed: %s", r.Case.Claim, r.Decision.Reason())
			}
			if d := r.Difference(); (d == "") != r.Passed || strings.ContainsAny(d, "\x1b\r") {
				t.Errorf("passed is %v, the difference %q", r.Passed, d)
			}
		}
	})
}
