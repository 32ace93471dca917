package main

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// reference is a parsed image reference.
type reference struct {
	domain string // with its port; may be empty
	path   []string
	tag    string
	digest string
}

// parseReference parses a reference. The part before the first slash is a domain if it
// contains a dot or a port, or is localhost.
func parseReference(s string) (reference, bool) {
	var r reference
	rest, digestText, hasDigest := strings.Cut(s, "@")
	if slash := strings.LastIndexByte(rest, '/'); strings.Contains(rest[slash+1:], ":") {
		i := strings.LastIndexByte(rest, ':')
		rest, r.tag = rest[:i], rest[i+1:]
		if !isTag(r.tag) {
			return r, false
		}
	}
	if r.digest = digestText; hasDigest && !isDigest(digestText) {
		return r, false
	}
	if first, after, ok := strings.Cut(rest, "/"); ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		if r.domain, rest = first, after; !isDomain(first) {
			return r, false
		}
	}
	r.path = strings.Split(rest, "/")
	for _, part := range r.path {
		if !isComponent(part) {
			return r, false
		}
	}
	return r, len(strings.Join(r.path, "/"))+len(r.domain) < 255
}

func isReference(s string) bool {
	_, ok := parseReference(s)
	return ok
}

func (r reference) String() string {
	s := strings.Join(r.path, "/")
	if r.domain != "" {
		s = r.domain + "/" + s
	}
	if r.tag != "" {
		s += ":" + r.tag
	}
	return s
}

// image returns the reference to build: that of the run, with the configured name and
// suffix of the tag.
func (c *config) image(asked string) (string, error) {
	r, ok := parseReference(asked)
	if !ok {
		e := abi.NewError(abi.CodeInvalid, strconv.Quote(asked)+" is not an image reference")
		e.Reason = configInvalid
		return "", e
	}
	if r.digest != "" {
		e := abi.NewError(abi.CodeInvalid, strconv.Quote(asked)+" has a digest, which is unknown before the build")
		e.Reason = configInvalid
		return "", e
	}
	if c.Build.ImageName != "" {
		r.path[len(r.path)-1] = c.Build.ImageName
	}
	if c.Build.DockerTagSuffix != "" {
		r.tag = cmp.Or(r.tag, "latest") + c.Build.DockerTagSuffix
		if !isTag(r.tag) {
			return "", invalidConfig(abi.Invalid(abi.Problem{
				Pointer: "/build/docker_tag_suffix", Message: "makes the invalid tag " + r.tag, Hint: "a tag has at most 128 characters",
			}))
		}
	}
	return r.String(), nil
}
