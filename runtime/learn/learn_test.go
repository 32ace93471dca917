package learn_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
)

func command(words ...string) capability.Claim {
	return capability.Claim{Operation: "exec", Provider: "generic", Exec: &capability.Exec{Argv: words, Program: "/usr/bin/x", Dir: "."}}
}

func with(c capability.Claim, uses ...capability.EnvUse) capability.Claim {
	c.Env = uses
	return c
}

func look(names ...string) capability.Claim {
	c := capability.Claim{Operation: "env_status", Provider: "generic"}
	for _, name := range names {
		c.Env = append(c.Env, capability.EnvUse{Name: name, Use: capability.Look})
	}
	return c
}

func read(path string) capability.Claim {
	return capability.Claim{Operation: "read_file", Provider: "generic", Files: []capability.FileUse{{Path: path}}}
}

func load(path string) capability.Claim {
	return capability.Claim{Operation: "exec", Provider: "generic", Files: []capability.FileUse{{Path: path, Use: capability.Load}}}
}

func connect(port int) capability.Claim {
	return capability.Claim{Operation: "probe", Provider: "generic", Net: []capability.NetUse{{Port: port}}}
}

func build(change func(*capability.Build)) capability.Claim {
	b := &capability.Build{Context: "backend", Dockerfile: "backend/Dockerfile", Tags: []string{"shop:1"}}
	change(b)
	return capability.Claim{Operation: "docker_build", Provider: "generic", Build: b}
}

func as(provider string, c capability.Claim) capability.Claim {
	c.Provider = provider
	return c
}

var say = capability.Claim{Operation: "log", Provider: "generic", Log: true}

// project is the directories of a project with the names of their files.
type project map[string][]string

// files are the project as a file system.
func (p project) files() fs.FS {
	all := make(fstest.MapFS)
	for dir, names := range p {
		all[dir] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
		for _, name := range names {
			all[path.Join(dir, name)] = &fstest.MapFile{}
		}
	}
	delete(all, ".")
	return all
}

func learnt(t testing.TB, files fs.FS, claims ...capability.Claim) *learn.Learnt {
	t.Helper()
	got, err := learn.Policy(claims, nil, learn.Options{Project: files})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPolicy(t *testing.T) {
	files := project{
		".": {"a", "b"}, "src": {"a.ts", "b.ts"}, "src/one": {"x"}, "st*r": {"a", "b"}, "empty": {}, "three": {"a", "b", "c"},
	}
	for _, tt := range []struct {
		name   string
		claims []capability.Claim
		want   string // below "providers:"
	}{
		{"nothing", nil, " {}\n"},
		{"log alone", []capability.Claim{say}, "\n  generic: {}\n"},
		{"log and more", []capability.Claim{say, command("npm", "ci")}, "\n  generic:\n    exec:\n      - npm ci\n"},
		{"sorted, once", []capability.Claim{command("npm", "test"), command("npm", "ci"), command("npm", "test"), command("sh", "-c", "a b")},
			"\n  generic:\n    exec:\n      - [sh, \"-c\", a b]\n      - npm ci\n      - npm test\n"},
		{"providers", []capability.Claim{as("zed", command("npm")), as("1", say), as("generic", look("A"))},
			"\n  \"1\": {}\n  generic:\n    env:\n      read:\n        - A\n  zed:\n    exec:\n      - npm\n"},
		{"read of a passed variable", []capability.Claim{look("A", "B"), with(command("npm"), capability.EnvUse{Name: "A", Use: capability.Pass})},
			"\n  generic:\n    exec:\n      - npm\n    env:\n      pass:\n        - A\n      read:\n        - B\n"},
		{"star", []capability.Claim{command("npx", "*.ts"), command("npx", "a.ts")},
			"\n  generic:\n    exec:\n      - [npx, \"*.ts\"] # * allows any characters and cannot be escaped\n"},
		{"all files of a directory", []capability.Claim{read("src/a.ts"), read("src/b.ts")},
			"\n  generic:\n    files:\n      read:\n        - \"src/*\" # all files of the directory were read\n"},
		{"the directory too", []capability.Claim{read("src/a.ts"), read("src/b.ts"), read("src")},
			"\n  generic:\n    files:\n      read:\n        - \"src/*\" # all files of the directory were read\n        - src\n"},
		{"a directory below needs its own", []capability.Claim{read("src/a.ts"), read("src/b.ts"), read("src/one/x")},
			"\n  generic:\n    files:\n      read:\n        - \"src/*\" # all files of the directory were read\n        - src/one/x\n"},
		{"a missing file", []capability.Claim{read("src/a.ts"), read("src/b.ts"), read("src/c.ts")},
			"\n  generic:\n    files:\n      read:\n        - \"src/*\" # all files of the directory were read\n"},
		{"one file is not read", []capability.Claim{read("src/a.ts"), read("src/c.ts")},
			"\n  generic:\n    files:\n      read:\n        - src/a.ts\n        - src/c.ts\n"},
		{"one file is written", []capability.Claim{
			read("three/a"), read("three/b"), {Operation: "exec", Provider: "generic", Files: []capability.FileUse{{Path: "three/c", Use: capability.Write}}},
		}, "\n  generic:\n    files:\n      read:\n        - three/a\n        - three/b\n      write:\n        - three/c\n"},
		{"the only file", []capability.Claim{read("src/one/x"), read("src/one/gone")},
			"\n  generic:\n    files:\n      read:\n        - src/one/gone\n        - src/one/x\n"},
		{"no files", []capability.Claim{read("empty/a"), read("empty/b")},
			"\n  generic:\n    files:\n      read:\n        - empty/a\n        - empty/b\n"},
		{"no such directory", []capability.Claim{read("gone/a"), read("gone/b")},
			"\n  generic:\n    files:\n      read:\n        - gone/a\n        - gone/b\n"},
		{"root, where dotenv files come to be", []capability.Claim{read("a"), read("b"), read(".")},
			"\n  generic:\n    files:\n      read:\n        - .\n        - a\n        - b\n"},
		{"part of the root", []capability.Claim{read("a"), read(".")},
			"\n  generic:\n    files:\n      read:\n        - .\n        - a\n"},
		{"a directory that a rule cannot name", []capability.Claim{read("st*r/a"), read("st*r/b")},
			"\n  generic:\n    files:\n      read:\n        - \"st*r/a\" # * allows any characters and cannot be escaped\n" +
				"        - \"st*r/b\" # * allows any characters and cannot be escaped\n"},
		{"by another provider", []capability.Claim{read("src/a.ts"), as("zed", read("src/b.ts"))},
			"\n  generic:\n    files:\n      read:\n        - src/a.ts\n  zed:\n    files:\n      read:\n        - src/b.ts\n"},
		{"written files", []capability.Claim{
			{Operation: "exec", Provider: "generic", Files: []capability.FileUse{{Path: "src/a.ts", Use: capability.Write}, {Path: "src/b.ts", Use: capability.Write}}},
		}, "\n  generic:\n    files:\n      write:\n        - src/a.ts\n        - src/b.ts\n"},
		{"loaded files", []capability.Claim{load("src/a.ts"), load("src/b.ts")},
			"\n  generic:\n    files:\n      env:\n        - src/a.ts\n        - src/b.ts\n"},
		{"one file is loaded", []capability.Claim{read("src/a.ts"), load("src/b.ts")},
			"\n  generic:\n    files:\n      read:\n        - src/a.ts\n      env:\n        - src/b.ts\n"},
		{"load of a file that is read", []capability.Claim{read("src/a.ts"), load("src/a.ts"), load(".env")},
			"\n  generic:\n    files:\n      read:\n        - src/a.ts\n      env:\n        - .env\n"},
		{"load of a file that is read in a directory", []capability.Claim{read("src/a.ts"), read("src/b.ts"), load("src/b.ts")},
			"\n  generic:\n    files:\n      read:\n        - \"src/*\" # all files of the directory were read\n"},
		{"all uses of files", []capability.Claim{
			connect(4000), {Operation: "exec", Provider: "generic", Files: []capability.FileUse{{Path: "c", Use: capability.Write}, {Path: "b", Use: capability.Load}, {Path: "a"}}},
		}, "\n  generic:\n    files:\n      read:\n        - a\n      env:\n        - b\n      write:\n        - c\n    net:\n      connect:\n        - 4000\n"},
		{"ports", []capability.Claim{connect(4001), connect(4000), connect(4001), as("zed", connect(1))},
			"\n  generic:\n    net:\n      connect:\n        - 4000\n        - 4001\n  zed:\n    net:\n      connect:\n        - 1\n"},
		{"build", []capability.Claim{build(func(*capability.Build) {})},
			"\n  generic:\n    build:\n      contexts:\n        - backend\n      tags:\n        - \"shop:1\"\n      targets: []\n"},
		{"build without a network", []capability.Claim{build(func(b *capability.Build) { b.Network, b.Target = "none", "prod" })},
			"\n  generic:\n    build:\n      contexts:\n        - backend\n      tags:\n        - \"shop:1\"\n      targets:\n        - prod\n      network: none\n"},
		{"build with all", []capability.Claim{
			build(func(b *capability.Build) { b.Network = "none" }),
			build(func(b *capability.Build) {
				b.Network, b.Args, b.Push, b.Dockerfile = "host", []string{"V"}, true, "docker/Dockerfile"
			}),
		}, "\n  generic:\n    files:\n      read:\n        - docker/Dockerfile\n    build:\n      contexts:\n        - backend\n      tags:\n        - \"shop:1\"\n" +
			"      args:\n        - V\n      targets: []\n      network: host\n      push: true\n"},
		{"build of an engine", []capability.Claim{build(func(b *capability.Build) { b.Engine = "embedded" })},
			"\n  generic:\n    build:\n      contexts:\n        - backend\n      tags:\n        - \"shop:1\"\n      targets: []\n      bases: []\n      platforms: []\n"},
		{"build with all texts", []capability.Claim{build(func(b *capability.Build) {
			b.Engine, b.Bases, b.Syntax = "docker", []string{"docker.io/library/node:22", "docker.io/library/go:1"}, "docker.io/d/d:1@sha256:"+digest
			b.Remotes, b.Platforms, b.Secrets, b.Outputs = []string{"https://acme.dev/*"}, []string{"linux/arm64"}, []string{"npm"}, []string{"oci:dist"}
			b.Layouts = []string{"oci:vendor"}
			b.CacheFrom, b.CacheTo, b.Load = []string{"ghcr.io/a/c:1"}, []string{"ghcr.io/a/c:2"}, true
		})}, "\n  generic:\n    build:\n      contexts:\n        - backend\n      tags:\n        - \"shop:1\"\n      targets: []\n" +
			"      bases:\n        - \"docker.io/library/go:1\"\n        - \"docker.io/library/node:22\"\n      layouts:\n        - vendor\n      syntax:\n        - \"docker.io/d/d@sha256:" + digest + "\"\n" +
			"      remotes:\n        - \"https://acme.dev/*\" # * allows any characters and cannot be escaped\n      platforms:\n        - linux/arm64\n      secrets:\n        - npm\n" +
			"      cache_from:\n        - \"ghcr.io/a/c:1\"\n      cache_to:\n        - \"ghcr.io/a/c:2\"\n      outputs:\n        - dist\n"},
		{"engines elsewhere and here", []capability.Claim{
			build(func(b *capability.Build) { b.Engine, b.EngineAddress = "buildkit", "tcp://b:1" }), build(func(b *capability.Build) { b.Engine = "docker" }),
			build(func(b *capability.Build) { b.Engine = "embedded" }),
		}, "\n  generic:\n    build:\n      contexts:\n        - backend\n      tags:\n        - \"shop:1\"\n      targets: []\n      bases: []\n      platforms: []\n" +
			"      engines:\n        - \"buildkit+tcp://b:1\"\n        - docker\n        - embedded\n"},
		{"Dockerfile in another's context", []capability.Claim{
			build(func(b *capability.Build) { b.Dockerfile = "docker/Dockerfile" }),
			build(func(b *capability.Build) { b.Context, b.Dockerfile = "docker", "docker/Dockerfile" }),
		}, "\n  generic:\n    build:\n      contexts:\n        - backend\n        - docker\n      tags:\n        - \"shop:1\"\n      targets: []\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := learnt(t, files.files(), tt.claims...)
			_, below, _ := strings.Cut(got.Policy, "providers:")
			if below != tt.want {
				t.Errorf("got\n%s\nwant\n%s", below, tt.want)
			}
			if len(got.Left) > 0 {
				t.Errorf("left %v", got.Left)
			}
			backwards := slices.Clone(tt.claims)
			slices.Reverse(backwards)
			if again := learnt(t, files.files(), backwards...); again.Policy != got.Policy {
				t.Errorf("the order of claims matters:\n%s", again.Policy)
			}
		})
	}
}

const digest = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// TestEarlierBuilds: builds that do not name their base images are left out if others do,
// whose rules would deny them.
func TestEarlierBuilds(t *testing.T) {
	old := build(func(*capability.Build) {})
	told := build(func(b *capability.Build) { b.Engine, b.Bases = "docker", []string{"docker.io/library/node:22"} })
	got := learnt(t, nil, old, told, as("other", old))
	if len(got.Left) != 1 || got.Left[0].Claim.Provider != "generic" || !strings.Contains(got.Left[0].Reason, "recorded by an earlier version") {
		t.Errorf("left %v", got.Left)
	}
	if _, other, _ := strings.Cut(got.Policy, "other:"); !strings.Contains(other, "contexts") || strings.Contains(other, "bases") {
		t.Errorf("got\n%s", got.Policy)
	}
}

func TestHead(t *testing.T) {
	for want, claims := range map[string][]capability.Claim{
		"# Learnt by stagecraft policy learn from 0 calls. Read it before you commit it.\nversion: 1\n": nil,
		"# Learnt by stagecraft policy learn from 1 call. Read it before you commit it.\nversion: 1\n":  {say},
		"# Learnt by stagecraft policy learn from 2 calls. Read it before you commit it.\nversion: 1\n": {say, say},
	} {
		if got := learnt(t, nil, claims...); !strings.HasPrefix(got.Policy, want) {
			t.Errorf("got\n%s\nwant\n%s", got.Policy, want)
		}
	}
}

// TestDirectoryHalfListed has a directory that may have more files than were listed.
func TestDirectoryHalfListed(t *testing.T) {
	half := halfListed{project{"src": {"a", "b"}}.files()}
	if got := learnt(t, half, read("src/a"), read("src/b")); strings.Contains(got.Policy, "*") {
		t.Errorf("got\n%s", got.Policy)
	}
}

// halfListed is a file system whose directories cannot be listed to the end.
type halfListed struct{ fs.FS }

func (h halfListed) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, _ := fs.ReadDir(h.FS, name)
	return entries, fs.ErrPermission
}

func TestNoDirectories(t *testing.T) {
	got := learnt(t, nil, read("src/a"), read("src/b"))
	if want := "      read:\n        - src/a\n        - src/b\n"; !strings.HasSuffix(got.Policy, want) {
		t.Errorf("got\n%s\nwant\n%s", got.Policy, want)
	}
}

func TestLeft(t *testing.T) {
	gone := command("../x")
	gone.Exec.Program = ""
	for want, c := range map[string]capability.Claim{
		"the program does not exist":               gone,
		"LD_* cannot be named in full":             with(command("npm"), capability.EnvUse{Name: "LD_*"}),
		`"a/../b" is not a clean path`:             read("a/../b"),
		"it asks for nothing":                      {Operation: "exec", Provider: "generic"},
		`"No ID" is not a provider ID`:             as("No ID", say),
		`"*" is not a provider`:                    as("*", say),
		`"a: {}\n  b" is not a provider ID`:        as("a: {}\n  b", say),
		"a policy cannot name it: \"\\xff\" is no": as("\xff", say),
	} {
		got := learnt(t, nil, c, command("npm", "ci"), c)
		if len(got.Left) != 1 || !strings.Contains(got.Left[0].Reason, want) {
			t.Errorf("got %v, want %s once", got.Left, want)
		}
		if !strings.HasSuffix(got.Policy, "providers:\n  generic:\n    exec:\n      - npm ci\n") {
			t.Errorf("%s: got\n%s", want, got.Policy)
		}
	}
}

// TestBytes has claims that JSON would take for one.
func TestBytes(t *testing.T) {
	got := learnt(t, nil, command("x", "a\xff"), command("x", "b\xff"), command("x", "a\xfe"))
	want := "    exec:\n      - [x, \"a*\"] # * allows any characters and cannot be escaped\n" +
		"      - [x, \"b*\"] # * allows any characters and cannot be escaped\n"
	if !strings.HasSuffix(got.Policy, want) {
		t.Errorf("got\n%s\nwant\n%s", got.Policy, want)
	}
}

func TestTooLarge(t *testing.T) {
	_, err := learn.Policy([]capability.Claim{command("npm", strings.Repeat("x", 1<<20))}, nil, learn.Options{})
	if err == nil || !strings.Contains(err.Error(), "cannot write what was learnt as a policy: the learnt policy: the file has more than") {
		t.Errorf("got %v", err)
	}
}
