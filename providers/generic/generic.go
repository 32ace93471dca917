// Command generic is the built-in provider that runs any command for development and
// builds an image from any Dockerfile. Its configuration:
//
//	dev:
//	  command: ["npm", "run", "dev"]     # required
//	  workdir: "./backend"               # default: the project directory
//	  env: {NODE_ENV: development}
//	  interactive: true                  # leave Ctrl-C to the program; default: false
//	build:
//	  dockerfile: "./backend/Dockerfile" # default: Dockerfile in the context
//	  context: "./backend"               # default: dev.workdir
//	  target: release                    # default: the last stage
//	  args: {VERSION: "1.2"}
//	  labels: {org.opencontainers.image.source: https://github.com/acme/shop}
//	  platforms: [linux/amd64, linux/arm64]
//	  secrets: {npm: {env: NPM_TOKEN}}   # or {env: NPM_TOKEN, files: [.env]}
//	  cache_from: [ghcr.io/acme/cache]
//	  cache_to: ["type=registry,ref=ghcr.io/acme/cache,mode=max"]
//	  network: none                      # none, default or host
package main

import (
	"errors"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// Provider is the generic provider.
type Provider struct{}

func init() { backend.Register(&Provider{}) }

func main() {}

// ID is the name in the configuration.
func (*Provider) ID() string { return "generic" }

// Describe asks for exactly what the user wrote: the command of dev, and the build.
func (*Provider) Describe() abi.Description {
	return abi.Description{
		Version:      "1.0.0",
		ConfigSchema: abi.JSON(schema),
		TextFrom:     []string{"/dev/env", "/dev/processes/*/env", "/build/args", "/build/labels"},
		DevOptions:   []string{abi.OptionProcesses, abi.OptionOnlyOutput},
		Capabilities: abi.Capabilities{
			Exec: []abi.ExecAsk{
				{ArgvFrom: "/dev/command", DirFrom: "/dev/workdir", EnvFrom: "/dev/env"},
				{ArgvFrom: "/dev/processes/*/command", DirFrom: "/dev/processes/*/workdir", EnvFrom: "/dev/processes/*/env"},
				{ArgvFrom: "/dev/processes/*/ready/exec", DirFrom: "/dev/processes/*/workdir", EnvFrom: "/dev/processes/*/env"},
			},
			FilesFrom:    []string{"/dev/processes/*/watch/paths"},
			EnvFilesFrom: []string{"/dev/env_files", "/dev/processes/*/env_files"},
			ConnectFrom:  []string{"/dev/processes/*/ready/tcp", "/dev/processes/*/ready/http/port", "/dev/processes/*/url"},
			Build: []abi.BuildAsk{{
				ContextFrom: []string{"/build/context", "/dev/workdir"}, DockerfileFrom: "/build/dockerfile",
				TargetFrom: "/build/target", ArgsFrom: "/build/args", PlatformsFrom: "/build/platforms", SecretsFrom: "/build/secrets",
				NetworkFrom: "/build/network", CacheImportFrom: "/build/cache_from", CacheExportFrom: "/build/cache_to",
			}},
		},
	}
}

// Validate checks the configuration for dev and for build.
func (*Provider) Validate(_ backend.Context, opts backend.ValidateOptions) error {
	_, err := parse(opts.Decode, (*config).checkSections, (*config).checkPaths, (*config).checkBuild)
	return err
}

// Dev runs dev.command until it ends; its exit status becomes the run's.
func (*Provider) Dev(ctx backend.Context, opts backend.DevOptions) error {
	cfg, err := parse(opts.Decode, (*config).checkDev, (*config).checkPaths, (*config).checkBuild)
	if err != nil {
		return err
	}
	if cfg.Dev.Processes != nil {
		return supervise(ctx, cfg.Dev.Processes, opts)
	}
	if len(opts.Processes) > 0 {
		return &abi.Error{
			Code: abi.CodeInvalid, Option: abi.OptionProcesses, Message: "the configuration has one command and no processes",
			Hint: "name processes in dev.processes",
		}
	}
	_, err = backend.Run(ctx, abi.ExecRequest{
		Argv: cfg.Dev.Command, Dir: cfg.Dev.Workdir, EnvBase: texts(opts.Env), EnvFiles: cfg.Dev.EnvFiles, Env: cfg.Dev.Env,
		Interactive: cfg.Dev.Interactive,
	})
	return ofConfig(err, map[string]string{"dir": "/dev/workdir", "interactive": "/dev/interactive"})
}

// texts returns values of variables.
func texts(env map[string]string) map[string]abi.Value {
	values := make(map[string]abi.Value, len(env))
	for name, text := range env {
		values[name] = abi.Text(text)
	}
	return values
}

// BuildDocker builds build.dockerfile in build.context.
func (*Provider) BuildDocker(ctx backend.Context, opts backend.BuildDockerOptions) (string, error) {
	cfg, err := parse(opts.Decode, (*config).checkContext, (*config).checkPaths, (*config).checkBuild)
	if err != nil {
		return "", err
	}
	res, err := backend.DockerBuild(ctx, cfg.request(opts))
	return res.Image, ofConfig(err, cfg.pointers())
}

// ofConfig converts an error of a request's field to one of the configuration.
func ofConfig(err error, pointers map[string]string) error {
	e, ok := errors.AsType[*abi.Error](err)
	if !ok || pointers[e.Field] == "" {
		return err
	}
	return abi.Invalid(abi.Problem{Pointer: pointers[e.Field], Message: e.Message, Hint: e.Hint})
}
