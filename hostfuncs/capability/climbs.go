package capability

import (
	"regexp"
	"strconv"
	"strings"
)

// decodings is how often a part of a URL may be encoded. BuildKit decodes it
// once.
const decodings = 3

// climbs tells whether a .. in a URL, or in a rule for some, can lead out of
// what is named before it: a directory of the server, or a repository that a
// builder has fetched.
//
// # Notes
//
// Builders before BuildKit 0.28.1 follow the .. of a repository's subdirectory
// (CVE-2026-33748), which stands behind # or in a parameter of the query. What
// the query of anything else means is for its server to say.
func climbs(remote string) bool {
	before, fragment, _ := strings.Cut(remote, "#")
	file, query, _ := strings.Cut(before, "?")
	if partClimbs(file) || partClimbs(fragment) {
		return true
	}
	return (isRepository(file) || subdirectory.MatchString(decode(query))) && partClimbs(query)
}

var (
	anyByte = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	// stepUp is .. between any two characters that a builder, or git on any
	// system, may take for the end of a name.
	stepUp       = regexp.MustCompile(`(?:^|[/\\:=&;?#\s\x00-\x1f])\.\.(?:[/\\:=&;?#\s\x00-\x1f]|$)`)
	subdirectory = regexp.MustCompile(`(?i)(?:^|[&;])\s*subdir\s*=`)
)

// isRepository tells whether a URL without its query is one that BuildKit
// clones: https://pkg.go.dev/github.com/moby/buildkit/frontend/dockerfile/dfgitutil#ParseGitRef
func isRepository(file string) bool {
	return !strings.HasPrefix(file, "http") || strings.HasSuffix(file, ".git")
}

// partClimbs knows .. as it is and encoded. What is encoded more often than
// decodings climbs as well: nobody knows what becomes of it.
func partClimbs(part string) bool {
	for range decodings {
		if stepUp.MatchString(part) {
			return true
		}
		part = decode(part)
	}
	return stepUp.MatchString(part) || decode(part) != part
}

// decode decodes a part of a URL once, and leaves what is no encoding.
func decode(part string) string {
	return anyByte.ReplaceAllStringFunc(part, func(escape string) string {
		b, _ := strconv.ParseUint(escape[1:], 16, 8) // two hexadecimal digits
		return string([]byte{byte(b)})
	})
}

// remoteFault says what is wrong with a URL that is not clean, where there is
// more to say than that.
func remoteFault(remote string) string {
	if climbs(remote) {
		return "it has .. in it, which can lead out of a repository: write it without .."
	}
	return ""
}
