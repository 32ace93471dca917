package main

import (
	"path"
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

	has map[string]any // the sections that are there
}

type check func(*config) []abi.Problem

// parse decodes the configuration and runs all checks, so that their problems
// come together.
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

// onlyBuilds reports whether nothing is configured for dev, and something for build.
func (c *config) onlyBuilds() bool {
	_, runs := c.has["dev"]
	_, builds := c.has["build"]
	return builds && !runs
}

// checkSections checks what there is for dev: a project may only build.
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
			Pointer: "/dev", Message: "is missing: nothing says what to run",
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

// leaves looks at the words of the path alone; the host looks at links too.
func leaves(p string) bool {
	clean := path.Clean(p)
	return path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../")
}
