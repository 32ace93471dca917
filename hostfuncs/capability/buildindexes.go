package capability

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// images finds rules for images, by their references.
type images struct{ references }

func (x *images) add(r *Rule) error {
	if strings.Contains(r.Text, "://") {
		return errors.New("has a scheme, and references have none, such as ghcr.io/acme/*")
	}
	return x.references.add(r)
}

func (x *images) allows(ref string) *Rule { return x.findWritten(ref) }

// frontends finds rules for images that read a Dockerfile. Those run in the
// builder unconfined, so rules name them by digest. byName has references without
// a tag, which means nothing beside a digest.
type frontends struct{ byName, byDigest map[string]*Rule }

var errNoDigest = errors.New("has no digest, and a tag can change: write it as docker.io/docker/dockerfile@sha256: and its 64 digits")

func (x *frontends) add(r *Rule) error {
	name, digest, ok := frontend(r.Text)
	if !ok {
		return errNoDigest
	}
	if x.byName == nil {
		x.byName, x.byDigest = make(map[string]*Rule), make(map[string]*Rule)
	}
	x.byName[name] = first(x.byName[name], r)
	x.byDigest[digest] = first(x.byDigest[digest], r)
	return nil
}

func (x *frontends) allows(ref string) *Rule {
	name, _, _ := frontend(ref)
	return x.byName[name]
}

// denies finds rules for the same bytes, wherever they are fetched from.
func (x *frontends) denies(ref string) *Rule {
	_, digest, _ := frontend(ref)
	return x.byDigest[digest]
}

// frontend takes a reference to its full name with the digest and no tag.
func frontend(ref string) (name, digest string, ok bool) {
	full, err := Reference(ref)
	m := fullReference().FindStringSubmatch(full)
	if err != nil || m[4] == "" {
		return "", "", false
	}
	return m[1] + "/" + m[2] + m[4], m[4], true
}

// platforms finds rules for platforms, in which * matches any characters.
type platforms struct{ names }

var platformRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9_.*-]+(?:/[a-z0-9_.*-]+){0,2}$`) })

func (x *platforms) add(r *Rule) error {
	if !platformRule().MatchString(r.Text) {
		return errors.New("is not a platform, such as linux/arm64")
	}
	if !strings.Contains(r.Text, "*") && !isPlatform(r.Text) {
		return errors.New("is not a platform by its usual name, such as linux/arm64 or linux/arm/v7")
	}
	return x.names.add(r)
}

// secretIDs finds rules for the IDs of secrets.
type secretIDs struct{ names }

var secretRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.*-]+$`) })

func (x *secretIDs) add(r *Rule) error {
	if !secretRule().MatchString(r.Text) {
		return errors.New("is not the ID of a secret: use letters, digits, _, . and - only")
	}
	return x.names.add(r)
}

// places finds rules for outputs and for layouts: paths in the project, and
// absolute ones apart from them, so that ** alone does not leave the project.
type places struct {
	inside          paths
	outside, folded tree
}

func (x *places) add(r *Rule) error {
	if !isAbs(r.Text) {
		return x.inside.add(r)
	}
	if slices.Contains(strings.Split(r.Text, "/"), "..") {
		return errors.New("has .. in it: write the path without")
	}
	words := strings.Split(path.Clean(r.Text), "/")
	if err := x.folded.insertDeep(foldedWords(words), r); err != nil {
		return err
	}
	return x.outside.insertDeep(words, r)
}

func (x *places) allows(output string) *Rule {
	file := placePath(output)
	if isAbs(file) {
		return x.outside.find(strings.Split(file, "/"), glob)
	}
	return x.inside.allows(file)
}

func (x *places) denies(output string) *Rule {
	file := placePath(output)
	if isAbs(file) {
		return x.folded.find(foldedWords(strings.Split(file, "/")), glob)
	}
	return x.inside.denies(file)
}

// placePath is where an output or a layout is, whatever it is.
func placePath(output string) string {
	_, file, _ := strings.Cut(output, ":")
	return file
}

// engines finds rules for engines: by their names on this machine, and by
// their addresses elsewhere.
type engines struct{ names }

var engineRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:docker|buildkit)\+(?:tcp|ssh)://[a-z0-9.:*@_\[\]-]+$`)
})

func (x *engines) add(r *Rule) error {
	if !isEngine(r.Text) && !engineRule().MatchString(r.Text) {
		return errors.New("is not an engine: use docker, buildkit, embedded, or an address such as buildkit+tcp://*.acme.dev:1234")
	}
	return x.names.add(r)
}
