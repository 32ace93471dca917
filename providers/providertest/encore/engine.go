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
	"strings"
)

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
