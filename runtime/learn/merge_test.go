package learn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
)

// addedLines are the lines that were added, in short.
func addedLines(l *learn.Learnt) string {
	var said []string
	for _, a := range l.Added {
		said = append(said, a.Provider+" "+a.Key+" "+a.Rule)
	}
	return strings.Join(said, "\n")
}

func TestMerge(t *testing.T) {
	watched := func(uses ...capability.Use) learn.Commands { return learn.Commands{"generic": {Uses: uses}} }
	unwatched := learn.Commands{"generic": {Missed: []string{"why"}}}
	srcA := file(capability.UseRead, "src/a")
	for _, tt := range []struct {
		name     string
		before   string // below "version: 1\n"
		claims   []capability.Claim
		commands learn.Commands
		after    string // empty for the same
		added    string
		left     string // a part of why a claim is left
		note     string // a part of a note
	}{
		{name: "all is allowed", before: "providers:\n  generic: {exec: [npm *], files: {read: [\"**\"]}, net: {}} # mine\n",
			claims: []capability.Claim{command("npm", "ci"), say, read("a")}, commands: watched(srcA)},
		{name: "existing text stays", before: "# Mine.\nrequire: {lock: true}\nproviders:\n  other: {exec: [make]}\n  generic:\n    limits: {time: 1h} # long\n    exec:\n    - npm test # first\n\n    files: {read: [a]}\n    net: {connect: [80]}\n",
			claims: []capability.Claim{command("npm", "ci")}, commands: watched(srcA, port(capability.UseListen, 4000)),
			after: "# Mine.\nrequire: {lock: true}\nproviders:\n  other: {exec: [make]}\n  generic:\n    limits: {time: 1h} # long\n    exec:\n    - npm test # first\n    - npm ci\n\n    files: {read: [a, src/a]}\n    net: {connect: [80], listen: [4000]}\n",
			added: "generic exec npm ci\ngeneric files.read src/a\ngeneric net.listen 4000"},
		{name: "another provider", before: "providers:\n  other: {exec: [make]}\n", claims: []capability.Claim{command("npm", "ci")}, commands: watched(),
			after: "providers:\n  other: {exec: [make]}\n  generic:\n    exec:\n      - npm ci\n    files: {}\n    net: {}\n", added: "generic exec npm ci\ngeneric files {}\ngeneric net {}"},
		{name: "no providers", before: "", claims: []capability.Claim{say}, after: "providers:\n  generic: {}\n", added: "generic  {}"},
		{name: "a word for a provider that has rules", before: "providers:\n  generic: {exec: [make]}\n", claims: []capability.Claim{say}},
		{name: "a list with rules that deny", before: "providers:\n  generic:\n    exec:\n      deny: [npm publish]\n", claims: []capability.Claim{command("npm", "ci"), command("npm", "publish")},
			after: "providers:\n  generic:\n    exec:\n      deny: [npm publish]\n      allow:\n        - npm ci\n", added: "generic exec npm ci", left: `denied by "npm publish"`},
		{name: "a file that is denied", before: "providers:\n  generic: {exec: [npm ci], confine: best-effort, files: {read: {allow: [a], deny: [\"src/s*\"]}}, net: {}}\n",
			claims: []capability.Claim{command("npm", "ci"), read("src/s")}, commands: watched(file(capability.UseRead, "src/s"), file(capability.UseList, "src"), file(capability.UseRead, "b")),
			after: "providers:\n  generic: {exec: [npm ci], confine: best-effort, files: {read: {allow: [a, b], deny: [\"src/s*\"]}}, net: {}}\n",
			added: "generic files.read b", left: `denied by "src/s*"`},
		{name: "a directory that is listed", before: "providers:\n  generic: {exec: [npm ci], files: {read: [a]}, net: {}}\n",
			claims: []capability.Claim{command("npm", "ci")}, commands: watched(file(capability.UseList, ".")),
			after: "providers:\n  generic: {exec: [npm ci], files: {read: [a], list: [.]}, net: {}}\n", added: "generic files.list ."},
		{name: "directories that may be listed", before: "providers:\n  generic: {exec: [npm ci], files: {list: [src], read: [\"lib/**\"], write: [\"out/**\"]}, net: {}}\n",
			claims:   []capability.Claim{command("npm", "ci")},
			commands: watched(file(capability.UseList, "src"), file(capability.UseList, "src/a"), file(capability.UseList, "lib"), file(capability.UseList, "out"))},
		{name: "a port that is denied", before: "providers:\n  generic: {exec: [npm ci], confine: best-effort, files: {}, net: {connect: {allow: [], deny: [80]}}}\n",
			claims: []capability.Claim{command("npm", "ci")}, commands: watched(port(capability.UseConnect, 80), port(capability.UseConnect, 81), port(capability.UseUDP, 53)),
			after: "providers:\n  generic: {exec: [npm ci], confine: best-effort, files: {}, net: {connect: {allow: [81], deny: [80]}}}\n", added: "generic net.connect 81"},
		{name: "not watched, and confined", before: "providers:\n  generic: {exec: [npm ci], files: {}, net: {}}\n", claims: []capability.Claim{command("npm", "ci"), read("a")}, commands: unwatched,
			after: "providers:\n  generic: {exec: [npm ci], files: {read: [a]}, net: {}}\n", added: "generic files.read a"},
		{name: "not watched, and confined by the rules for all", before: "providers:\n  \"*\": {files: {}}\n", claims: []capability.Claim{command("npm", "ci"), read("a")}, commands: unwatched,
			after: "providers:\n  \"*\": {files: {}}\n  generic:\n    exec:\n      - npm ci\n    files:\n      read:\n        - a\n", added: "generic exec npm ci\ngeneric files.read a"},
		{name: "not watched, and not confined", before: "providers:\n  generic: {exec: [npm ci]}\n", claims: []capability.Claim{command("npm", "ci"), read("a")}, commands: unwatched,
			after: "providers:\n  generic: {exec: [npm ci], confine: off, files: {read: [a]}}\n", added: "generic confine off\ngeneric files.read a"},
		{name: "commands that were not seen", before: "providers:\n  generic: {exec: [npm ci]}\n", claims: []capability.Claim{read("a")}, commands: watched(),
			after: "providers:\n  generic: {exec: [npm ci], confine: off, files: {read: [a]}}\n", added: "generic confine off\ngeneric files.read a"},
		{name: "confined from now on", before: "providers:\n  generic: {exec: [npm ci]}\n", claims: []capability.Claim{command("npm", "ci")}, commands: watched(srcA),
			after: "providers:\n  generic: {exec: [npm ci], files: {read: [src/a]}, net: {}}\n", added: "generic files.read src/a\ngeneric net {}", note: "did not confine the commands of provider generic; the added lines of files and net do"},
		{name: "confine: off stays", before: "providers:\n  generic: {exec: [npm ci], confine: off}\n", claims: []capability.Claim{command("npm", "ci")}, commands: watched(srcA),
			after: "providers:\n  generic: {exec: [npm ci], confine: off, files: {read: [src/a]}, net: {}}\n", added: "generic files.read src/a\ngeneric net {}", note: "p.yml:3:38 has confine: off; without it, the commands of provider generic are confined"},
		{name: "ports that are free stay so", before: "providers:\n  generic: {exec: [npm ci], files: {}}\n", claims: []capability.Claim{command("npm", "ci")}, commands: watched(srcA, port(capability.UseConnect, 80)),
			after: "providers:\n  generic: {exec: [npm ci], files: {read: [src/a]}}\n", added: "generic files.read src/a"},
		{name: "unless the provider itself needs one", before: "providers:\n  generic: {exec: [npm ci], files: {}}\n", claims: []capability.Claim{command("npm", "ci"), connect(5432)},
			commands: watched(port(capability.UseConnect, 80)),
			after:    "providers:\n  generic: {exec: [npm ci], files: {}, net: {connect: [5432, 80]}}\n", added: "generic net.connect 5432\ngeneric net.connect 80"},
		{name: "no commands so far", before: "providers:\n  generic: {files: {read: [a]}}\n", claims: []capability.Claim{command("npm", "ci")}, commands: watched(srcA),
			after: "providers:\n  generic: {files: {read: [a, src/a]}, exec: [npm ci], net: {}}\n", added: "generic exec npm ci\ngeneric files.read src/a\ngeneric net {}"},
		{name: "a place in another", before: "providers:\n  generic: {exec: [npm ci], files: {write: [\"src/**\"]}, net: {listen: [\"4000-4010\"]}}\n", claims: []capability.Claim{command("npm", "ci")},
			commands: watched(srcA, file(capability.UseMake, "src/x"), port(capability.UseListen, 4001))},
		{name: "a program that is pinned", before: "providers:\n  generic: {exec: [{command: npm ci, sha256: " + digest + "}]}\n", claims: []capability.Claim{command("npm", "ci")}, left: "pins sha256"},
		{name: "a network that is said", before: "providers:\n  generic:\n    build: {contexts: [backend], tags: [\"shop:1\"], network: none}\n",
			claims: []capability.Claim{build(func(*capability.Build) {})}, left: "p.yml:4:61 says build.network: none"},
		{name: "a push that is said", before: "providers:\n  generic:\n    build: {contexts: [backend], tags: [\"shop:1\"], push: false}\n",
			claims: []capability.Claim{build(func(b *capability.Build) { b.Push = true })}, left: "says build.push: false"},
		{name: "a stage more", before: "providers:\n  generic:\n    build:\n      contexts:\n        - backend\n      tags:\n        - \"shop:1\"\n      targets: []\n",
			claims: []capability.Claim{build(func(b *capability.Build) { b.Target = "prod" })},
			after:  "providers:\n  generic:\n    build:\n      contexts:\n        - backend\n      tags:\n        - \"shop:1\"\n      targets:\n        - prod\n", added: "generic build.targets prod"},
		{name: "keys of builds that are left out", before: "providers:\n  generic:\n    build: {contexts: [backend]}\n",
			claims: []capability.Claim{build(func(b *capability.Build) { b.Engine, b.Target = "embedded", "prod" })},
			after:  "providers:\n  generic:\n    build: {contexts: [backend], tags: [\"shop:1\"]}\n", added: "generic build.tags \"shop:1\""},
		{name: "the first engine elsewhere", before: "providers:\n  generic:\n    build: {contexts: [backend], tags: [\"shop:1\"]}\n",
			claims: []capability.Claim{build(func(b *capability.Build) { b.Engine = "docker" }), build(func(b *capability.Build) { b.Engine, b.EngineAddress = "buildkit", "tcp://b:1" })},
			after:  "providers:\n  generic:\n    build: {contexts: [backend], tags: [\"shop:1\"], engines: [\"buildkit+tcp://b:1\", docker]}\n",
			added:  "generic build.engines \"buildkit+tcp://b:1\"\ngeneric build.engines docker"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, after := "version: 1\n"+tt.before, "version: 1\n"+tt.after
			if tt.after == "" {
				after = before
			}
			got, err := learn.Policy(tt.claims, tt.commands, learn.Options{File: "p.yml", Into: []byte(before)})
			if err != nil || got.Policy != after {
				t.Fatalf("got\n%s\n%v\nwant\n%s", got.Policy, err, after)
			}
			if lines := addedLines(got); lines != tt.added {
				t.Errorf("added\n%s\nwant\n%s", lines, tt.added)
			}
			if (len(got.Left) > 0) != (tt.left != "") || tt.left != "" && !strings.Contains(got.Left[0].Reason, tt.left) {
				t.Errorf("left %v", got.Left)
			}
			if notes := strings.Join(got.Notes, "\n"); (notes == "") != (tt.note == "") || !strings.Contains(notes, tt.note) {
				t.Errorf("noted %q", notes)
			}
			again, err := learn.Policy(tt.claims, tt.commands, learn.Options{File: "p.yml", Into: []byte(got.Policy)})
			if err != nil || again.Policy != got.Policy || len(again.Added) > 0 {
				t.Errorf("a second time: %v\n%s", err, again.Policy)
			}
		})
	}
}

// TestMergeFails: what could not be added is told, and nothing is made of it.
func TestMergeFails(t *testing.T) {
	claims := []capability.Claim{command("npm", "ci")}
	shared := "version: 1\nproviders:\n  other: {exec: &e [make]}\n  generic: {exec: *e}\n"
	got, err := learn.Policy(claims, nil, learn.Options{File: "p.yml", Into: []byte(shared)})
	if !errors.Is(err, yamldoc.ErrNoPlace) || got.Policy != "" || addedLines(got) != "generic exec npm ci" {
		t.Errorf("got %v, %q, added %s", err, got.Policy, addedLines(got))
	}
	for _, text := range []string{"", "version: 2\n", "a: [\n"} {
		if got, err := learn.Policy(claims, nil, learn.Options{File: "p.yml", Into: []byte(text)}); err == nil || got.Policy != "" {
			t.Errorf("%q: got %q", text, got.Policy)
		}
	}
}

// TestWeaker: a new policy confines what the one in force confines.
func TestWeaker(t *testing.T) {
	inForce := parse(t, "version: 1\nproviders: {generic: {exec: [npm ci], files: {}}}\n")
	missed := learn.Commands{"generic": {Missed: []string{"why"}}}
	got, err := learn.Policy([]capability.Claim{command("npm", "ci")}, missed, learn.Options{InForce: inForce})
	if _, ok := errors.AsType[*learn.WeakerError](err); !ok || got.Policy != "" {
		t.Errorf("got %v\n%s", err, got.Policy)
	}
	for _, o := range []learn.Options{{}, {InForce: capability.Nothing()}} {
		if _, err := learn.Policy([]capability.Claim{command("npm", "ci")}, missed, o); err != nil {
			t.Error(err)
		}
	}
	if _, err := learn.Policy([]capability.Claim{command("npm", "ci")}, learn.Commands{"generic": {}}, learn.Options{InForce: inForce}); err != nil {
		t.Error(err)
	}
}
