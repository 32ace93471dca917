package dockerfile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func uses(t *testing.T, text string, o Options) (Uses, error) {
	t.Helper()
	f, err := Parse("Dockerfile", []byte(text))
	if err != nil {
		return Uses{}, err
	}
	return f.Uses(o)
}

func TestBases(t *testing.T) {
	const library = "docker.io/library/"
	for _, tt := range []struct {
		name, text string
		options    Options
		want       []string
	}{
		{"an image", "FROM node:22", Options{}, []string{library + "node:22"}},
		{"no tag", "from Node.example/a/b", Options{}, []string{"Node.example/a/b:latest"}},
		{"a digest", "FROM a@sha256:" + strings.Repeat("0", 64), Options{}, []string{library + "a@sha256:" + strings.Repeat("0", 64)}},
		{"a tag and a digest", "FROM a:1@sha256:" + strings.Repeat("0", 64), Options{}, []string{library + "a:1@sha256:" + strings.Repeat("0", 64)}},
		{"nothing", "FROM scratch", Options{}, nil},
		{"an ARG's default", "ARG V=22\nFROM node:${V}-slim", Options{}, []string{library + "node:22-slim"}},
		{"an ARG's value", "ARG V=22\nFROM node:$V", Options{Args: map[string]string{"V": "24"}}, []string{library + "node:24"}},
		{"a value without its ARG", "FROM node:${V:-1}", Options{Args: map[string]string{"V": "24"}}, []string{library + "node:1"}},
		{"an ARG without a value", "ARG REGISTRY\nFROM ${REGISTRY}node:22", Options{}, []string{library + "node:22"}},
		{"ARGs of ARGs", "ARG A=x B=$A\nARG C=${B}y\nFROM $C", Options{}, []string{library + "xy:latest"}},
		{"defaults in defaults", "ARG Y=z\nFROM ${X:-${W:-$Y}}", Options{}, []string{library + "z:latest"}},
		{"a value if set", "ARG D=1\nFROM a${D:+-debug}", Options{}, []string{library + "a-debug:latest"}},
		{"a pattern", "ARG V=1.2.3\nFROM a:${V%.*}", Options{}, []string{library + "a:1.2"}},
		{"a replacement", "ARG V=1.2.3\nFROM a:${V//./-}", Options{}, []string{library + "a:1-2-3"}},
		{"quotes", `FROM "node:22"`, Options{}, []string{library + "node:22"}},
		{"another escape", "# escape=`\nARG V=1\nFROM a:`\n$V", Options{}, []string{library + "a:1"}},
		{"a stage", "FROM a AS x\nFROM x", Options{}, []string{library + "a:latest"}},
		{"a stage in another case", "FROM a AS Build\nFROM b\nCOPY --from=BUILD / /", Options{}, []string{library + "a:latest", library + "b:latest"}},
		{"a stage by number", "FROM a\nFROM b\nCOPY --from=0 / /", Options{}, []string{library + "a:latest", library + "b:latest"}},
		{"a stage of that name is gone over", "FROM a AS x\nFROM b AS x\nFROM x", Options{}, []string{library + "b:latest"}},
		{"a stage that is called like an image", "FROM a AS node\nFROM b\nCOPY --from=node / /", Options{}, []string{library + "a:latest", library + "b:latest"}},
		{"a stage that is called scratch", "FROM a AS scratch\nFROM scratch", Options{}, []string{library + "a:latest"}},
		{"what isn't needed", "FROM a AS x\nFROM b AS y\nFROM x", Options{}, []string{library + "a:latest"}},
		{"what isn't needed and can't be known", "FROM img-$BUILDARCH AS x\nFROM a", Options{}, []string{library + "a:latest"}},
		{"a target", "FROM a AS x\nFROM b AS y\nFROM c", Options{Target: "Y"}, []string{library + "b:latest"}},
		{"a target and what it needs", "FROM a AS x\nFROM b AS y\nCOPY --from=x / /\nFROM c", Options{Target: "y"}, []string{library + "a:latest", library + "b:latest"}},
		{"an unknown --from", "FROM scratch\nCOPY --from=nginx:1 /etc /etc", Options{}, []string{library + "nginx:1"}},
		{"quotes in --from", "FROM scratch\nCOPY --from='b' / /", Options{}, []string{library + "b:latest"}},
		{"--from scratch", "FROM scratch\nCOPY --from=scratch / /", Options{}, nil},
		{"a mount", "FROM scratch\nRUN --mount=type=bind,from=golang:1,target=/go x", Options{}, []string{library + "golang:1"}},
		{"a mount of a kind that has no source", "FROM scratch\nRUN --mount=type=tmpfs,target=/t,from=golang:1 x", Options{}, []string{library + "golang:1"}},
		{"a mount from a stage", "FROM a AS x\nFROM scratch\nRUN --mount=from=X,target=/go x", Options{}, []string{library + "a:latest"}},
		{"a mount by number is an image", "FROM a AS x\nFROM scratch\nRUN --mount=from=0,target=/go x", Options{}, []string{library + "0:latest"}},
		{"a mount from nothing", "FROM scratch\nRUN --mount=type=cache,target=/c x", Options{}, nil},
		{"a mount from nothing that is a stage", "FROM b AS scratch\nFROM a\nRUN --mount=type=secret,id=s x", Options{}, []string{library + "a:latest", library + "b:latest"}},
		{"mounts and an image twice", "FROM b\nRUN --mount=from=c,target=/x --mount=from=b,target=/y x", Options{}, []string{library + "b:latest", library + "c:latest"}},
		{"a trigger", "FROM a AS x\nONBUILD COPY --from=b / /\nFROM x", Options{}, []string{library + "a:latest", library + "b:latest"}},
		{"a trigger that nobody pulls", "FROM a AS x\nONBUILD COPY --from=b / /\nFROM a", Options{}, []string{library + "a:latest"}},
		{"a trigger's own stage", "FROM a AS x\nONBUILD COPY --from=b / /", Options{}, []string{library + "a:latest"}},
		{"a trigger doesn't reach the next stage", "FROM scratch AS x\nONBUILD COPY --from=b / /\nFROM x AS y\nFROM y", Options{}, []string{library + "b:latest"}},
		{"a platform", "FROM --platform=$BUILDPLATFORM a", Options{}, []string{library + "a:latest"}},
		{"the platform in a name", "FROM a-$TARGETARCH$TARGETVARIANT", Options{Platform: "linux/arm/v7"}, []string{library + "a-armv7:latest"}},
		{"the engine's platform in a name", "FROM a-$BUILDARCH", Options{BuildPlatform: "linux/amd64"}, []string{library + "a-amd64:latest"}},
		{"a platform that is given", "FROM a-$BUILDARCH", Options{Args: map[string]string{"BUILDARCH": "z"}}, []string{library + "a-z:latest"}},
		{"the target's name", "FROM a-$TARGETSTAGE AS x", Options{}, []string{library + "a-x:latest"}},
		{"heredocs", "FROM scratch\nCOPY <<EOF /x\nFROM b\nCOPY --from=c / /\nEOF\nRUN <<EOF\nFROM d\nEOF", Options{}, nil},
		{"comments and continuations", "FROM \\\n# FROM x\n a\n# FROM b", Options{}, []string{library + "a:latest"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := uses(t, tt.text, tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Bases, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("bases (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUses(t *testing.T) {
	const text = `# syntax=docker/dockerfile:1
FROM golang:1 AS build
ARG ID=token
ADD https://example.com/a.tgz https://github.com/a/b.git#main ./local git@github.com:a/c.git /src/
RUN --network=none --mount=type=secret,id=$ID --mount=type=secret,target=/x/key --mount=type=cache,target=/c make
RUN --security=insecure --network=host --mount=type=ssh make
RUN make
FROM scratch
COPY --from=build / /
`
	got, err := uses(t, text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := Uses{
		Bases:    []string{"docker.io/library/golang:1"},
		Syntax:   "docker.io/docker/dockerfile:1",
		Remotes:  []string{"git@github.com:a/c.git", "https://example.com/a.tgz", "https://github.com/a/b.git#main"},
		Networks: []string{"host", "none"}, Insecure: []int{6},
		Mounts: []string{"cache", "secret", "ssh"}, Secrets: []string{"key", "token"}, Runs: true,
		Takes: []Take{{Name: "ADD", Line: 4, Path: "local"}},
		Lines: map[string]int{
			"docker.io/library/golang:1": 2, "docker.io/docker/dockerfile:1": 1,
			"git@github.com:a/c.git": 4, "https://example.com/a.tgz": 4, "https://github.com/a/b.git#main": 4,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// A build that needs less reports less.
	got, err = uses(t, "FROM a AS x\nRUN --network=host y\nFROM scratch", Options{})
	if diff := cmp.Diff(Uses{Lines: map[string]int{}}, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestSyntax(t *testing.T) {
	for _, tt := range []struct {
		text, arg, want string
		line            int
	}{
		{"# syntax=docker/dockerfile:1.4\nFROM a", "", "docker.io/docker/dockerfile:1.4", 1},
		{"#syntax = r.io/x options\nFROM a", "", "r.io/x:latest", 1},
		{"# escape=\\\n# SYNTAX=x\nFROM a", "", "docker.io/library/x:latest", 2},
		{"\ufeff# syntax=x\nFROM a", "", "docker.io/library/x:latest", 1},
		{"# a comment\n# syntax=x\nFROM a", "", "", 0},
		{"FROM a\n# syntax=x", "", "", 0},
		{"# syntax=x\nFROM a", " y:2 more", "docker.io/library/y:2", 0},
		{"FROM a", "y", "docker.io/library/y:latest", 0},
	} {
		o := Options{}
		if tt.arg != "" {
			o.Args = map[string]string{"BUILDKIT_SYNTAX": tt.arg}
		}
		got, err := uses(t, tt.text, o)
		if err != nil || got.Syntax != tt.want || got.Lines[tt.want] != tt.line {
			t.Errorf("%q: got %q, line %d, %v", tt.text, got.Syntax, got.Lines[got.Syntax], err)
		}
	}
}

func TestUsesErrors(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		options    Options
		want       string
	}{
		{"nothing", "", Options{}, "Dockerfile: "},
		{"no FROM", "ARG A", Options{}, "Dockerfile: it has no FROM"},
		{"before FROM", "RUN x\nFROM a", Options{}, "Dockerfile:1: no build stage"},
		{"an unknown instruction", "FROM a\n\nFOO x", Options{}, "Dockerfile:3: unknown instruction: FOO"},
		{"an unknown flag", "FROM a\nCOPY --form=b / /", Options{}, "Dockerfile:2: unknown flag: --form"},
		{"an open heredoc", "FROM a\nCOPY <<EOF /", Options{}, "Dockerfile:2: unterminated heredoc"},
		{"a FROM of nothing", "ARG A\nFROM $A", Options{}, "Dockerfile:2: FROM $A expands to nothing: give its ARG a value"},
		{"a FROM that is not a reference", "ARG A\nFROM node:$A", Options{}, `Dockerfile:2: image "node:"`},
		{"a stage in the wrong case", "FROM a AS x\nFROM X", Options{}, `Dockerfile:2: image "X"`},
		{"a demand", "FROM ${A:?set A}", Options{}, "Dockerfile:1: "},
		{"the engine's platform", "FROM a-$BUILDARCH", Options{Platform: "linux/arm64"}, "Dockerfile:1: BUILDARCH depends on the builder"},
		{"an ARG of the stage before, over an image", "FROM a AS x\nARG A=http://arg/\nFROM x\nADD $A /", Options{}, "Dockerfile:4: this is unknown before the build: A may be set by the base image"},
		{"by way of an ARG", "ARG X=$TARGETARCH\nFROM a-$X", Options{}, "Dockerfile:2: TARGETARCH depends on the builder, unless --platform gives the platform of the image"},
		{"by way of a default", "FROM a${TARGETVARIANT:-x}", Options{}, "Dockerfile:1: TARGETVARIANT depends on"},
		{"a variable in --from", "FROM a\nCOPY --from=$X / /", Options{}, "Dockerfile:2: --from does not expand variables"},
		{"a variable in a mount", "FROM a\nRUN --mount=from=$X,target=/x y", Options{}, "Dockerfile:2: 'from' doesn't support variable expansion"},
		{"a later stage", "FROM a\nCOPY --from=x / /\nFROM b AS x\nFROM c\nCOPY --from=0 / /", Options{}, "Dockerfile:2: --from=x names a stage that comes later"},
		{"a later stage in a mount", "FROM a\nRUN --mount=from=x,target=/x y\nFROM b AS x\nFROM c\nCOPY --from=0 / /", Options{}, "Dockerfile:2: --from=x names a stage that comes later"},
		{"itself", "FROM a AS x\nCOPY --from=x / /", Options{}, "Dockerfile:1: circular dependency detected on stage: x"},
		{"each other", "FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /\nFROM c", Options{}, "Dockerfile:1: circular dependency detected on stage: x"},
		{"a number too high", "FROM a\nCOPY --from=1 / /", Options{}, "Dockerfile:2: --from=1: there are 1 stages"},
		{"a --from that is not a reference", "FROM a\nCOPY --from=A / /", Options{}, `Dockerfile:2: image "A"`},
		{"no such target", "FROM a AS x", Options{Target: "y"}, `Dockerfile: it has no stage "y"`},
		{"a target by number", "FROM a\nFROM b", Options{Target: "0"}, `Dockerfile: it has no stage "0"`},
		{"an ADD by the image's variable", "FROM a\nADD $SOURCE /x", Options{}, "Dockerfile:2: this is unknown before the build: SOURCE may be set by the base image"},
		{"an ADD by way of an ENV", "FROM a AS b\nENV X=${Y}z\nFROM b\nADD $X /x", Options{}, "Dockerfile:4: this is unknown before the build: Y may be set by the base image"},
		{"a trigger's source", "FROM a AS x\nONBUILD COPY --from=B / /\nFROM x", Options{}, `Dockerfile:2: image "B"`},
		{"a platform", "FROM --platform=a/b/c/d/e x", Options{}, "Dockerfile:1: "},
		{"the build's platform", "FROM a", Options{Platform: "linux/"}, `Dockerfile: platform "linux/"`},
		{"a syntax", "# syntax=A\nFROM a", Options{}, `Dockerfile:1: syntax "A"`},
		{"a date by a stage", "FROM scratch AS x\nADD https://a /\nFROM a", Options{Args: map[string]string{"SOURCE_DATE_EPOCH": "x"}}, `Dockerfile: SOURCE_DATE_EPOCH: "x" is not a number of seconds`},
		{"too much", "FROM a\n#" + strings.Repeat("x", sizeLimit), Options{}, "Dockerfile: it is larger than 1 MiB"},
		{"too many instructions", "FROM a\n" + strings.Repeat("USER a\n", instructionLimit), Options{}, "Dockerfile:10001: it has 10001 instructions"},
		{"too many stages", strings.Repeat("FROM a\n", stageLimit+1), Options{}, "Dockerfile:201: it has 201 stages"},
		{"too many braces", "FROM a\nENV A " + strings.Repeat("${", braceLimit+1), Options{}, "Dockerfile: it has 1001 ${"},
		{"too many triggers", "FROM a AS x\n" + strings.Repeat("ONBUILD USER a\n", 5000) + strings.Repeat("FROM x\n", 3), Options{}, "Dockerfile:5004: ONBUILD adds more than"},
		{"control characters", "FROM a\nFO\x1b[31mO", Options{}, "Dockerfile:2: unknown instruction: FOO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := uses(t, tt.text, tt.options)
			if _, ok := errors.AsType[*Error](err); !ok || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestRemotesOfVariables has a variable that is set in more than one way.
func TestRemotesOfVariables(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"ENV after ARG", "FROM scratch\nARG A=http://arg/\nENV A=http://env/\nADD $A /", "http://env/"},
		{"ARG after ENV", "FROM scratch\nENV A=http://env/\nARG A=http://arg/\nADD $A /", "http://arg/"},
		{"ARG after ENV, in the stage before", "FROM scratch AS x\nENV A=http://env/\nARG A=http://arg/\nFROM x\nADD $A /", "http://env/"},
		{"ENV two stages before", "FROM scratch AS x\nENV A=http://env/\nFROM x AS y\nARG A=http://arg/\nFROM y\nADD $A /", "http://env/"},
		{"ARG in the stage before", "FROM scratch AS x\nARG A=http://arg/\nFROM x\nADD $A /", "http://arg/"},
		{"an ARG that sets no variable", "FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE=http://arg/\nADD ${BUILDKIT_SBOM_SCAN_STAGE:-http://default/} /", "http://default/"},
	} {
		got, err := uses(t, tt.text, Options{})
		if err != nil || !slices.Equal(got.Remotes, []string{tt.want}) {
			t.Errorf("%s: got %q, %v", tt.name, got.Remotes, err)
		}
	}
}

// TestUsesForAll has an image for each platform.
func TestUsesForAll(t *testing.T) {
	f, err := Parse("Dockerfile", []byte("FROM a-$TARGETARCH\nRUN --security=insecure x"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.UsesForAll(Options{}, []string{"linux/amd64", "linux/arm64"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"docker.io/library/a-amd64:latest", "docker.io/library/a-arm64:latest"}; !slices.Equal(got.Bases, want) || len(got.Insecure) != 1 {
		t.Errorf("got %+v", got)
	}
}

// TestUsesKnownAfterAll has what looks unknown and is not.
func TestUsesKnownAfterAll(t *testing.T) {
	for _, text := range []string{
		"FROM a\nENV X=1\nADD $X /x",
		"FROM a\nARG X=1\nADD $X /x",
		"FROM a\nADD ./$X /src/$X /x",
		"FROM a\nENV X=$Y\nENV X=2\nADD $X /x",
		"FROM scratch\nADD a$X /x",
		"FROM a\nENV PATH=$PATH:/x\nLABEL a=$B\nCOPY $X /",
		"ARG X=1\nFROM a\nARG X\nADD $X /x",
	} {
		if _, err := uses(t, text, Options{}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMisread(t *testing.T) {
	for text, want := range map[string]Misread{
		"FROM scratch\nCOPY a /\n":                                         {},
		"FROM scratch\n# <<E\nENV a=<<E\nCMD echo <<E\n":                   {},
		"FROM scratch\nCOPY a /\nCOPY <<E /a\nx\nE\nRUN <<E\nx\nE\n":       {Heredoc: 3},
		"FROM scratch\nONBUILD RUN <<E\nx\nE\n":                            {Heredoc: 2},
		"FROM scratch AS other\nRUN <<CMD\nFROM a\nCMD\nFROM scratch\n":    {Heredoc: 2},
		"FROM scratch\nADD \\\n  a \\\n  <<E /\nFROM a\nE\nENV a=b\n":      {Heredoc: 2},
		"# syntax=docker/dockerfile:1\nFROM scratch\nRUN 3<<E cat\nx\nE\n": {Heredoc: 3},

		"ARG A=1\nARG A\nFROM a:$A\n":                     {ArgAgain: 2},
		"ARG A=1 B=2\nARG C B\nFROM a\n":                  {ArgAgain: 2},
		"ARG A\nARG A=1\nFROM a:$A\n":                     {},
		"ARG A=1\nARG A=2\nFROM a:$A\n":                   {},
		"ARG GIVEN=1\nARG GIVEN\nFROM a:$GIVEN\n":         {},
		"ARG TARGETARCH\nARG TARGETARCH\nFROM scratch\n":  {},
		"ARG A=1\nFROM scratch\nARG A\nARG A\nLABEL a=$A": {},

		"FROM a AS x\nFROM b AS x\nFROM x\n":                                   {StageAgain: 2},
		"FROM a AS x\nFROM b AS X\nFROM scratch\n":                             {StageAgain: 2},
		"FROM a AS x\nFROM x AS y\nFROM y\n":                                   {},
		"FROM a AS Base\nFROM base\n":                                          {StageCase: 2},
		"FROM --platform=linux/arm64 a as Base\nFROM base\n":                   {StageCase: 2},
		"ARG A=base\nFROM a AS BASE\nFROM $A\n":                                {StageCase: 3},
		"FROM a AS Base\nFROM b\nCOPY --from=base / /\n":                       {StageCase: 2},
		"FROM a AS base\nFROM b\nRUN --mount=from=Base,target=/x x\n":          {StageCase: 2},
		"FROM a AS Base\nFROM b\nCOPY --from=Base / /\nCOPY --from=0 / /\n":    {},
		"FROM a AS \\\n# a comment\n  base\nFROM base\nCOPY --from=base . /\n": {},
	} {
		f, err := Parse("Dockerfile", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		uses, err := f.Uses(Options{BuildPlatform: "linux/amd64", Args: map[string]string{"GIVEN": "2"}})
		if err != nil || uses.Misread != want {
			t.Errorf("%q: %+v, %v, want %+v", text, uses.Misread, err, want)
		}
	}
}
