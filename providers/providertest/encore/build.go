//go:build linux || darwin

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

var buildFlags = []flagDef{
	{name: "push", short: "p", bare: "true", check: isBool, usage: "push image to remote repository"},
	{name: "cgo", bare: "true", check: isBool, usage: "enable cgo"},
	{name: "base", check: isText, usage: "base image to build from"},
	{name: "arch", check: oneOf("amd64", "arm64"), usage: "the target architecture"},
	{name: "os", check: oneOf("linux"), usage: "the target operating system"},
	{name: "config", check: isText, usage: "infra configuration file path"},
	{name: "skip-config", bare: "true", check: isBool, usage: "do not read or generate a infra configuration file"},
	{name: "services", check: isList, usage: "services to include in the image"},
	{name: "gateways", check: isList, usage: "gateways to include in the image"},
}

// buildDocker prints all on standard error. Until it has found the app's
// repository it is ended by any signal.
func (c *call) buildDocker(given values, args []string) int {
	a, err := findApp()
	if err != nil {
		return fail("%v", err)
	}
	if a.gitIsFile() {
		c.hang()
	}
	interrupted := interrupts()
	ses, err := connect(c.state, request{})
	if err != nil {
		return fail("%v", err)
	}
	if c.steer.DaemonDies || !ses.served() {
		return 0
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan int, 1)
	go func() { done <- c.export(ctx, a, given, args[0]) }()
	select {
	case code := <-done:
		return code
	case <-interrupted:
	case <-ses.messages: // the daemon is gone
	}
	return 0
}

// defaultBase depends on the language.
func (a *app) defaultBase() string {
	if a.Lang == "typescript" {
		return "node:slim"
	}
	return "scratch"
}

// hang never returns, but a test that is gone leaves nothing behind.
func (c *call) hang() {
	for c.state.exists() {
		<-time.After(poll)
	}
	os.Exit(exitStandIn)
}

func (c *call) export(ctx context.Context, a *app, given values, name string) int {
	img := image{Image: name, Base: given.last("base", a.defaultBase()), Arch: given.last("arch", "amd64")}
	if a.broken != nil {
		report("31", "ERR", "failed to resolve app error=\"parse encore.app: "+a.broken.Error()+"\"")
		return 1
	}
	report("32", "INF", "compiling Encore application for linux/"+img.Arch)
	<-time.After(time.Duration(c.steer.SlowStartMS) * time.Millisecond)
	if err := c.complete(a, given); err != nil {
		report("31", "ERR", err.Error())
		return 1
	}
	if c.steer.NoImage {
		return 0
	}
	// A bundle of certificates goes into every image, on whatever base.
	if c.steer.Offline {
		report("31", "ERR", "build docker image: add ca certs: get root certs: Get \"https://curl.se/ca/cacert.pem\": dial tcp: lookup curl.se: no such host")
		return 1
	}
	if !c.steer.LyingSuccess {
		if err := c.deliver(ctx, img, given.isTrue("push")); err != nil {
			report("31", "ERR", err.Error())
			return 1
		}
	}
	report("32", "INF", "successfully exported app as docker image")
	return 0
}

// report prints a line as the real one's log has it.
func report(code, level, text string) {
	fmt.Fprintf(os.Stderr, "%s %s %s\n", polite("90", time.Now().Format(time.Kitchen)), polite(code, level), polite("1", text))
}

// complete finds what keeps an app from being built.
func (c *call) complete(a *app, given values) error {
	if c.steer.CompileError != "" {
		return errors.New(c.steer.CompileError)
	}
	if file := given.last("config", ""); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if !json.Valid(data) {
			return errors.New(file + " is not JSON")
		}
		return nil
	}
	if (a.StandIn.NeedsInfra || c.steer.NeedsInfra) && !given.isTrue("skip-config") {
		return errors.New("\n" + red("\nYour infra configuration is incomplete\n"))
	}
	return nil
}

// deliver gives the image to the engine or pretends to push it, which leaves
// none with the engine.
func (c *call) deliver(ctx context.Context, img image, push bool) error {
	if !push {
		report("32", "INF", "saving image to local docker daemon")
		return makeImage(ctx, os.Getenv("DOCKER_HOST"), img)
	}
	report("32", "INF", "pushing image to docker registry")
	var pushed []image
	data, err := os.ReadFile(c.state.file("pushed.json"))
	if err == nil {
		err = json.Unmarshal(data, &pushed)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if data, err = json.MarshalIndent(append(pushed, img), "", "  "); err != nil {
		return err
	}
	return c.state.replace("pushed.json", append(data, '\n'))
}

// makeImage has the engine at a unix or tcp address build an image of nothing
// but labels; the architecture is only one of them. Without an address there is
// no engine, so that nobody's own is ever used by accident.
func makeImage(ctx context.Context, host string, img image) error {
	network, addr, ok := strings.Cut(host, "://")
	if !ok || network != "unix" && network != "tcp" {
		return fmt.Errorf("cannot connect to the Docker daemon: DOCKER_HOST is %q", host)
	}
	tarball, err := buildContext(img)
	if err != nil {
		return err
	}
	target := "http://docker/build?" + url.Values{"t": {img.Image}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, tarball)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-tar")
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return fmt.Errorf("cannot connect to the Docker daemon at %s: %w", host, err)
	}
	defer resp.Body.Close()
	return readBuild(resp)
}

func buildContext(img image) (io.Reader, error) {
	file := fmt.Sprintf("FROM scratch\nLABEL dev.encore.standin=%q dev.encore.base=%q dev.encore.arch=%q\n",
		img.Image, img.Base, img.Arch)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(file))})
	if err == nil {
		_, err = w.Write([]byte(file))
	}
	return &b, errors.Join(err, w.Close())
}

// readBuild reads the engine's progress to its end, which may be an error.
func readBuild(resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		data, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return errors.Join(fmt.Errorf("the engine answers %s: %s", resp.Status, data), err)
	}
	for d := json.NewDecoder(resp.Body); ; {
		var line struct {
			Error string `json:"error"`
		}
		err := d.Decode(&line)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case line.Error != "":
			return errors.New(line.Error)
		}
	}
}

// image is what is built; pushed.json is a list of those that were pushed.
type image struct {
	Image string `json:"image"`
	Base  string `json:"base"`
	Arch  string `json:"arch"`
}
