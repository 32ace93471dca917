package capability

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

func (b *Build) fault() string {
	if b == nil {
		return ""
	}
	for _, p := range []string{b.Context, b.Dockerfile} {
		if !fs.ValidPath(p) {
			return fmt.Sprintf("%q is no clean path in the project", p)
		}
	}
	for _, arg := range b.Args {
		if !isName(arg) {
			return fmt.Sprintf("%q is no name of an argument", arg)
		}
	}
	if _, known := networks[b.Network]; !known {
		return fmt.Sprintf("%q is no network", b.Network)
	}
	if len(b.Tags) == 0 || slices.Contains(b.Tags, "") {
		return "the image has no reference, or an empty one"
	}
	if b.Insecure {
		return "a step with rights over the machine that builds can't be allowed"
	}
	return b.textFault()
}

// textFault looks at what is decided on by lists of texts.
func (b *Build) textFault() string {
	switch {
	case b.Engine == "" && (b.EngineAddress != "" || len(b.Bases) > 0):
		return "it doesn't say which engine builds"
	case b.Engine == "embedded" && b.EngineAddress != "":
		return "the embedded engine is nowhere else"
	}
	for _, l := range textLists {
		for _, text := range l.texts(b) {
			if fault := l.fault(text); fault != "" {
				return fmt.Sprintf("%q %s", text, fault)
			}
		}
	}
	return ""
}

// fullReference is a reference with its host, and its tag or digest or both.
// https://pkg.go.dev/github.com/distribution/reference
var fullReference = regexp.MustCompile(`^((?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]+)?)/([a-z0-9._-]+(?:/[a-z0-9._-]+)*)(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)

// isReference tells whether a reference is written in the one way in which a
// claim has it.
func isReference(ref string) bool {
	m := fullReference.FindStringSubmatch(ref)
	if m == nil || m[3]+m[4] == "" {
		return false
	}
	// A hub's image without a directory would be the one in the default directory.
	return isHost(m[1]) && m[1] != oldHost && (m[1] != defaultHost || strings.Contains(m[2], "/"))
}

var engineText = regexp.MustCompile(`^(?:docker|buildkit)\+(?:tcp://` + anyHost + `:[1-9][0-9]{0,4}|ssh://` + anyUser + anyHost + `(?::[1-9][0-9]{0,4})?)$`)

// Hosts and users of addresses have no character in them that ends one: what
// looks like a host is the host.
const (
	anyHost = `(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])`
	anyUser = `(?:[A-Za-z0-9._-]+@)?`
)

func isEngine(text string) bool {
	return slices.Contains([]string{"docker", "buildkit", "embedded"}, text) || engineText.MatchString(text)
}

var (
	platformText = regexp.MustCompile(`^([a-z0-9_.-]+)/([a-z0-9_.-]+)(?:/([a-z0-9_.-]+))?$`)
	secretText   = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
)

// otherPlatforms are platforms, and parts of them, that are written in another
// way once their name is settled.
// https://pkg.go.dev/github.com/containerd/platforms#Normalize
var otherPlatforms = map[string]string{
	"macos": "darwin", "x86_64": "amd64", "x86-64": "amd64", "i386": "386", "aarch64": "arm64", "armhf": "arm/v7", "armel": "arm/v6",
	"amd64/v1": "amd64", "arm64/v8": "arm64", "arm64/v8.0": "arm64", "arm64/8": "arm64", "arm64/9": "arm64/v9", "arm64/9.0": "arm64/v9",
	"arm64/v9.0": "arm64/v9", "arm/": "arm/v7", "arm/5": "arm/v5", "arm/6": "arm/v6", "arm/7": "arm/v7", "arm/8": "arm/v8",
}

func isPlatform(text string) bool {
	m := platformText.FindStringSubmatch(text)
	return m != nil && otherPlatforms[m[1]] == "" && otherPlatforms[m[2]] == "" && otherPlatforms[m[2]+"/"+m[3]] == ""
}

// isOutput knows oci:DIR and tar:FILE.
// isLayout is for what is read from as isOutput is for what is written to.
func isLayout(text string) bool { return strings.HasPrefix(text, "oci:") && isOutput(text) }

func isOutput(text string) bool {
	kind, file, _ := strings.Cut(text, ":")
	switch {
	case kind != "oci" && kind != "tar":
		return false
	case isAbs(file):
		return path.Clean(file) == file && isName(strings.ReplaceAll(file, "=", ""))
	}
	return fs.ValidPath(file) && !hasDrive(file)
}
