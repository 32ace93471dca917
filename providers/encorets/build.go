package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

const (
	// saysBuilt is encore's line for a finished image.
	saysBuilt = "successfully exported app as docker image"
	// saysIncomplete is encore's line for an app without a required configuration.
	saysIncomplete = "Your infra configuration is incomplete"
)

// BuildDocker builds the image with encore, and checks that it exists.
func (*Provider) BuildDocker(ctx backend.Context, opts backend.BuildDockerOptions) (string, error) {
	cfg, err := parse(opts.Config, (*config).checkBuild)
	if err != nil {
		return "", err
	}
	push := cfg.Build.Push || opts.Push
	if err := cfg.takeOptions(opts, push); err != nil {
		return "", err
	}
	image, err := cfg.image(opts.ImageTag)
	if err != nil {
		return "", err
	}
	r := &run{config: cfg, opts: opts.Env}
	pointer := "/build/workdir"
	if cfg.Build.Workdir == "" {
		pointer = "/dev/entrypoint"
	}
	if err := r.locate(ctx, cmp.Or(cfg.Build.Workdir, cfg.Dev.Entrypoint, "."), pointer); err != nil {
		return "", err
	}
	if err := r.checkGit(ctx); err != nil {
		return "", err
	}
	if err := r.startDaemon(ctx, buildFailed, nil); err != nil {
		return "", err
	}
	id, err := backend.Start(ctx, abi.ProcessStartRequest{
		Argv: r.buildCommand(image, push), Dir: r.dir, EnvBase: r.base(), Env: r.variables(), Watch: []string{saysBuilt, saysIncomplete},
	})
	if err != nil {
		return "", r.failure(buildFailed, "encore build docker", err)
	}
	if err := r.await(ctx, id); err != nil {
		return "", err
	}
	return image, r.find(ctx, image, push)
}

// takeOptions applies the user's options for this build. Encore builds for one
// architecture, and does not keep an image that it pushes.
func (c *config) takeOptions(opts backend.BuildDockerOptions, push bool) error {
	switch {
	case len(opts.Platforms) > 1:
		return refusedOption(abi.OptionPlatforms, "expected one platform, got "+strings.Join(opts.Platforms, ", "), "build for each platform by itself")
	case len(opts.Platforms) == 1:
		arch, ok := strings.CutPrefix(opts.Platforms[0], "linux/")
		if !ok || !slices.Contains(architectures, arch) {
			return refusedOption(abi.OptionPlatforms, "encore cannot build for "+strconv.Quote(opts.Platforms[0]), "expected linux/amd64 or linux/arm64")
		}
		c.Build.Arch = arch
	}
	const kept = "encore does not keep an image that it pushes"
	switch {
	case push && opts.Load:
		return refusedOption(abi.OptionLoad, kept, "leave out the flag, or --push and build.push")
	case push && opts.Identify:
		return refusedOption(abi.OptionIdentify, kept+", so its ID is not known", "leave out the flag, or --push and build.push")
	}
	return nil
}

func refusedOption(option, message, hint string) error {
	return &abi.Error{Code: abi.CodeInvalid, Option: option, Message: message, Hint: hint}
}

func (r *run) buildCommand(image string, push bool) []string {
	argv := []string{"encore", "build", "docker", image}
	b := &r.Build
	switch {
	case b.Config != "":
		argv = append(argv, "--config", relative(r.dir, b.Config))
	case b.SkipConfig:
		argv = append(argv, "--skip-config")
	}
	if push {
		argv = append(argv, "--push")
	}
	if b.Base != "" {
		argv = append(argv, "--base", b.Base)
	}
	if b.Arch != "" {
		argv = append(argv, "--arch", b.Arch)
	}
	return append(argv, b.parts.words()...)
}

// await waits for encore's end. Its exit code is 0 also after an interrupt or a crash of
// its daemon, so the line about the image counts.
func (r *run) await(ctx backend.Context, id int) error {
	var built, incomplete bool
	for {
		news, err := backend.Wait(ctx, abi.ProcessWaitRequest{IDs: []int{id}})
		if err != nil {
			return err
		}
		if news.Seen != nil {
			built = built || strings.Contains(news.Seen.Line, saysBuilt)
			incomplete = incomplete || strings.Contains(news.Seen.Line, saysIncomplete)
		}
		if news.Exited != nil {
			return r.verdict(news.Exited, built, incomplete)
		}
	}
}

func (r *run) verdict(exit *abi.ProcessExit, built, incomplete bool) error {
	if exit.Interrupted {
		return interrupted("encore build docker")
	}
	var e *abi.Error
	switch {
	case exit.ExitCode != 0:
		e = r.failed(buildFailed, "encore build docker ended with exit code "+strconv.Itoa(exit.ExitCode))
	case !built:
		e = r.failed(buildFailed, "encore build docker ended with exit code 0 but did not report an image, as happens when its daemon dies")
		e.Hint = daemonLog
	default:
		return nil
	}
	if incomplete {
		e.Hint = "the app has secrets or databases: name its configuration in build.config, or set build.skip_config: true"
	}
	e.Output = end(exit.Tail)
	return e
}

// find looks for the image in the engine, unless it was pushed.
func (r *run) find(ctx backend.Context, image string, push bool) error {
	if push {
		return nil
	}
	if _, err := backend.Image(ctx, image); err != nil {
		if isMissing(err) {
			return r.failed(buildFailed, "encore reported the image "+image+", but the engine does not have it")
		}
		return r.failure(buildFailed, "the image "+image, err)
	}
	return nil
}
