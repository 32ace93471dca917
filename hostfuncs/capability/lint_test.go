package capability_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

func TestCheck(t *testing.T) {
	const pin = "1111111111111111111111111111111111111111111111111111111111111111"
	for section, want := range map[string][]string{
		"exec: [npm run dev, npm ci]": nil,
		"exec: [npm run *, npm run dev]": {
			`5:12 open-arguments: exec of generic: rule "npm run *" leaves arguments of npm open: it runs any package or script that its arguments name`,
			`5:23 covered: exec of generic: rule "npm run dev" is covered by "npm run *", policy.yml:5:12`,
		},
		"exec: [make all, make -j4 **]": {`5:22 open-arguments: exec of generic: rule "make -j4 **" leaves arguments of make open: a build tool runs whatever a file that its arguments name says, or its arguments`},
		"exec: [echo **, echo -n, ./echo x]": {
			`5:12 open-arguments: exec of generic: rule "echo **" leaves arguments of echo open, and what it does with any is not known`,
			`5:21 covered: exec of generic: rule "echo -n" is covered by "echo **", policy.yml:5:12`,
		},
		"exec: [echo *, echo -n]": {
			`5:12 open-arguments: exec of generic: rule "echo *" leaves arguments of echo open, and what it does with any is not known`,
		},
		"exec: [echo a, 'tool --level=*', 'TOOL.exe x']": {`5:20 open-word: exec of generic: rule "tool --level=*" leaves a part of an argument of tool open`},
		"exec: ['./*.sh', './sub/a.sh']":                 {`5:12 open-program: exec of generic: rule "./*.sh" leaves open which program runs, so it may be one that runs any other`},
		"exec: ['**', ls]": {
			`5:12 open-program: exec of generic: rule "**" leaves open which program runs, so it may be one that runs any other`,
			`5:18 covered: exec of generic: rule "ls" is covered by "**", policy.yml:5:12`,
		},
		"exec: [[/usr/bin/python3.11, '-c', '*']]": {`5:12 open-arguments: exec of generic: rule "/usr/bin/python3.11 -c *" leaves arguments of python3.11 open: python runs code that its arguments give or name`},
		"exec: {allow: [curl -o x, ./tools/curl], deny: ['curl **']}": {
			`5:20 never-matches: exec of generic: rule "curl -o x" allows nothing: "curl **" denies all of it, policy.yml:5:53`,
			`5:31 never-matches: exec of generic: rule "./tools/curl" allows nothing: "curl **" denies all of it, policy.yml:5:53`,
		},
		"exec: {allow: [npm ci], deny: [npm publish **]}": nil,
		"exec: [{command: ls -l, sha256: " + pin + "}, ls -l]": {
			`5:12 covered: exec of generic: rule "ls -l" is covered by "ls -l", policy.yml:5:104`,
		},
		"env: {pass: ['LD_*', 'APP_*', APP_X, LD_PRELOAD, '*']}": {
			`5:18 never-matches: env.pass of generic: rule "LD_*" passes nothing: all that it matches must be named in full`,
			`5:26 covered: env.pass of generic: rule "APP_*" is covered by "*", policy.yml:5:54`,
			`5:35 covered: env.pass of generic: rule "APP_X" is covered by "APP_*", policy.yml:5:26`,
		},
		"env: {pass: [DOMAIN], read: [DOMAIN, PORT]}": {`5:34 covered: env.read of generic: rule "DOMAIN" is covered by "DOMAIN", policy.yml:5:18`},
		"files: {read: ['backend/**', backend/src, 'backend/*/x', '**/y', backend2]}": {
			`5:34 covered: files.read of generic: rule "backend/src" is covered by "backend/**", policy.yml:5:20`,
			`5:47 covered: files.read of generic: rule "backend/*/x" is covered by "backend/**", policy.yml:5:20`,
		},
		"files: {list: [src, src/a, ./src/a/b, srcs]}": {
			`5:25 covered: files.list of generic: rule "src/a" is covered by "src", policy.yml:5:20`,
			`5:32 covered: files.list of generic: rule "./src/a/b" is covered by "src", policy.yml:5:20`,
		},
		"files: {list: [a, ., ./]}": {
			`5:20 covered: files.list of generic: rule "a" is covered by ".", policy.yml:5:23`,
			`5:26 covered: files.list of generic: rule "./" is covered by ".", policy.yml:5:23`,
		},
		"files: {read: ['src/**', 'lib/*', doc], list: [src/a, lib, doc, out/a], write: ['out/**']}": {
			`5:52 covered: files.list of generic: rule "src/a" is covered by "src/**", policy.yml:5:20`,
			`5:69 covered: files.list of generic: rule "out/a" is covered by "out/**", policy.yml:5:85`,
		},
		"files: {read: {allow: [.env, src], deny: ['**/.env']}}":   {`5:28 never-matches: files.read of generic: rule ".env" allows nothing: "**/.env" denies all of it, policy.yml:5:47`},
		"files: {read: ['env/*'], env: [env/dev, .env, 'env/**']}": {`5:36 covered: files.env of generic: rule "env/dev" is covered by "env/**", policy.yml:5:51`},
		"files: {read: ['env/*'], env: [env/dev, .env]}":           {`5:36 covered: files.env of generic: rule "env/dev" is covered by "env/*", policy.yml:5:20`},
		"files: {env: ['env/*'], read: [env/dev]}":                 nil,
		// What is denied to be read may be loaded by its own rule alone.
		"files: {read: {allow: ['env/*'], deny: [env/prod]}, env: ['env/*']}": nil,
		"files: {read: {allow: ['env/*'], deny: []}, env: ['env/*']}":         {`5:55 covered: files.env of generic: rule "env/*" is covered by "env/*", policy.yml:5:28`},
		// What is denied to be read is so only where no rule lets it be loaded.
		"files: {read: {deny: [.env]}, env: {allow: ['*'], deny: [.env]}}": nil,
		"files: {env: {allow: [.env], deny: ['.e*']}}":                     {`5:27 never-matches: files.env of generic: rule ".env" allows nothing: ".e*" denies all of it, policy.yml:5:41`},
		"net: {connect: [4000, 4001, '4001-4002', '4002-4003', '*']}": {
			`5:21 covered: net.connect of generic: rule "4000" is covered by "*", policy.yml:5:59`,
			`5:27 covered: net.connect of generic: rule "4001" is covered by "4001-4002", policy.yml:5:33`,
			`5:33 covered: net.connect of generic: rule "4001-4002" is covered by "*", policy.yml:5:59`,
			`5:46 covered: net.connect of generic: rule "4002-4003" is covered by "*", policy.yml:5:59`,
		},
		"net: {connect: {allow: [4000, '4000-4001'], deny: ['3000-4000']}}": {
			`5:29 never-matches: net.connect of generic: rule "4000" allows nothing: "3000-4000" denies all of it, policy.yml:5:56`,
		},
		"build: {tags: ['ghcr.io/acme/*', ghcr.io/acme/shop, ghcr.io/acme/a/b]}": {
			`5:38 covered: build.tags of generic: rule "ghcr.io/acme/shop" is covered by "ghcr.io/acme/*", policy.yml:5:20`,
		},
		"build: {require_digest: true, bases: ['node:22', 'node:*', 'go:1@sha256:*', '**', localhost/x]}": {
			`5:43 never-matches: build.bases of generic: rule "node:22" allows nothing: it has no digest, and "require_digest: true" requires one, policy.yml:5:29`,
			`5:54 covered: build.bases of generic: rule "node:*" is covered by "**", policy.yml:5:81`,
			`5:64 covered: build.bases of generic: rule "go:1@sha256:*" is covered by "**", policy.yml:5:81`,
			`5:87 never-matches: build.bases of generic: rule "localhost/x" allows nothing: it has no digest, and "require_digest: true" requires one, policy.yml:5:29`,
		},
		"build: {require_digest: false, bases: [node], tags: [node]}": nil,
		"build: {bases: {allow: ['node:22', go], deny: ['node:*']}}": {
			`5:29 never-matches: build.bases of generic: rule "node:22" allows nothing: "node:*" denies all of it, policy.yml:5:52`,
		},
		"build: {syntax: {allow: [a/b@sha256:" + digestA + ", 'a/b:1@sha256:" + digestA + "', c/d@sha256:" + digestB + "], deny: [x/y@sha256:" + digestB + "]}}": {
			`5:107 covered: build.syntax of generic: rule "a/b:1@sha256:` + digestA + `" is covered by "a/b@sha256:` + digestA + `", policy.yml:5:30`,
			`5:188 never-matches: build.syntax of generic: rule "c/d@sha256:` + digestB + `" allows nothing: "x/y@sha256:` + digestB + `" denies all of it, policy.yml:5:273`,
		},
		"build: {remotes: ['https://acme.dev/**', 'https://acme.dev/a/b', 'http://acme.dev/**']}": {
			`5:46 covered: build.remotes of generic: rule "https://acme.dev/a/b" is covered by "https://acme.dev/**", policy.yml:5:23`,
		},
		"build: {outputs: ['**', dist, /tmp, './a//b']}": {
			`5:29 covered: build.outputs of generic: rule "dist" is covered by "**", policy.yml:5:23`,
			`5:41 covered: build.outputs of generic: rule "./a//b" is covered by "**", policy.yml:5:23`,
		},
		"build: {engines: [docker, 'docker+tcp://*', 'docker+tcp://a:1'], platforms: ['linux/*', linux/arm64], secrets: ['a*', a]}": {
			`5:49 covered: build.engines of generic: rule "docker+tcp://a:1" is covered by "docker+tcp://*", policy.yml:5:31`,
			`5:93 covered: build.platforms of generic: rule "linux/arm64" is covered by "linux/*", policy.yml:5:82`,
			`5:123 covered: build.secrets of generic: rule "a" is covered by "a*", policy.yml:5:117`,
		},
	} {
		text := "version: 1\nproviders:\n  '*': {}\n  generic:\n    " + section
		if strings.Contains(section, "./echo") {
			text = strings.Replace(text, "'*': {}", "other: {exec: ['**']}", 1)
		}
		var got []string
		for _, f := range explain.Check(parse(t, text), nil) {
			if f.Provider == "generic" {
				got = append(got, fmt.Sprintf("%d:%d %s: %s", f.Pos.Line, f.Pos.Column, f.Name, f.Message))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", section, diff)
		}
	}
}

// TestCheckAcrossProviders wants rules of "*" to count for each provider, and
// not the other way round.
func TestCheckAcrossProviders(t *testing.T) {
	for text, want := range map[string]int{
		"'*': {exec: [ls -l]}\n  generic: {exec: [ls -l]}":                               1,
		"'*': {exec: [ls -l]}\n  generic: {exec: [ls]}":                                  0,
		"'*': {exec: [ls -l]}\n  generic: {exec: {deny: ['ls **']}}":                     0,
		"'*': {exec: {deny: ['ls **']}}\n  generic: {exec: [ls -l]}":                     1,
		"other: {exec: [ls -l]}\n  generic: {exec: [ls -l]}":                             0,
		"generic: {exec: [ls -l]}\n  '*': {exec: [ls -l]}":                               1,
		"'*': {env: {pass: [A]}}\n  generic: {env: {read: [A]}}":                         1,
		"generic: {env: {pass: [A]}}\n  '*': {env: {read: [A]}}":                         0,
		"generic: {files: {read: [a]}}\n  '*': {files: {write: [a]}}":                    0,
		"'*': {files: {read: [a]}}\n  generic: {files: {env: [a]}}":                      1,
		"generic: {files: {read: [a]}}\n  '*': {files: {env: [a]}}":                      0,
		"'*': {files: {read: {deny: [b]}}}\n  generic: {files: {read: [a], env: [a]}}":   0,
		"other: {files: {read: {deny: [b]}}}\n  generic: {files: {read: [a], env: [a]}}": 1,
		"other: {files: {read: {deny: [b]}}}\n  '*': {files: {read: [a], env: [a]}}":     0,
		"generic: {exec: {deny: [ls -l, 'ls **', LS]}}\n  '*': {}":                       2,
		"generic: {exec: {allow: ['**'], deny: ['**']}}\n  other: null":                  1,
	} {
		if got := explain.Check(parse(t, "version: 1\nproviders:\n  "+text), nil); len(got) != want {
			t.Errorf("%s: got %+v, want %d", text, got, want)
		}
	}
}

// FuzzCheck takes away each rule that is said to be needless, or to have no
// effect, and wants no decision to change.
func FuzzCheck(f *testing.F) {
	for seed := range uint64(providertest.Rounds(50)) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 11))
		rules := randomRules(r)
		p := parse(t, rules.text(""))
		for _, finding := range explain.Check(p, nil) {
			if finding.Name != capability.NeverMatches && finding.Name != capability.Covered || strings.Contains(finding.Message, "passes nothing") {
				continue
			}
			less := parse(t, rules.without(t, p, finding).text(""))
			for range 100 {
				c := randomClaim(r)
				before, after := capability.Decide([]*capability.Policy{p}, c), capability.Decide([]*capability.Policy{less}, c)
				if before.Allowed != after.Allowed {
					t.Fatalf("%s\nbut without it %s is not decided as before: %s, %s\n%s", finding.Message, c, before.Reason(), after.Reason(), rules.text(""))
				}
			}
		}
	})
}

// TestCheckComparesNotForever has more patterns of one beginning than can all
// be compared, and wants that to be said once.
func TestCheckComparesNotForever(t *testing.T) {
	const n = 2_500
	p := parse(t, manyRules(n, "true * --task=%d"))
	said := 0
	for _, f := range explain.Check(p, nil) {
		if f.Name == capability.NotCompared {
			said++
		}
	}
	if said != 1 {
		t.Errorf("%d findings say that not all rules were compared, want one", said)
	}
	// As many others are compared, and have no finding but of what they leave open.
	for _, format := range []string{"true task-%d", "true --task-%d=*"} {
		for _, f := range explain.Check(parse(t, manyRules(n, format)), nil) {
			if f.Name != capability.OpenWord {
				t.Fatalf("%s: %+v", format, f)
			}
		}
	}
}

// manyRules is a policy of n commands that allow and as many that deny.
func manyRules(n int, format string) string {
	var allow, deny strings.Builder
	for i := range n {
		fmt.Fprintf(&allow, "        - "+format+"\n", i)
		fmt.Fprintf(&deny, "        - "+format+"\n", n+i)
	}
	return "version: 1\nproviders:\n  generic:\n    exec:\n      allow:\n" + allow.String() + "      deny:\n" + deny.String()
}

func BenchmarkCheck(b *testing.B) {
	for name, format := range map[string]string{"words": "true task-%d", "patterns": "true --task-%d=*", "alike": "true * --task=%d"} {
		b.Run(name, func(b *testing.B) {
			p := parse(b, manyRules(10_000, format))
			for b.Loop() {
				explain.Check(p, nil)
			}
		})
	}
}

// without is the rules without the one that was found.
func (s ruleSet) without(t *testing.T, p *capability.Policy, f explain.Finding) ruleSet {
	t.Helper()
	out := ruleSet{allow: maps.Clone(s.allow), deny: maps.Clone(s.deny), network: s.network, push: s.push, digest: s.digest, unsaid: s.unsaid}
	for _, l := range p.Lists() {
		for i, rule := range l.Rules {
			if rule.Pos != f.Pos {
				continue
			}
			from := out.allow
			if l.Deny {
				from = out.deny
			}
			from[l.Key] = slices.Delete(slices.Clone(from[l.Key]), i, i+1)
			return out
		}
	}
	t.Fatalf("no rule at %s", f.Pos)
	return out
}
