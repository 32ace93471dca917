package capability

import "strings"

// The host and the folder that a reference without them means.
const (
	defaultHost   = "docker.io"
	oldHost       = "index.docker.io"
	defaultFolder = "library"
	defaultTag    = ":latest"
)

// findSame finds rules for any of the ways to write a reference. Rules that
// deny are found so: else node:22 would be denied, and docker.io/library/node:22
// not, which is the same.
func (x *references) findSame(ref string) *Rule {
	var found *Rule
	for _, spelling := range spellings(ref) {
		found = first(found, x.find(spelling))
	}
	return found
}

// spellings are all ways to write a reference.
// https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed
func spellings(ref string) []string {
	name := strings.TrimSuffix(ref, defaultTag)
	host, rest, hosted := strings.Cut(name, "/")
	switch {
	case !hosted || !isHost(host):
		rest = name
	case host != defaultHost && host != oldHost:
		return withTag([]string{name})
	}
	rest = strings.TrimPrefix(rest, defaultFolder+"/")
	names := []string{rest, defaultHost + "/" + rest, oldHost + "/" + rest}
	if !strings.Contains(rest, "/") {
		full := defaultFolder + "/" + rest
		names = append(names, full, defaultHost+"/"+full, oldHost+"/"+full)
	}
	return withTag(names)
}

// isHost tells a registry's host from the first folder of an image.
func isHost(s string) bool {
	return strings.ContainsAny(s, ".:") || s == "localhost" || strings.ToLower(s) != s
}

// withTag adds the tag that is meant where there is none, or a digest.
func withTag(names []string) []string {
	for _, name := range names {
		if !strings.ContainsAny(name[strings.LastIndexByte(name, '/')+1:], ":@") {
			names = append(names, name+defaultTag)
		}
	}
	return names
}
