package capability

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The host and the directory of a reference without them.
const (
	defaultHost      = "docker.io"
	oldHost          = "index.docker.io"
	defaultDirectory = "library"
	defaultTag       = ":latest"
)

// mirrors are other hosts with the images of the default one.
var mirrors = []string{oldHost, "registry-1.docker.io", "registry.hub.docker.com"}

// Reference writes a reference in the one way in which a claim has it: with its
// host, and with the default tag where it has neither tag nor digest.
//
// # Errors
//
// A text that is not a reference of an image, or has a digest other than SHA-256.
func Reference(text string) (string, error) {
	var full string
	host, rest, hosted := strings.Cut(text, "/")
	switch {
	case !hosted || !isHost(host):
		full = inDefaultHost(text)
	case host == oldHost || host == defaultHost:
		full = inDefaultHost(rest)
	default:
		full = strings.ToLower(host) + "/" + rest
	}
	if !named(full) {
		full += defaultTag
	}
	if !isReference(full) {
		return "", fmt.Errorf("%q is not a reference of an image", text)
	}
	return full, nil
}

func inDefaultHost(name string) string {
	if !strings.Contains(name, "/") {
		name = defaultDirectory + "/" + name
	}
	return defaultHost + "/" + name
}

// named reports whether a reference has a tag or a digest.
func named(ref string) bool {
	return strings.ContainsAny(ref[strings.LastIndexByte(ref, '/')+1:], ":@")
}

// spellings are all ways to write a reference, and those to write a part of it: of
// a tag with a digest, each by itself.
func spellings(ref string) []string {
	var out []string
	tagged, _, _ := strings.Cut(ref, "@")
	for _, one := range []string{ref, tagged, withoutTag(ref)} {
		// A reference with a digest alone has no tag.
		if one == tagged && one != ref && !named(one) {
			continue
		}
		for _, host := range []string{one, ofHost(one)} {
			for _, text := range written(host) {
				if !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
	}
	return out
}

var tagAndDigest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`:[\w][\w.-]*@`) })

// withoutTag leaves out a tag before a digest, which then means nothing.
func withoutTag(ref string) string {
	slash := strings.LastIndexByte(ref, '/') + 1
	return ref[:slash] + tagAndDigest().ReplaceAllString(ref[slash:], "@")
}

// ofHost writes a reference with its host's usual name.
func ofHost(ref string) string {
	host, rest, hosted := strings.Cut(ref, "/")
	if !hosted || !isHost(host) {
		return ref
	}
	host = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), ":443"), ":80")
	if slices.Contains(mirrors, host) {
		host = defaultHost
	}
	return host + "/" + rest
}

// written are the ways to write a reference that name the same host, directory and
// tag.
// https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed
func written(ref string) []string {
	name := strings.TrimSuffix(ref, defaultTag)
	host, rest, hosted := strings.Cut(name, "/")
	switch {
	case !hosted || !isHost(host):
		rest = name
	case host != defaultHost && host != oldHost:
		return withTag([]string{name})
	}
	rest = strings.TrimPrefix(rest, defaultDirectory+"/")
	names := []string{rest, defaultHost + "/" + rest, oldHost + "/" + rest}
	if !strings.Contains(rest, "/") {
		full := defaultDirectory + "/" + rest
		names = append(names, full, defaultHost+"/"+full, oldHost+"/"+full)
	}
	return withTag(names)
}

// isHost reports whether the first part of a reference is a registry's host.
func isHost(s string) bool {
	return strings.ContainsAny(s, ".:") || s == "localhost" || strings.ToLower(s) != s
}

// withTag adds references with the default tag for those without tag and digest.
func withTag(names []string) []string {
	for _, name := range names {
		if !named(name) {
			names = append(names, name+defaultTag)
		}
	}
	return names
}

// fullReference is a reference with its host, and its tag or digest or both.
// https://pkg.go.dev/github.com/distribution/reference
var fullReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^((?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]+)?)/([a-z0-9._-]+(?:/[a-z0-9._-]+)*)(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)
})

// isReference reports whether a reference is written in the one way in which a
// claim has it.
func isReference(ref string) bool {
	m := fullReference().FindStringSubmatch(ref)
	if m == nil || m[3]+m[4] == "" {
		return false
	}
	// An image of the default host without a directory is in the default one.
	return isHost(m[1]) && m[1] != oldHost && (m[1] != defaultHost || strings.Contains(m[2], "/"))
}

// references finds rules for the references of images. They are matched like
// paths: no * crosses a slash.
type references struct{ tree tree }

func (x *references) add(r *Rule) error {
	if r.Text == "" {
		return errors.New("is empty")
	}
	return x.tree.insertDeep(strings.Split(r.Text, "/"), r)
}

func (x *references) allows(name string) *Rule {
	return x.tree.find(strings.Split(name, "/"), glob)
}

// findWritten finds rules for the ways to write exactly that reference: with the
// default host or without, and, where it has a digest, without the tag, which
// then means nothing.
func (x *references) findWritten(ref string) *Rule {
	found := x.findAny(written(ref))
	if bare := withoutTag(ref); bare != ref {
		found = first(found, x.findAny(written(bare)))
	}
	return found
}

// denies finds rules for any of the ways to write a reference: else node:22 would
// be denied, and docker.io/library/node:22 not, which is the same image.
func (x *references) denies(ref string) *Rule { return x.findAny(spellings(ref)) }

func (x *references) findAny(refs []string) *Rule {
	var found *Rule
	for _, ref := range refs {
		found = first(found, x.allows(ref))
	}
	return found
}
