package capability

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
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
func (x *images) denies(ref string) *Rule { return x.findSame(ref) }

// frontends finds rules for images that read a Dockerfile, which run in the
// builder with nothing to hold them: they are known by their digest alone. The
// key is the reference without a tag, which means nothing beside a digest.
type frontends struct{ byName, byDigest map[string]*Rule }

var errNoDigest = errors.New("has no digest, and what a tag means can change: write it as docker.io/docker/dockerfile@sha256: and its 64 digits")

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
	m := fullReference.FindStringSubmatch(full)
	if err != nil || m[4] == "" {
		return "", "", false
	}
	return m[1] + "/" + m[2] + m[4], m[4], true
}

// stages finds rules for the names of a Dockerfile's stages.
type stages struct{ names }

func (x *stages) allows(name string) *Rule { return x.find(name, false) }
func (x *stages) denies(name string) *Rule { return x.find(name, false) }

// platforms finds rules for platforms, in which a * stands for any characters.
type platforms struct{ names }

var platformRule = regexp.MustCompile(`^[a-z0-9_.*-]+(?:/[a-z0-9_.*-]+){0,2}$`)

func (x *platforms) add(r *Rule) error {
	if !platformRule.MatchString(r.Text) {
		return errors.New("is no platform, such as linux/arm64")
	}
	if !strings.Contains(r.Text, "*") && !isPlatform(r.Text) {
		return errors.New("is no platform by its usual name, such as linux/arm64 or linux/arm/v7")
	}
	return x.names.add(r)
}

func (x *platforms) allows(name string) *Rule { return x.find(name, false) }
func (x *platforms) denies(name string) *Rule { return x.find(name, false) }

// secretIDs finds rules for the IDs of secrets.
type secretIDs struct{ names }

var secretRule = regexp.MustCompile(`^[A-Za-z0-9_.*-]+$`)

func (x *secretIDs) add(r *Rule) error {
	if !secretRule.MatchString(r.Text) {
		return errors.New("is no ID of a secret: it has letters, digits, _, . and - alone")
	}
	return x.names.add(r)
}

func (x *secretIDs) allows(id string) *Rule { return x.find(id, false) }
func (x *secretIDs) denies(id string) *Rule { return x.find(id, false) }

// places finds rules for outputs and for layouts: paths in the project, and
// absolute ones apart from them, so that ** alone leaves nothing.
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
	return x.inside.find(file)
}

func (x *places) denies(output string) *Rule {
	file := placePath(output)
	if isAbs(file) {
		return x.folded.find(foldedWords(strings.Split(file, "/")), glob)
	}
	return x.inside.findFolded(file)
}

// placePath is where an output or a layout is, whatever it is.
func placePath(output string) string {
	_, file, _ := strings.Cut(output, ":")
	return file
}

// engines finds rules for engines: by their names on this machine, and by
// their addresses elsewhere.
type engines struct{ names }

var engineRule = regexp.MustCompile(`^(?:docker|buildkit)\+(?:tcp|ssh)://[a-z0-9.:*@_\[\]-]+$`)

func (x *engines) add(r *Rule) error {
	if !isEngine(r.Text) && !engineRule.MatchString(r.Text) {
		return fmt.Errorf("is no engine: use docker, buildkit, embedded, or an address such as buildkit+tcp://*.acme.dev:1234")
	}
	return x.names.add(r)
}

func (x *engines) allows(name string) *Rule { return x.find(name, false) }
func (x *engines) denies(name string) *Rule { return x.find(name, false) }
