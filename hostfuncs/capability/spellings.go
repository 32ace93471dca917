package capability

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The host and the directory that a reference without them means.
const (
	defaultHost      = "docker.io"
	oldHost          = "index.docker.io"
	defaultDirectory = "library"
	defaultTag       = ":latest"
)

// mirrors are other hosts that have what the default one has.
var mirrors = []string{oldHost, "registry-1.docker.io", "registry.hub.docker.com"}

// Reference writes a reference in the one way in which a claim has it: with its
// host, and with the tag that is meant where there is none, and no digest.
//
// # Errors
//
// What is no reference of an image, or has a digest that isn't SHA-256.
func Reference(text string) (string, error) {
	full := text
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
		return "", fmt.Errorf("%q is no reference of an image", text)
	}
	return full, nil
}

func inDefaultHost(name string) string {
	if !strings.Contains(name, "/") {
		name = defaultDirectory + "/" + name
	}
	return defaultHost + "/" + name
}

// named tells whether a reference has a tag or a digest.
func named(ref string) bool {
	return strings.ContainsAny(ref[strings.LastIndexByte(ref, '/')+1:], ":@")
}

// findWritten finds rules for the ways to write a reference that name neither
// more nor less: with the default host or without, and, where there is a
// digest, without the tag, which then means nothing.
func (x *references) findWritten(ref string) *Rule {
	found := x.findAny(written(ref))
	if bare := withoutTag(ref); bare != ref {
		found = first(found, x.findAny(written(bare)))
	}
	return found
}

// findSame finds rules for any of the ways to write a reference. Rules that
// deny are found so: else node:22 would be denied, and docker.io/library/node:22
// not, which is the same.
func (x *references) findSame(ref string) *Rule { return x.findAny(spellings(ref)) }

func (x *references) findAny(refs []string) *Rule {
	var found *Rule
	for _, ref := range refs {
		found = first(found, x.find(ref))
	}
	return found
}

// spellings are all ways to write a reference, and what is meant by a part of
// it: of a tag with a digest, each by itself.
func spellings(ref string) []string {
	var out []string
	tagged, _, _ := strings.Cut(ref, "@")
	for _, one := range []string{ref, tagged, withoutTag(ref)} {
		// What has a digest alone says nothing of a tag.
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

var tagAndDigest = regexp.MustCompile(`:[\w][\w.-]*@`)

// withoutTag leaves out a tag that means nothing, since there is a digest.
func withoutTag(ref string) string {
	slash := strings.LastIndexByte(ref, '/') + 1
	return ref[:slash] + tagAndDigest.ReplaceAllString(ref[slash:], "@")
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

// isHost tells a registry's host from the first directory of an image.
func isHost(s string) bool {
	return strings.ContainsAny(s, ".:") || s == "localhost" || strings.ToLower(s) != s
}

// withTag adds the tag that is meant where there is none, or a digest.
func withTag(names []string) []string {
	for _, name := range names {
		if !named(name) {
			names = append(names, name+defaultTag)
		}
	}
	return names
}
