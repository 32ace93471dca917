package main

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

type config struct {
	Dev struct {
		Command []string          `json:"command"`
		Workdir string            `json:"workdir"`
		Env     map[string]string `json:"env"`
		// Interactive leaves Ctrl-C to the program.
		Interactive bool `json:"interactive"`
	} `json:"dev"`
	Build build `json:"build"`

	has map[string]any // the existing sections
}

type check func(*config) []abi.Problem

// parse decodes the configuration and returns the problems of all checks together.
func parse(decode func(any) error, checks ...check) (*config, error) {
	var c config
	if err := decode(&c); err != nil {
		return nil, err
	}
	if err := decode(&c.has); err != nil {
		return nil, err
	}
	var problems []abi.Problem
	for _, check := range checks {
		problems = append(problems, check(&c)...)
	}
	if len(problems) > 0 {
		return nil, abi.Invalid(problems...)
	}
	return &c, nil
}

// onlyBuilds reports whether build is configured and dev is not.
func (c *config) onlyBuilds() bool {
	_, runs := c.has["dev"]
	_, builds := c.has["build"]
	return builds && !runs
}

// checkSections checks dev, which is optional beside build.
func (c *config) checkSections() []abi.Problem {
	if c.onlyBuilds() {
		return nil
	}
	return c.checkDev()
}

func (c *config) checkDev() []abi.Problem {
	switch {
	case c.onlyBuilds():
		return []abi.Problem{{
			Pointer: "/dev", Message: "is required",
			Hint: `add the program and its arguments: dev: {command: ["npm", "run", "dev"]}`,
		}}
	case len(c.Dev.Command) == 0:
		return []abi.Problem{{
			Pointer: "/dev/command", Message: "is required",
			Hint: `give the program and its arguments as a list: command: ["npm", "run", "dev"]`,
		}}
	case c.Dev.Command[0] == "":
		return []abi.Problem{{Pointer: "/dev/command/0", Message: "is an empty string, expected a program"}}
	}
	return nil
}

func (c *config) checkPaths() []abi.Problem {
	var problems []abi.Problem
	for _, p := range []struct{ pointer, path string }{
		{"/dev/workdir", c.Dev.Workdir},
		{"/build/dockerfile", c.Build.Dockerfile},
		{"/build/context", c.Build.Context},
	} {
		if leaves(p.path) {
			problems = append(problems, abi.Problem{
				Pointer: p.pointer, Message: `"` + p.path + `" leaves the project directory`,
				Hint: "give a path below the directory of stagecraft.yml",
			})
		}
	}
	return problems
}

// leaves reports whether a path leaves the project. The host checks links too.
func leaves(p string) bool {
	clean := path.Clean(p)
	return path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../")
}

// build is the section build of the configuration.
type build struct {
	Dockerfile string            `json:"dockerfile"`
	Context    string            `json:"context"`
	Target     string            `json:"target"`
	Args       map[string]string `json:"args"`
	Labels     map[string]string `json:"labels"`
	Platforms  []string          `json:"platforms"`
	Secrets    map[string]secret `json:"secrets"`
	CacheFrom  []string          `json:"cache_from"`
	CacheTo    []string          `json:"cache_to"`
	Network    string            `json:"network"`
}

// secret is the source of a secret: a variable of the dotenv files or the environment.
type secret struct {
	Env   string   `json:"env"`
	Files []string `json:"files"`
}

func (c *config) checkBuild() []abi.Problem {
	var problems []abi.Problem
	add := func(pointer, message, hint string) {
		problems = append(problems, abi.Problem{Pointer: pointer, Message: message, Hint: hint})
	}
	b := &c.Build
	if !slices.Contains([]string{"", "none", "default", "host"}, b.Network) {
		add("/build/network", "unknown network "+strconv.Quote(b.Network), "expected none, default or host")
	}
	for name, names := range map[string]map[string]string{"args": b.Args, "labels": b.Labels} {
		for _, key := range slices.Sorted(maps.Keys(names)) {
			if key == "" || strings.ContainsAny(key, "=\x00\r\n") {
				add(abi.UnderPointer("/build/"+name, key), "its name is empty or contains = or a line break", "")
			}
		}
	}
	for name, list := range map[string][]string{"platforms": b.Platforms, "cache_from": b.CacheFrom, "cache_to": b.CacheTo} {
		for i, text := range list {
			if text == "" {
				add("/build/"+name+"/"+strconv.Itoa(i), "is empty", "")
			}
		}
	}
	slices.SortFunc(problems, func(a, b abi.Problem) int { return strings.Compare(a.Pointer, b.Pointer) })
	return append(problems, b.checkSecrets()...)
}

const secretLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

func (b *build) checkSecrets() []abi.Problem {
	var problems []abi.Problem
	for _, id := range slices.Sorted(maps.Keys(b.Secrets)) {
		at := abi.UnderPointer("/build/secrets", id)
		if id == "" || strings.Trim(id, secretLetters) != "" {
			problems = append(problems, abi.Problem{Pointer: at, Message: "is not a secret ID", Hint: "use letters, digits, _, . and -"})
		}
		if b.Secrets[id].Env == "" {
			problems = append(problems, abi.Problem{Pointer: at + "/env", Message: "is required", Hint: "name the variable that has the value: {env: " + strings.ToUpper(id) + "}"})
		}
		for i, file := range b.Secrets[id].Files {
			if leaves(file) || file == "" {
				problems = append(problems, abi.Problem{
					Pointer: at + "/files/" + strconv.Itoa(i), Message: strconv.Quote(file) + " leaves the project directory",
					Hint: "give a path below the directory of stagecraft.yml",
				})
			}
		}
	}
	return problems
}

// request returns the build of the configuration.
func (c *config) request(opts abi.BuildDockerOptions) abi.DockerBuildRequest {
	b := &c.Build
	secrets := make(map[string]abi.Value, len(b.Secrets))
	for id, s := range b.Secrets {
		secrets[id] = abi.EnvRef(s.Env, s.Files...)
	}
	return abi.DockerBuildRequest{
		Context: cmp.Or(b.Context, c.Dev.Workdir, "."), Dockerfile: b.Dockerfile, Tags: []string{opts.ImageTag}, Push: opts.Push,
		Target: b.Target, Args: b.Args, Labels: b.Labels, Platforms: b.Platforms, Secrets: secrets,
		CacheFrom: b.CacheFrom, CacheTo: b.CacheTo, Network: b.Network,
	}
}

// pointers returns the places of the request's fields in the configuration.
func (c *config) pointers() map[string]string {
	at := map[string]string{"context": "/build/context", "dockerfile": "/build/dockerfile"}
	if c.Build.Context == "" {
		at["context"] = "/dev/workdir"
	}
	for _, field := range []string{"labels", "platforms", "secrets", "cache_from", "cache_to"} {
		at[field] = "/build/" + field
	}
	return at
}
