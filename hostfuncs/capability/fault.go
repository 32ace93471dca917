package capability

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"
)

// operations are those that a claim can be of. No rule was written with
// another one in mind.
var operations = []string{
	"docker_build", "docker_image", "env_status", "exec", "list", "log", "probe", "process_start", "process_stop", "process_wait", "read_file", "stat",
}

// fault says why no rule whatever could allow a claim; empty where one could.
// Rules are matched by text, so what could mean the same in two ways, such as
// a/../b, must not come so far.
func (c *Claim) fault() string {
	switch {
	case !slices.Contains(operations, c.Operation):
		return fmt.Sprintf("%q is no operation", c.Operation)
	case c.Provider == "" || c.Provider == anyProvider:
		return fmt.Sprintf("%q is no provider", c.Provider)
	case c.Exec == nil && len(c.Env) == 0 && len(c.Files) == 0 && c.Build == nil && len(c.Net) == 0 && c.Image == "" && !c.Own && !c.Log:
		return "it asks for nothing"
	}
	for _, use := range c.Env {
		if !isName(use.Name) || use.Use < Set || use.Use > Look {
			return fmt.Sprintf("%q is no name of a variable, or its use is unknown", use.Name)
		}
	}
	for _, use := range c.Files {
		if !fs.ValidPath(use.Path) || use.Use < Read || use.Use > Load {
			return fmt.Sprintf("%q is no clean path in the project, or its use is unknown", use.Path)
		}
	}
	for _, use := range c.Net {
		if !isPort(use.Port) || use.Use != Connect {
			return fmt.Sprintf("%d is no port, or its use is unknown", use.Port)
		}
	}
	if why := c.Exec.fault(); why != "" {
		return why
	}
	return c.Build.fault()
}

func (x *Exec) fault() string {
	switch {
	case x == nil:
		return ""
	case len(x.Argv) == 0 || x.Argv[0] == "":
		return "it names no program"
	case !fs.ValidPath(x.Dir):
		return fmt.Sprintf("%q is no clean path in the project", x.Dir)
	case x.ProgramInProject != "" && !fs.ValidPath(x.ProgramInProject):
		return fmt.Sprintf("%q is no clean path in the project", x.ProgramInProject)
	case slices.ContainsFunc(x.Daemons, func(argv []string) bool { return len(argv) == 0 || argv[0] == "" }):
		return "it names a daemon without a program"
	}
	return ""
}

// isName tells whether a variable or an argument can have the name.
func isName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsAny(name, "=\x00")
}
