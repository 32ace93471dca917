package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// build is the part of the configuration that says what to build.
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

// secret is where the value of a build's secret is from: a variable, of the
// dotenv files or else of the environment.
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
		add("/build/network", strconv.Quote(b.Network)+" is no network", "use none, default or host")
	}
	for name, names := range map[string]map[string]string{"args": b.Args, "labels": b.Labels} {
		for _, key := range slices.Sorted(maps.Keys(names)) {
			if key == "" || strings.ContainsAny(key, "=\x00\r\n") {
				add(abi.UnderPointer("/build/"+name, key), "its name is empty, or has = or a line's end in it", "")
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
			problems = append(problems, abi.Problem{Pointer: at, Message: "is no ID of a secret", Hint: "use letters, digits, _, . and -"})
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

// request is what the configuration asks the host to build.
func (c *config) request(opts abi.BuildDockerOptions) abi.DockerBuildRequest {
	b := &c.Build
	secrets := make(map[string]abi.Value, len(b.Secrets))
	for id, s := range b.Secrets {
		secrets[id] = abi.EnvRef(s.Env, s.Files...)
	}
	return abi.DockerBuildRequest{
		Context: firstOf(b.Context, c.Dev.Workdir, "."), Dockerfile: b.Dockerfile, Tags: []string{opts.ImageTag}, Push: opts.Push,
		Target: b.Target, Args: b.Args, Labels: b.Labels, Platforms: b.Platforms, Secrets: secrets,
		CacheFrom: b.CacheFrom, CacheTo: b.CacheTo, Network: b.Network,
	}
}

// pointers are where a wrong field of the request stands in the configuration.
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
