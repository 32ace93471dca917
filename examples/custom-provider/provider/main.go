// Command my-provider is an example of a provider: it runs dev.command and builds
// build.dockerfile.
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

type MyProvider struct{}

// Config is the settings of my-provider in stagecraft.yml.
type Config struct {
	Dev struct {
		Command []string `json:"command"`
		WorkDir string   `json:"workdir"`
	} `json:"dev"`
	Build struct {
		Dockerfile string `json:"dockerfile"`
	} `json:"build"`
}

func init() { backend.Register(&MyProvider{}) }

func main() {}

func (p *MyProvider) ID() string { return "my-provider" }

func (p *MyProvider) Dev(ctx context.Context, opts backend.DevOptions) error {
	cfg, err := p.parseConfig(opts.Config)
	if err != nil {
		return fmt.Errorf("invalid config: %w", err)
	}
	if len(cfg.Dev.Command) == 0 {
		return fmt.Errorf("dev.command is required")
	}
	_, err = backend.Run(ctx, abi.ExecRequest{Argv: cfg.Dev.Command, Dir: cfg.Dev.WorkDir})
	return err
}

func (p *MyProvider) BuildDocker(ctx context.Context, opts backend.BuildDockerOptions) (string, error) {
	cfg, err := p.parseConfig(opts.Config)
	if err != nil {
		return "", fmt.Errorf("invalid config: %w", err)
	}
	res, err := backend.DockerBuild(ctx, abi.DockerBuildRequest{
		Context: opts.WorkDir, Dockerfile: cfg.Build.Dockerfile, Tags: []string{opts.ImageTag}, Push: opts.Push,
	})
	return res.Image, err
}

func (p *MyProvider) parseConfig(cfg any) (*Config, error) {
	data, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	var c Config
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	return &c, nil
}
