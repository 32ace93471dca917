package capability_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/schematest"
)

func parsePolicy(text string) error {
	_, err := capability.Parse("p.yml", []byte(text))
	return err
}

func TestSchemaAgrees(t *testing.T) {
	shop, err := os.ReadFile("testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	const (
		grammar    = "a rule's grammar depends on all of its parts"
		duplicates = "rules that mean the same may be written in several ways"
	)
	c := schematest.Corpus{
		Accepted: []string{
			string(shop), "version: 1", "version: 1\nproviders: {x: , '*': {}, 0-a: {exec: {}}}",
			"version: 1\nrequire: {lock: true, confine: off, digests: {generic: " + digestA + ", mine: [], x: ['sha256:" + digestA + "']}}",
			"version: 1\nrequire: {digests: {x: " + strings.Repeat("1", 64) + "}}",
			in("daemons: [encore daemon -f, [a, b c]]"), in("exec: [{command: npm run, sha256: " + digestA + "}, {command: [a, ''], sha256: 'sha256:" + digestA + "'}, '**', [a, '**']]"),
			in("files: {read: [., '**', a/**/b/**, '**/**/**', a*, ./a, a//b], list: [., a/b], env: {}, write: []}"),
			in("net: {connect: ['*', 1, 1-65535], listen: [0, 65535, '2-3']}"), in("{use: [git, git], sockets: [docker], confine: best-effort}"),
			in("limits: {time: 1h30m.5s, output: 999999999B, open_files: 16, processes: 1}"), in("env: {pass: ['*', 'A B'], read: {deny: [X]}}"),
			in("build: {targets: ['*'], bases: ['docker.io/library/*', a@sha256:*], syntax: [docker/dockerfile:1@sha256:" + digestA + "], remotes: ['**', '*://a/**', 'git://a/b?c#d']}"),
			in("build: {platforms: ['*', linux/*, linux/arm/v7], secrets: ['*', a.b-c], outputs: [/a/**, dist/**], layouts: [a, /b], engines: [docker, 'buildkit+tcp://*.acme.dev:1', 'docker+ssh://u@h'], network: host, push: true, require_digest: false}"),
			"version: 1\naccept: [{finding: covered, provider: '*', key: env.pass, rule: A, reason: x}, {finding: open-word, provider: x, key: exec, rule: [a, b], reason: y}]",
		},
		Unsaid: map[string]string{
			in("exec: [../x]"):                                            "a path that leaves the project is known once . and .. are resolved",
			in("exec: [[npm, '**', dev]]"):                                "JSON Schema cannot refer to the last item of a list",
			in("net: {connect: ['4010-4000']}"):                           "JSON Schema cannot compare numbers within a text",
			in("files: {read: ['**/*/**/a/**']}"):                         grammar,
			in("exec: [npm run, go, [npm, run]]"):                         duplicates,
			in("exec: [npm  run, [npm, run]]"):                            duplicates,
			in("build: {remotes: ['https://acme.dev/**?subdir=%2e%2e']}"): "text may be encoded several times",
			in("build: {platforms: [linux/aarch64]}"):                     "the other names of platforms are in a table",
			"version: 1.0":                                                "to JSON Schema, 1.0 is 1",
			"version: 1\naccept: [{finding: covered, provider: x, key: exec, rule: 1, reason: x}]": "what a rule is depends on its key",
		},
	}
	for _, tt := range wrongPolicies {
		if c.Unsaid[tt.in] == "" {
			c.Rejected = append(c.Rejected, tt.in)
		}
	}
	schematest.Agree(t, capability.Schema, parsePolicy, c)
}

// TestTextsAgree takes the policies of all scripts and examples.
func TestTextsAgree(t *testing.T) {
	texts := schematest.Texts(t, "../..", "version: 1", "providers:")
	for name, text := range texts {
		if strings.Contains(text, "cases:") {
			delete(texts, name)
		}
	}
	if len(texts) < 80 {
		t.Errorf("found %d policies", len(texts))
	}
	schematest.Agreed(t, capability.Schema, parsePolicy, texts)
}

// FuzzSchemaAgrees requires the schema to accept what the parser does.
func FuzzSchemaAgrees(f *testing.F) {
	for _, text := range schematest.Texts(f, "../..", "version: 1", "providers:") {
		f.Add(text)
	}
	for _, tt := range wrongPolicies {
		f.Add(tt.in)
	}
	compiled := schematest.Compile(f, capability.Schema)
	f.Fuzz(func(t *testing.T, text string) {
		if parsePolicy(text) != nil {
			return
		}
		if err := schematest.Validate(compiled, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
