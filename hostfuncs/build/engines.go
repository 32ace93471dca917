package build

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// EngineKind is what builds images.
type EngineKind string

// The kinds, as the user names them.
const (
	EngineAuto     EngineKind = "auto"     // docker where it answers, or else embedded
	EngineDocker   EngineKind = "docker"   // the engine that DOCKER_HOST or a docker context names
	EngineBuildKit EngineKind = "buildkit" // a BuildKit daemon
	EngineEmbedded EngineKind = "embedded" // no daemon: Stagecraft itself
)

// Engine is which one of a kind. The zero Engine is [EngineAuto].
type Engine struct {
	Kind EngineKind
	// Address is where it listens: tcp://HOST:PORT or unix://PATH.
	Address string
	// Certs is the directory of ca.pem, cert.pem and key.pem, empty for none.
	Certs string
}

// ParseEngine reads an engine's name: auto, docker, embedded,
// buildkit+tcp://HOST:PORT or buildkit+unix:///PATH.
//
// # Errors
//
// Any other name, and a daemon elsewhere without certificates: whoever is in
// between could read and change what is built.
func ParseEngine(name, certs string) (Engine, error) {
	switch kind := EngineKind(name); kind {
	case "":
		return Engine{Kind: EngineAuto}, nil
	case EngineAuto, EngineDocker, EngineEmbedded:
		return Engine{Kind: kind}, nil
	}
	address, ok := strings.CutPrefix(name, "buildkit+")
	at, err := url.Parse(address)
	if !ok || err != nil {
		return Engine{}, fmt.Errorf("%q is no engine: use auto, docker, embedded, buildkit+tcp://HOST:PORT or buildkit+unix:///PATH", name)
	}
	switch {
	case at.Scheme == "unix" && filepath.IsAbs(at.Path) && at.Host == "":
		return Engine{Kind: EngineBuildKit, Address: address}, nil
	case at.Scheme != "tcp" || at.Hostname() == "" || at.Port() == "" || strings.Trim(at.Path, "/") != "" || at.User != nil:
		return Engine{}, fmt.Errorf("%q is no address of a daemon: use buildkit+tcp://HOST:PORT or buildkit+unix:///PATH", name)
	case certs == "" && !isLoopback(at.Hostname()):
		return Engine{}, fmt.Errorf("%s is on another machine and needs certificates: give --engine-certs a directory with ca.pem, cert.pem and key.pem", name)
	}
	return Engine{Kind: EngineBuildKit, Address: "tcp://" + at.Host, Certs: certs}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// away tells whether an engine's address is on another machine.
func away(address string) bool {
	at, err := url.Parse(address)
	return err != nil || at.Hostname() != "" && !isLoopback(at.Hostname())
}

// String is the name that [ParseEngine] reads, with the address of a Docker
// engine elsewhere.
func (e Engine) String() string {
	switch e.Kind {
	case "":
		return string(EngineAuto)
	case EngineBuildKit:
		return "buildkit+" + e.Address
	case EngineDocker:
		if at := e.elsewhere(); at != "" {
			return "docker+" + at
		}
	default:
	}
	return string(e.Kind)
}

// elsewhere is the engine's address where that is no socket of this machine, as
// a claim has it.
func (e Engine) elsewhere() string {
	at, err := url.Parse(e.Address)
	if e.Address == "" || err == nil && (at.Scheme == "unix" || at.Scheme == "npipe") {
		return ""
	}
	if err != nil || at.Host == "" {
		// No rule allows what isn't known.
		return e.Address
	}
	if at.Scheme == "http" || at.Scheme == "https" {
		at.Scheme = "tcp"
	}
	return at.Scheme + "://" + strings.ToLower(at.Host)
}
