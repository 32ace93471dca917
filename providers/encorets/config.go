package main

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/settings"
)

type config struct {
	Dev struct {
		Entrypoint       string   `json:"entrypoint"`
		Listen           string   `json:"listen"`
		EnvFrom          []string `json:"env_from"`
		Secrets          secrets  `json:"secrets"`
		DisableTelemetry *bool    `json:"disable_telemetry"`
		NodeExtraCACerts string   `json:"node_extra_ca_certs"`
		ReadyTimeout     string   `json:"ready_timeout"`
		runFlags
	} `json:"dev"`
	Build struct {
		Workdir         string `json:"workdir"`
		ImageName       string `json:"image_name"`
		DockerTagSuffix string `json:"docker_tag_suffix"`
		Config          string `json:"config"`
		SkipConfig      bool   `json:"skip_config"`
		Base            string `json:"base"`
		Arch            string `json:"arch"`
		Push            bool   `json:"push"`
		parts
	} `json:"build"`
}

type secrets struct {
	Types   []string `json:"types"`
	FromEnv []string `json:"from_env"`
	// Required makes dev fail if they cannot be set without a login or the network.
	Required *bool `json:"required"`
}

// The defaults of dev.
const (
	defaultPort   = 4000
	defaultListen = "127.0.0.1:4000"
	defaultReady  = time.Minute
)

type check func(*config) []abi.Problem

// parse decodes the configuration and returns the problems of all checks together.
func parse(data []byte, checks ...check) (*config, error) {
	var c config
	if err := settings.Decode(data, &c); err != nil {
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
	if _, err := c.readyTimeout(); err != nil {
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
	host, port, err := net.SplitHostPort(c.listen())
	number, nerr := strconv.Atoi(port)
	_, ierr := netip.ParseAddr(host)
	switch {
	case err != nil || nerr != nil || number < 1 || number > 65535:
		return strconv.Quote(c.Dev.Listen) + " is not an address: expected host:port"
	case host != "" && host != "localhost" && ierr != nil:
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
	host, port, _ := net.SplitHostPort(c.listen())
	addr, err := netip.ParseAddr(host)
	switch {
	case host == "" || host == "localhost" || err == nil && !addr.IsLoopback():
		host = "localhost"
		if err == nil && addr.IsUnspecified() && addr.Is4() {
			host = "127.0.0.1"
		}
	}
	return net.JoinHostPort(host, port)
}

func (c *config) readyTimeout() (time.Duration, error) {
	if c.Dev.ReadyTimeout == "" {
		return defaultReady, nil
	}
	d, err := time.ParseDuration(c.Dev.ReadyTimeout)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%v is over at once", d)
	}
	return d, err
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
	if b.ImageName != "" && !component().MatchString(b.ImageName) {
		add("/build/image_name", strconv.Quote(b.ImageName)+" is not an image name", "use lower-case letters and digits, with single . _ or - between them")
	}
	if !suffix().MatchString(b.DockerTagSuffix) {
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
