package build

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
)

// ProgressModes are the ways of showing the progress of a build.
var ProgressModes = buildkit.Modes

// Options are the user's choices for builds; a provider has no say in them.
type Options struct {
	Engine Engine
	// Progress is where a build shows its progress, in one of [ProgressModes].
	Progress io.Writer
	Mode     string
	// Describe logs one line about the Docker engine that builds.
	Describe bool
	// Machine is a unique name for this machine: builders keep the files that
	// they were sent under it. If it is empty, all files are sent each time.
	Machine string
	// Tags are further references for the image. Platforms, if there are any,
	// replace those of the provider.
	Tags, Platforms []string
	// Load loads the image into the Docker engine if another builder built it.
	Load bool
	// Outputs are files and directories that the image is written to.
	Outputs []Output
	// Bases are OCI layouts that base images are taken from.
	Bases   []Base
	NoCache bool // take no step from a cache
	Pull    bool // look for newer base images
	// Epoch is SOURCE_DATE_EPOCH, empty for none.
	Epoch string
}

// Kind is a kind of image builder.
type Kind string

// The kinds, as the user names them.
const (
	Auto     Kind = "auto"     // docker if it answers, or else embedded
	Docker   Kind = "docker"   // the engine that DOCKER_HOST or a docker context names
	BuildKit Kind = "buildkit" // a BuildKit daemon
	Embedded Kind = "embedded" // no daemon: Stagecraft itself
)

// Engine is one image builder. The zero Engine is [Auto].
type Engine struct {
	Kind Kind
	// Address is where it listens: tcp://HOST:PORT or unix://PATH.
	Address string
	// Certs is the directory of ca.pem, cert.pem and key.pem, empty for none.
	Certs string
}

// ParseEngine reads auto, docker, embedded, buildkit+tcp://HOST:PORT or
// buildkit+unix:///PATH.
//
// # Errors
//
// Any other name, and a daemon on another machine without certificates: anybody
// on the network could read and change the build.
func ParseEngine(name, certs string) (Engine, error) {
	switch kind := Kind(name); kind {
	case "":
		return Engine{Kind: Auto}, nil
	case Auto, Docker, Embedded:
		return Engine{Kind: kind}, nil
	}
	address, ok := strings.CutPrefix(name, "buildkit+")
	at, err := url.Parse(address)
	if !ok || err != nil {
		return Engine{}, fmt.Errorf("unknown engine %q: expected auto, docker, embedded, buildkit+tcp://HOST:PORT or buildkit+unix:///PATH", name)
	}
	switch {
	case at.Scheme == "unix" && filepath.IsAbs(at.Path) && at.Host == "":
		return Engine{Kind: BuildKit, Address: address}, nil
	case at.Scheme != "tcp" || at.Hostname() == "" || at.Port() == "" || strings.Trim(at.Path, "/") != "" || at.User != nil:
		return Engine{}, fmt.Errorf("%q is not an address of a BuildKit daemon: expected buildkit+tcp://HOST:PORT or buildkit+unix:///PATH", name)
	case certs == "" && !isLoopback(at.Hostname()):
		return Engine{}, fmt.Errorf("%s is on another machine and requires certificates: give --engine-certs a directory with ca.pem, cert.pem and key.pem", name)
	}
	return Engine{Kind: BuildKit, Address: "tcp://" + at.Host, Certs: certs}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isRemote reports whether an engine's address is on another machine.
func isRemote(address string) bool {
	at, err := url.Parse(address)
	return err != nil || at.Hostname() != "" && !isLoopback(at.Hostname())
}

func (e Engine) isAuto() bool { return e.Kind == Auto || e.Kind == "" }

// String is the name that [ParseEngine] reads; a Docker engine that does not
// listen on a socket of this machine has its address in it.
func (e Engine) String() string {
	switch e.Kind {
	case "":
		return string(Auto)
	case BuildKit:
		return "buildkit+" + e.Address
	case Docker:
		if at := e.claimedAddress(); at != "" {
			return "docker+" + at
		}
	default:
	}
	return string(e.Kind)
}

// Output is a file or directory that an image is written to.
type Output struct {
	// Layout writes an OCI layout into a directory, instead of a file for
	// `docker load`.
	Layout bool
	// Path is absolute.
	Path string
}

// ParseOutput reads oci:DIR or tar:FILE.
//
// # Errors
//
// Anything else, and an existing directory that is not empty.
func ParseOutput(text string) (Output, error) {
	kind, path, ok := strings.Cut(text, ":")
	if !ok || path == "" || kind != "oci" && kind != "tar" {
		return Output{}, fmt.Errorf("%q is not an output: expected oci:DIR or tar:FILE", text)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return Output{}, err
	}
	o := Output{Layout: kind == "oci", Path: abs}
	if o.Layout {
		if entries, err := os.ReadDir(abs); err == nil && len(entries) > 0 {
			return Output{}, fmt.Errorf("%s already exists and is not empty", path)
		}
	}
	return o, nil
}

// String is the text that [ParseOutput] reads.
func (o Output) String() string {
	if o.Layout {
		return "oci:" + o.Path
	}
	return "tar:" + o.Path
}

// Base is an OCI layout that a base image is taken from.
type Base struct {
	// Reference is the image's in the Dockerfile, in full.
	Reference string
	// Dir is absolute. Digest is the image's, empty if the layout has one image.
	Dir    string
	Digest digest.Digest
}

// ParseBase reads REFERENCE=oci:DIR or
// REFERENCE=oci:DIR@sha256:<64 hexadecimal digits>.
func ParseBase(text string) (Base, error) {
	m := regexp.MustCompile(`^([^=]+)=oci:(.+?)(?:@(sha256:[0-9a-f]{64}))?$`).FindStringSubmatch(text)
	if m == nil {
		return Base{}, fmt.Errorf("%q is not a base image: expected REFERENCE=oci:DIR", text)
	}
	ref, err := capability.Reference(m[1])
	if err != nil {
		return Base{}, err
	}
	dir, err := filepath.Abs(m[2])
	return Base{Reference: ref, Dir: dir, Digest: digest.Digest(m[3])}, err
}
