package capability_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

func in(section string) string { return "version: 1\nproviders:\n  generic:\n    " + section }

// wrongPolicies are policies with one problem each.
var wrongPolicies = []struct{ name, in, want, hint string }{
	{"empty", "", "p.yml:1:1: the policy is empty", "version: 1"},
	{"list", "[]", "p.yml:1:1: is a list, expected a mapping", ""},
	{"no version", "providers: {}", "p.yml:1:1: version is required", "version: 1"},
	{"other version", "version: 2", `p.yml:1:10: version: unknown version "2", this stagecraft reads version 1`, ""},
	{"version as a string", `version: "1"`, `unknown version "1"`, ""},
	{"unknown key", "version: 1\nprovider: {}", `p.yml:2:1: unknown key "provider"`, `did you mean "providers"?`},
	{"unknown section", in("exe: []"), `p.yml:4:5: providers.generic: unknown key "exe"`, `did you mean "exec"? known here: build, confine, daemons, env, exec, files, limits, net, sockets, use`},
	{"unknown list", in("exec: {alow: []}"), `unknown key "alow"`, `did you mean "allow"?`},
	{"no ID", "version: 1\nproviders: {Generic: {}}", `p.yml:2:13: providers: "Generic" is not a provider ID`, ""},
	{"providers as a list", "version: 1\nproviders: [generic]", "providers: is a list, expected a mapping of provider IDs", ""},
	{"rules as a string", in("exec: npm run dev"), "providers.generic.exec: is a string, expected a list of rules", ""},
	{"rule as a number", in("exec: [1]"), "p.yml:4:12: providers.generic.exec[0]: is a number, expected a command", ""},
	{"word as a number", in("exec: [[sleep, 1]]"), "is a number, expected a string: put it in quotes", ""},
	{"quote in a rule", in(`exec: ['sh -c "x y"']`), "has a quote in it", "write it as a list"},
	{"empty rule", in("exec: ['']"), `rule "" names no program`, ""},
	{"empty program", in("exec: [['', a]]"), "names no program", ""},
	{"** in the middle", in("exec: [npm ** dev]"), "has ** before its end", ""},
	{"** in a word", in("exec: [npm a**b]"), "has ** within a word", ""},
	{"program outside", in("exec: [../x]"), "leaves the project directory", ""},
	{"absolute file", in("files: {read: [/etc/passwd]}"), `rule "/etc/passwd" begins with /`, ""},
	{"file outside", in("files: {read: [a/../../b]}"), "has .. in it, which could leave the project directory", ""},
	{"a .. that stays inside", in("files: {read: [a/../b]}"), "has .. in it", ""},
	{"empty file", in("files: {read: ['']}"), "is empty", ""},
	{"dotenv file outside", in("files: {env: [../.env]}"), "providers.generic.files.env[0]: rule \"../.env\" has .. in it", ""},
	{"directories as a pattern", in("files: {list: ['src/**']}"), `p.yml:4:20: providers.generic.files.list[0]: rule "src/**" has a * in it: name a directory, which includes those below it`, ""},
	{"directory outside", in("files: {list: [../x]}"), "providers.generic.files.list[0]: rule \"../x\" has .. in it", ""},
	{"absolute directory", in("files: {list: [/etc]}"), `rule "/etc" begins with /`, ""},
	{"no directory", in("files: {list: ['']}"), "is empty", ""},
	{"directories with a deny", in("files: {list: {allow: [.]}}"), "providers.generic.files.list: is a mapping, expected a list of rules", ""},
	{"port to listen on", in("net: {listen: [-1]}"), `p.yml:4:20: providers.generic.net.listen[0]: rule "-1" is not a port or a range of ports`, "write a port as 4000"},
	{"mode", in("confine: yes"), `p.yml:4:14: providers.generic.confine: unknown value "yes"`, "use require, best-effort, off"},
	{"toolchain", in("use: [node, cobol]"), `p.yml:4:17: providers.generic.use[1]: unknown value "cobol"`, "use bun, deno, dotnet, elixir, git, go, java, node, php, python, ruby, rust"},
	{"toolchain as a word", in("use: node"), "use: is a string, expected a list of bun, deno, dotnet, elixir, git, go, java, node, php, python, ruby, rust", ""},
	{"socket", in("sockets: [/run/docker.sock]"), `unknown value "/run/docker.sock"`, "use docker"},
	{"time as a number", in("limits: {time: 90}"), `limits.time: "90" is not a time above 0`, "write it as 90s, 30m or 2h"},
	{"size without a unit", in("limits: {output: 100}"), `limits.output: "100" is not a size`, "write it as 64KiB, 256MiB or 1GiB"},
	{"size of nothing", in("limits: {output: 0MiB}"), `"0MiB" is not a size`, ""},
	{"no time", in("limits: {time: 0s}"), `"0s" is not a time above 0`, ""},
	{"few open files", in("limits: {open_files: 3}"), `"3" is not a number from 16 on`, ""},
	{"many processes", in("limits: {processes: 4294967296}"), `"4294967296" is not a number from 1 on`, ""},
	{"limit", in("limits: {memory: 1}"), `unknown key "memory"`, "known here: open_files, output, processes, time"},
	{"net as a list", in("net: [4000]"), "providers.generic.net: is a list, expected a mapping", ""},
	{"ports as a number", in("net: {connect: 4000}"), "net.connect: is a number, expected a list of rules", ""},
	{"port as a string", in("net: {connect: ['4000']}"), "p.yml:4:21: providers.generic.net.connect[0]: is a string, expected a number", "write a port as 4000"},
	{"port 0", in("net: {connect: [0]}"), `connect[0]: rule "0" is not a port or a range of ports`, "write a port as 4000"},
	{"negative port", in("net: {connect: [-1]}"), `rule "-1" is not a port or a range of ports`, "write a port as 4000"},
	{"port that is too high", in("net: {connect: [65536]}"), `rule "65536" is out of range: the last port is 65535`, "write a port as 4000"},
	{"port that is far too high", in("net: {connect: [99999999999999999999]}"), `rule "99999999999999999999" is not a port or a range of ports`, "write a port as 4000"},
	{"port with a fraction", in("net: {connect: [4000.5]}"), "is a number, expected a port", "write a port as 4000"},
	{"port as a mapping", in("net: {connect: [{port: 1}]}"), "is a mapping, expected a port", `a range as "4000-4010"`},
	{"name of a port", in("net: {connect: [http]}"), `rule "http" is not a port or a range of ports`, `a range as "4000-4010"`},
	{"empty port", in("net: {connect: ['']}"), `rule "" is not a port or a range of ports`, `a range as "4000-4010"`},
	{"range with blanks", in("net: {connect: [4000 - 4010]}"), `rule "4000 - 4010" is not a port or a range of ports`, `a range as "4000-4010"`},
	{"range without an end", in("net: {connect: ['4000-']}"), `rule "4000-" is not a port or a range of ports`, `a range as "4000-4010"`},
	{"range of three", in("net: {connect: ['1-2-3']}"), `rule "1-2-3" is not a port or a range of ports`, `a range as "4000-4010"`},
	{"range that ends too high", in("net: {connect: ['4000-70000']}"), "is out of range", `a range as "4000-4010"`},
	{"range the wrong way round", in("net: {connect: ['4010-4000']}"), `rule "4010-4000" ends before it begins`, `a range as "4000-4010"`},
	{"pattern of ports", in("net: {connect: ['40*']}"), `rule "40*" is not a port or a range of ports`, `all ports as "*"`},
	{"the same port", in("net: {connect: [4000, 4_000]}"), `duplicate rule "4000" (first at line 4)`, "remove one of the two"},
	{"many **", in("files: {read: ['**/a/**/b/**/c']}"), "has more than two **", ""},
	{"the same command", in("exec: [npm run, go, [npm, run]]"), `p.yml:4:25: providers.generic.exec[2]: duplicate rule "npm run" (first at line 4)`, "remove one of the two"},
	{"the same command, written otherwise", in("exec: [npm  run, [npm, run]]"), `duplicate rule "npm run" (first at line 4)`, "remove one of the two"},
	{"the same file", in("files: {write: {deny: [a, a]}}"), `duplicate rule "a" (first at line 4)`, "remove one of the two"},
	{"empty tag", in("build: {tags: ['']}"), `rule "" is empty`, ""},
	{"tag with many **", in("build: {tags: ['**/a/**/b/**']}"), "has more than two **", ""},
	{"empty target", in("build: {targets: ['']}"), `rule "" is empty`, ""},
	{"argument with =", in("build: {args: ['A=b']}"), "is not a name: it is empty, or has = or NUL in it", ""},
	{"rule as a word of another kind", in("files: {read: [1]}"), "is a number, expected a string: put it in quotes", ""},
	{"rules as nothing", in("exec:"), "is nothing, expected a list of rules", ""},
	{"section as a list", in("env: []"), "is a list, expected a mapping", ""},
	{"variable with =", in("env: {pass: ['A=b']}"), "is not a name: it is empty, or has = or NUL in it", ""},
	{"reference with a scheme", in("build: {bases: ['https://ghcr.io/x']}"), `p.yml:4:21: providers.generic.build.bases[0]: rule "https://ghcr.io/x" has a scheme`, ""},
	{"empty base", in("build: {bases: ['']}"), `rule "" is empty`, ""},
	{"digest as a string", in("build: {require_digest: 'yes'}"), "build.require_digest: is a string, expected true or false", ""},
	{"frontend by its tag", in("build: {syntax: [docker/dockerfile:1]}"), `p.yml:4:22: providers.generic.build.syntax[0]: rule "docker/dockerfile:1" has no digest`, ""},
	{"frontends by a pattern", in("build: {syntax: ['**']}"), `rule "**" has no digest`, ""},
	{"frontends by a pattern with a digest", in("build: {syntax: ['docker/*@sha256:" + digestA + "']}"), "has no digest", ""},
	{"frontend with a short digest", in("build: {syntax: ['docker/dockerfile@sha256:abc']}"), "has no digest", ""},
	{"denied frontend by its tag", in("build: {syntax: {deny: [docker/dockerfile]}}"), "build.syntax.deny[0]: rule", ""},
	{"remote without a scheme", in("build: {remotes: [acme.dev/x]}"), `rule "acme.dev/x" is not a URL`, ""},
	{"remote of another scheme", in("build: {remotes: ['ftp://acme.dev/x']}"), "its scheme is http, https, git or ssh", ""},
	{"remote with many **", in("build: {remotes: ['https://**/a/**/b/**']}"), "has more than two **", ""},
	{"remote that climbs", in("build: {remotes: ['https://acme.dev/r.git#*:../**']}"), `p.yml:4:23: providers.generic.build.remotes[0]: rule "https://acme.dev/r.git#*:../**" has .. in it, which can lead out of a repository: write the address without ..`, ""},
	{"remote that climbs, encoded", in("build: {remotes: ['https://acme.dev/**?subdir=%2e%2e']}"), "has .. in it", ""},
	{"remote that climbs in its path", in("build: {remotes: ['https://acme.dev/a/../b']}"), "has .. in it", ""},
	{"denied remote that climbs", in("build: {remotes: {deny: ['ssh://acme.dev/**#main:..']}}"), `build.remotes.deny[0]: rule`, ""},
	{"platform", in("build: {platforms: ['linux/amd64/v1/x']}"), "is not a platform, such as linux/arm64", ""},
	{"platform by another name", in("build: {platforms: [linux/aarch64]}"), "is not a platform by its usual name", ""},
	{"system alone", in("build: {platforms: [linux]}"), "is not a platform by its usual name", ""},
	{"secret", in("build: {secrets: [a/b]}"), "is not the ID of a secret", ""},
	{"cache", in("build: {cache_from: ['']}"), "cache_from[0]: rule \"\" is empty", ""},
	{"output outside", in("build: {outputs: [../x]}"), "has .. in it", ""},
	{"absolute output outside", in("build: {outputs: [/a/../x]}"), "has .. in it: write the path without", ""},
	{"absolute output with many **", in("build: {outputs: [/a/**/b/**/c/**]}"), "has more than two **", ""},
	{"engine", in("build: {engines: [podman]}"), `rule "podman" is not an engine: use docker, buildkit, embedded`, ""},
	{"engines by a pattern", in("build: {engines: ['*']}"), `rule "*" is not an engine`, ""},
	{"address without its engine", in("build: {engines: ['tcp://acme.dev:1']}"), "is not an engine", ""},
	{"address with a path", in("build: {engines: ['docker+tcp://acme.dev:1/x']}"), "is not an engine", ""},
	{"address in capitals", in("build: {engines: ['docker+tcp://Acme.dev:1']}"), "is not an engine", ""},
	{"embedded elsewhere", in("build: {engines: ['embedded+tcp://acme.dev:1']}"), "is not an engine", ""},
	{"key of a build", in("build: {base: []}"), `unknown key "base"`, `did you mean "bases"?`},
	{"network", in("build: {network: open}"), `"open" is not a network`, "use none, default or host"},
	{"push as a string", in("build: {push: 'yes'}"), "is a string, expected true or false", ""},
}

func TestParseProblems(t *testing.T) {
	for _, tt := range wrongPolicies {
		t.Run(tt.name, func(t *testing.T) {
			_, err := capability.Parse("p.yml", []byte(tt.in))
			problems, ok := err.(yamldoc.Problems)
			if !ok || len(problems) != 1 || !strings.Contains(err.Error(), tt.want) || !strings.Contains(problems[0].Hint, tt.hint) {
				t.Errorf("got %v, want %s (%s)", err, tt.want, tt.hint)
			}
		})
	}
}

func TestParseAllTogether(t *testing.T) {
	_, err := capability.Parse("p.yml", []byte("version: 3\nproviders: {x: {exec: [1], env: {pas: []}}}\nmore: 1"))
	if problems, ok := err.(yamldoc.Problems); !ok || len(problems) != 4 {
		t.Errorf("got %v, want four problems", err)
	}
}

func TestDigest(t *testing.T) {
	a, b := parse(t, "version: 1"), parse(t, "version: 1 ")
	if len(a.Digest) != 64 || a.Digest == b.Digest {
		t.Errorf("%s, %s", a.Digest, b.Digest)
	}
}

// FuzzParse wants an answer for anything, and a policy that can be asked.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("version: 1\nproviders: {x: {exec: [[a, '**']]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := capability.Parse("p.yml", data)
		if err != nil {
			if _, ok := err.(yamldoc.Problems); !ok {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		for _, c := range []capability.Claim{command("npm", "run", "dev"), read("a/b"), build(func(*capability.Build) {})} {
			_ = capability.Decide([]*capability.Policy{p}, c).Reason()
		}
	})
}
