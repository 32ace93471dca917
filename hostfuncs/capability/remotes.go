package capability

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// remotes finds rules for URLs. They are matched like references: no * crosses
// a slash.
type remotes struct{ tree, folded tree }

// ruleURL is a rule with a scheme that a build can fetch from.
var ruleURL = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:https?|git|ssh|\*)://[^/]`) })

func (x *remotes) add(r *Rule) error {
	if r.Text != deep && !ruleURL().MatchString(r.Text) {
		return errors.New("is not a URL, such as https://acme.dev/files/**; its scheme is http, https, git or ssh")
	}
	if climbs(r.Text) {
		return errors.New("has .. in it, which can lead out of a repository: write the address without ..")
	}
	words := strings.Split(r.Text, "/")
	if err := x.folded.insertDeep(foldedWords(words), r); err != nil {
		return err
	}
	return x.tree.insertDeep(words, r)
}

func (x *remotes) allows(remote string) *Rule { return x.tree.find(strings.Split(remote, "/"), glob) }

// denies finds rules for what may be the same: case matters to some servers only,
// and a repository is the same for any user and any part of it, with .git and
// without.
func (x *remotes) denies(remote string) *Rule {
	var found *Rule
	for _, same := range sameRemotes(remote) {
		found = first(found, x.folded.find(foldedWords(strings.Split(same, "/")), glob))
	}
	return found
}

func sameRemotes(remote string) []string {
	all := []string{remote}
	add := func(change func(string) string) {
		for _, one := range all[:len(all):len(all)] {
			if other := change(one); other != one {
				all = append(all, other)
			}
		}
	}
	add(func(one string) string { return urlUser().ReplaceAllString(one, "$1") })
	add(func(one string) string { one, _, _ = strings.Cut(one, "#"); return one })
	add(func(one string) string { one, _, _ = strings.Cut(one, "?"); return one })
	add(func(one string) string { return strings.TrimSuffix(one, "/") })
	add(func(one string) string { return strings.TrimSuffix(one, ".git") })
	add(func(one string) string { return strings.TrimSuffix(one, ".git") + ".git" })
	add(func(one string) string {
		if plain, err := url.PathUnescape(one); err == nil {
			return plain
		}
		return one
	})
	return all
}

var (
	urlUser   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([a-z]+://)` + anyUser) })
	remoteURL = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(https?|git|ssh)://` + anyUser + anyHost + `(:[1-9][0-9]{0,4})?/([^\s\x00-\x1f\x7f\\?#]*)([?#][^\s\x00-\x1f\x7f\\]*)?$`)
	})
	encoded = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%(..?)?`) })
	// plainByte is a byte that needs no encoding, or that a server may take for
	// the end of a segment.
	plainByte = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:2[DEF]|3[0-9]|4[1-9A-F]|5[0-9AC]|5F|6[1-9A-F]|7[0-9AE])$`)
	})
	hexByte = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-F]{2}$`) })
)

var defaultPorts = map[string]string{"http": ":80", "https": ":443", "git": ":9418", "ssh": ":22"}

// isRemote reports whether a URL is written in the one way in which a claim has
// it, so that no other URL is known for what it names.
func isRemote(remote string) bool {
	m := remoteURL().FindStringSubmatch(remote)
	if m == nil || m[2] != "" && m[2] == defaultPorts[m[1]] || climbs(remote) {
		return false
	}
	segments := strings.Split(m[3], "/")
	if slices.Contains(segments[:len(segments)-1], "") || slices.Contains(segments, ".") {
		return false
	}
	return !slices.ContainsFunc(encoded().FindAllString(m[3], -1), func(escape string) bool {
		return !hexByte().MatchString(escape[1:]) || plainByte().MatchString(escape[1:])
	})
}

// decodings is how often a part of a URL may be encoded. BuildKit decodes it
// once.
const decodings = 3

// climbs reports whether a .. in a URL, or in a rule for some, can lead out of
// what is named before it: a directory of the server, or a repository that a
// builder has fetched.
//
// # Notes
//
// Builders before BuildKit 0.28.1 follow the .. of a repository's subdirectory
// (CVE-2026-33748), which is behind # or in a parameter of the query. The server
// of any other URL decides what its query means.
func climbs(remote string) bool {
	before, fragment, _ := strings.Cut(remote, "#")
	file, query, _ := strings.Cut(before, "?")
	if partClimbs(file) || partClimbs(fragment) {
		return true
	}
	return (isRepository(file) || subdirectory().MatchString(decode(query))) && partClimbs(query)
}

var (
	anyByte = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%[0-9A-Fa-f]{2}`) })
	// stepUp is .. between any two characters that a builder, or git on any
	// system, may take for the end of a name.
	stepUp = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:^|[/\\:=&;?#\s\x00-\x1f])\.\.(?:[/\\:=&;?#\s\x00-\x1f]|$)`)
	})
	subdirectory = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)(?:^|[&;])\s*subdir\s*=`) })
)

// isRepository reports whether a URL without its query is one that BuildKit
// clones: https://pkg.go.dev/github.com/moby/buildkit/frontend/dockerfile/dfgitutil#ParseGitRef
func isRepository(file string) bool {
	return !strings.HasPrefix(file, "http") || strings.HasSuffix(file, ".git")
}

// partClimbs knows .. as it is and encoded. A part that is encoded more often than
// decodings climbs as well, since its meaning is not known.
func partClimbs(part string) bool {
	for range decodings {
		if stepUp().MatchString(part) {
			return true
		}
		part = decode(part)
	}
	return stepUp().MatchString(part) || decode(part) != part
}

// decode decodes a part of a URL once, and leaves what is not an encoding.
func decode(part string) string {
	return anyByte().ReplaceAllStringFunc(part, func(escape string) string {
		b, _ := strconv.ParseUint(escape[1:], 16, 8) // two hexadecimal digits
		return string([]byte{byte(b)})
	})
}

// remoteFault says why a URL is not clean, where more is known than that.
func remoteFault(remote string) string {
	if climbs(remote) {
		return "it has .. in it, which can lead out of a repository: write it without .."
	}
	return ""
}
