package main

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

type config struct {
	Dev   dev
	Build build
}

func (c *config) Fields() []abi.Field {
	return []abi.Field{{Name: "dev", To: &c.Dev}, {Name: "build", To: &c.Build}}
}

type dev struct {
	Entrypoint       string
	Listen           string
	EnvFrom          []string
	Secrets          secrets
	DisableTelemetry *bool
	NodeExtraCACerts string
	ReadyTimeout     string
	runFlags
}

func (d *dev) Fields() []abi.Field {
	return append(d.runFlags.fields(), []abi.Field{
		{Name: "entrypoint", To: &d.Entrypoint},
		{Name: "listen", To: &d.Listen},
		{Name: "env_from", To: &d.EnvFrom},
		{Name: "secrets", To: &d.Secrets},
		{Name: "disable_telemetry", To: abi.Optional(&d.DisableTelemetry)},
		{Name: "node_extra_ca_certs", To: &d.NodeExtraCACerts},
		{Name: "ready_timeout", To: &d.ReadyTimeout},
	}...)
}

type build struct {
	Workdir         string
	ImageName       string
	DockerTagSuffix string
	Config          string
	SkipConfig      bool
	Base            string
	Arch            string
	Push            bool
	parts
}

func (b *build) Fields() []abi.Field {
	return append(b.parts.fields(), []abi.Field{
		{Name: "workdir", To: &b.Workdir},
		{Name: "image_name", To: &b.ImageName},
		{Name: "docker_tag_suffix", To: &b.DockerTagSuffix},
		{Name: "config", To: &b.Config},
		{Name: "skip_config", To: &b.SkipConfig},
		{Name: "base", To: &b.Base},
		{Name: "arch", To: &b.Arch},
		{Name: "push", To: &b.Push},
	}...)
}

type secrets struct {
	Types   []string
	FromEnv []string
	// Required makes dev fail if they cannot be set without a login or the network.
	Required *bool
}

func (s *secrets) Fields() []abi.Field {
	return []abi.Field{{Name: "types", To: &s.Types}, {Name: "from_env", To: &s.FromEnv}, {Name: "required", To: abi.Optional(&s.Required)}}
}

// The defaults of dev.
const (
	defaultPort   = 4000
	defaultListen = "127.0.0.1:4000"
	defaultReady  = 60 * duration.Second
)

type check func(*config) []abi.Problem

// parse decodes the configuration and returns the problems of all checks together.
func parse(data abi.JSON, checks ...check) (*config, error) {
	var c config
	if err := abi.Decode(data, &c); err != nil {
		return nil, invalidConfig(err)
	}
	var problems []abi.Problem
	for _, check := range checks {
		problems = append(problems, check(&c)...)
	}
	if len(problems) > 0 {
		return nil, invalidConfig(abi.Invalid(problems...))
	}
	return &c, nil
}

func (c *config) checkDev() []abi.Problem {
	var problems []abi.Problem
	add := func(pointer, message, hint string) {
		problems = append(problems, abi.Problem{Pointer: pointer, Message: message, Hint: hint})
	}
	if c.Dev.Entrypoint == "" {
		add("/dev/entrypoint", "is required", "give the directory of the backend: entrypoint: ./backend")
	}
	if why := c.listenProblem(); why != "" {
		add("/dev/listen", why, "give an IP address or localhost, and a port: listen: 127.0.0.1:4000")
	}
	if _, ok := c.readyTimeout(); !ok {
		add("/dev/ready_timeout", strconv.Quote(c.Dev.ReadyTimeout)+" is not a duration", "write it as 90s or 2m")
	}
	for i, name := range c.Dev.EnvFrom {
		if leaves(name) || name == "" {
			add("/dev/env_from/"+strconv.Itoa(i), leaving(name), belowProject)
		}
	}
	for pointer, p := range map[string]string{"/dev/entrypoint": c.Dev.Entrypoint, "/dev/node_extra_ca_certs": c.Dev.NodeExtraCACerts} {
		if leaves(p) {
			add(pointer, leaving(p), belowProject)
		}
	}
	return slices.Concat(problems, c.Dev.runFlags.check(), c.Dev.Secrets.check())
}

const belowProject = "give a path below the directory of stagecraft.yml"

func leaving(p string) string { return strconv.Quote(p) + " leaves the project directory" }

// listenProblem checks dev.listen as encore run --listen does.
func (c *config) listenProblem() string {
	host, port, ok := splitAddress(c.listen())
	number, err := strconv.Atoi(port)
	switch {
	case !ok || err != nil || number < 1 || number > 65535:
		return strconv.Quote(c.Dev.Listen) + " is not an address: expected host:port"
	case host != "" && host != "localhost" && !parseAddress(host).valid:
		return strconv.Quote(host) + " is neither an IP address nor localhost"
	}
	return ""
}

func (c *config) listen() string {
	if c.Dev.Listen == "" {
		return defaultListen
	}
	return c.Dev.Listen
}

// local returns the address for connections from this machine.
func (c *config) local() string {
	host, port, _ := splitAddress(c.listen())
	switch ip := parseAddress(host); {
	case ip.anyIPv4:
		host = "127.0.0.1"
	case host == "" || ip.valid && !ip.loopback:
		host = "localhost"
	}
	return joinAddress(host, port)
}

// readyTimeout returns dev.ready_timeout in milliseconds.
func (c *config) readyTimeout() (ms int64, ok bool) {
	if c.Dev.ReadyTimeout == "" {
		return defaultReady, true
	}
	return duration.Parse(c.Dev.ReadyTimeout)
}

// architectures are those that encore builds for.
var architectures = []string{"amd64", "arm64"}

func (c *config) checkBuild() []abi.Problem {
	var problems []abi.Problem
	add := func(pointer, message, hint string) {
		problems = append(problems, abi.Problem{Pointer: pointer, Message: message, Hint: hint})
	}
	b := &c.Build
	for _, p := range []struct{ pointer, path string }{{"/build/workdir", b.Workdir}, {"/build/config", b.Config}} {
		if leaves(p.path) {
			add(p.pointer, leaving(p.path), belowProject)
		}
	}
	if b.Config != "" && b.SkipConfig {
		add("/build/skip_config", "excludes build.config", "leave one of the two out")
	}
	if b.ImageName != "" && !isComponent(b.ImageName) {
		add("/build/image_name", strconv.Quote(b.ImageName)+" is not an image name", "use lower-case letters and digits, with single . _ or - between them")
	}
	if !isSuffix(b.DockerTagSuffix) {
		add("/build/docker_tag_suffix", strconv.Quote(b.DockerTagSuffix)+" cannot be part of a tag", "use letters, digits, . _ and -")
	}
	if b.Base != "" && !isReference(b.Base) {
		add("/build/base", strconv.Quote(b.Base)+" is not an image reference", "")
	}
	if b.Arch != "" && !slices.Contains(architectures, b.Arch) {
		add("/build/arch", "unknown architecture "+strconv.Quote(b.Arch)+": expected amd64 or arm64", "")
	}
	return append(problems, b.parts.check()...)
}

// leaves reports whether a path leaves the project. The host checks links too.
func leaves(p string) bool {
	clean := path.Clean(p)
	return path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../")
}

// relative returns a path of the project relative to one of its directories.
func relative(dir, p string) string {
	dir, p = path.Clean(dir), path.Clean(p)
	if dir == "." {
		return p
	}
	return strings.Repeat("../", strings.Count(dir, "/")+1) + p
}
