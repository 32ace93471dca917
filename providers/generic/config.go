package main

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

type config struct {
	Dev   dev
	Build build
	has   sections
}

func (c *config) Fields() []abi.Field {
	return []abi.Field{{Name: "dev", To: &c.Dev}, {Name: "build", To: &c.Build}}
}

// dev is either one program or several processes.
type dev struct {
	program
	// Interactive leaves Ctrl-C to the program.
	Interactive bool
	Processes   map[string]process
}

// program is a command with its variables.
type program struct {
	Command  []string
	Workdir  string
	Env      map[string]abi.Value
	EnvFiles []string
}

func (p *program) fields() []abi.Field {
	return []abi.Field{
		{Name: "command", To: &p.Command},
		{Name: "workdir", To: &p.Workdir},
		{Name: "env", To: abi.Map(&p.Env)},
		{Name: "env_files", To: &p.EnvFiles},
	}
}

func (d *dev) Fields() []abi.Field {
	return append(d.program.fields(),
		abi.Field{Name: "interactive", To: &d.Interactive}, abi.Field{Name: "processes", To: abi.Map(&d.Processes)})
}

// sections tells which sections the configuration has.
type sections struct{ dev, build abi.JSON }

func (s *sections) Fields() []abi.Field {
	return []abi.Field{{Name: "dev", To: &s.dev}, {Name: "build", To: &s.build}}
}

type check func(*config) []abi.Problem

// parse decodes the configuration and returns the problems of all checks together.
func parse(decode func(abi.Object) error, checks ...check) (*config, error) {
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
	return c.has.build != nil && c.has.dev == nil
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
	case c.Dev.Processes != nil:
		return c.Dev.checkProcesses()
	}
	return c.Dev.program.check("/dev")
}

// check checks a program at a pointer.
func (p *program) check(at string) []abi.Problem {
	var problems []abi.Problem
	switch {
	case len(p.Command) == 0:
		problems = append(problems, abi.Problem{
			Pointer: at + "/command", Message: "is required",
			Hint: `give the program and its arguments as a list: command: ["npm", "run", "dev"]`,
		})
	case p.Command[0] == "":
		problems = append(problems, abi.Problem{Pointer: at + "/command/0", Message: "is an empty string, expected a program"})
	}
	problems = append(problems, checkPath(at+"/workdir", p.Workdir)...)
	problems = append(problems, checkFiles(at+"/env_files", p.EnvFiles)...)
	for _, name := range abi.SortedKeys(p.Env) {
		problems = append(problems, checkFiles(abi.UnderPointer(at+"/env", name)+"/files", p.Env[name].Files)...)
	}
	return problems
}

func (c *config) checkPaths() []abi.Problem {
	return slices.Concat(checkPath("/build/dockerfile", c.Build.Dockerfile), checkPath("/build/context", c.Build.Context))
}

func checkPath(pointer, p string) []abi.Problem {
	if !leaves(p) {
		return nil
	}
	return []abi.Problem{outside(pointer, p)}
}

// checkFiles checks a list of dotenv files.
func checkFiles(pointer string, files []string) []abi.Problem {
	var problems []abi.Problem
	for i, file := range files {
		if file == "" || leaves(file) {
			problems = append(problems, outside(pointer+"/"+strconv.Itoa(i), file))
		}
	}
	return problems
}

func outside(pointer, p string) abi.Problem {
	return abi.Problem{
		Pointer: pointer, Message: strconv.Quote(p) + " leaves the project directory",
		Hint: "give a path below the directory of stagecraft.yml",
	}
}

// leaves reports whether a path leaves the project. The host checks links too.
func leaves(p string) bool {
	clean := path.Clean(p)
	return path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../")
}

// build is the section build of the configuration.
type build struct {
	Dockerfile, Context, Target, Network string
	Args, Labels                         map[string]string
	Platforms, CacheFrom, CacheTo        []string
	Secrets                              map[string]secret
}

func (b *build) Fields() []abi.Field {
	return []abi.Field{
		{Name: "dockerfile", To: &b.Dockerfile},
		{Name: "context", To: &b.Context},
		{Name: "target", To: &b.Target},
		{Name: "args", To: &b.Args},
		{Name: "labels", To: &b.Labels},
		{Name: "platforms", To: &b.Platforms},
		{Name: "secrets", To: abi.Map(&b.Secrets)},
		{Name: "cache_from", To: &b.CacheFrom},
		{Name: "cache_to", To: &b.CacheTo},
		{Name: "network", To: &b.Network},
	}
}

// secret is the source of a secret: a variable of the dotenv files or the environment.
type secret struct {
	Env   string
	Files []string
}

func (s *secret) Fields() []abi.Field {
	return []abi.Field{{Name: "env", To: &s.Env}, {Name: "files", To: &s.Files}}
}

func (c *config) checkBuild() []abi.Problem {
	var problems []abi.Problem
	add := func(pointer, message, hint string) {
		problems = append(problems, abi.Problem{Pointer: pointer, Message: message, Hint: hint})
	}
	names := func(pointer string, names map[string]string) {
		for _, key := range abi.SortedKeys(names) {
			if key == "" || strings.ContainsAny(key, "=\x00\r\n") {
				add(abi.UnderPointer(pointer, key), "its name is empty or contains = or a line break", "")
			}
		}
	}
	texts := func(pointer string, list []string) {
		for i, text := range list {
			if text == "" {
				add(pointer+"/"+strconv.Itoa(i), "is empty", "")
			}
		}
	}
	b := &c.Build
	names("/build/args", b.Args)
	texts("/build/cache_from", b.CacheFrom)
	texts("/build/cache_to", b.CacheTo)
	names("/build/labels", b.Labels)
	if !slices.Contains([]string{"", "none", "default", "host"}, b.Network) {
		add("/build/network", "unknown network "+strconv.Quote(b.Network), "expected none, default or host")
	}
	texts("/build/platforms", b.Platforms)
	return append(problems, b.checkSecrets()...)
}

const secretLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

func (b *build) checkSecrets() []abi.Problem {
	var problems []abi.Problem
	for _, id := range abi.SortedKeys(b.Secrets) {
		at := abi.UnderPointer("/build/secrets", id)
		if id == "" || strings.Trim(id, secretLetters) != "" {
			problems = append(problems, abi.Problem{Pointer: at, Message: "is not a secret ID", Hint: "use letters, digits, _, . and -"})
		}
		if b.Secrets[id].Env == "" {
			problems = append(problems, abi.Problem{Pointer: at + "/env", Message: "is required", Hint: "name the variable that has the value: {env: " + strings.ToUpper(id) + "}"})
		}
		problems = append(problems, checkFiles(at+"/files", b.Secrets[id].Files)...)
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
