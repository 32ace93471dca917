package capability

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// remotes finds rules for URLs. They are matched like references: no * crosses
// a slash.
type remotes struct{ tree, folded tree }

// ruleURL is a rule with a scheme that a build can fetch from.
var ruleURL = regexp.MustCompile(`^(?:https?|git|ssh|\*)://[^/]`)

func (x *remotes) add(r *Rule) error {
	if r.Text != deep && !ruleURL.MatchString(r.Text) {
		return errors.New("is no URL, such as https://acme.dev/files/**; its scheme is http, https, git or ssh")
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

// denies finds rules for what may be the same: servers differ in whether case
// matters to them, and a repository is the same whoever asks for whatever part
// of it, with .git and without.
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
	add(func(one string) string { return urlUser.ReplaceAllString(one, "$1") })
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
	urlUser   = regexp.MustCompile(`^([a-z]+://)` + anyUser)
	remoteURL = regexp.MustCompile(`^(https?|git|ssh)://` + anyUser + anyHost + `(:[1-9][0-9]{0,4})?/([^\s\x00-\x1f\x7f\\?#]*)([?#][^\s\x00-\x1f\x7f\\]*)?$`)
	encoded   = regexp.MustCompile(`%(..?)?`)
	// plainByte is a byte that needs no encoding, or that a server may take for
	// the end of a segment.
	plainByte = regexp.MustCompile(`^(?:2[DEF]|3[0-9]|4[1-9A-F]|5[0-9AC]|5F|6[1-9A-F]|7[0-9AE])$`)
	hexByte   = regexp.MustCompile(`^[0-9A-F]{2}$`)
)

var defaultPorts = map[string]string{"http": ":80", "https": ":443", "git": ":9418", "ssh": ":22"}

// isRemote tells whether a URL is written in the one way in which a claim has
// it: there is no other for what it names, as far as that can be known.
func isRemote(remote string) bool {
	m := remoteURL.FindStringSubmatch(remote)
	if m == nil || m[2] != "" && m[2] == defaultPorts[m[1]] || climbs(remote) {
		return false
	}
	segments := strings.Split(m[3], "/")
	if slices.Contains(segments[:len(segments)-1], "") || slices.Contains(segments, ".") {
		return false
	}
	return !slices.ContainsFunc(encoded.FindAllString(m[3], -1), func(escape string) bool {
		return !hexByte.MatchString(escape[1:]) || plainByte.MatchString(escape[1:])
	})
}
