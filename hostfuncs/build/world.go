// Package build has the operations that build images: docker_build and
// docker_image.
package build

import (
	"context"
	"os"
	"strconv"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// World is what builds work with, until the builder replaces it.
type World struct {
	Options
	Root    string
	Environ []string

	large map[string]bool // build contexts that the user was told of

	credentialsOnce sync.Once
	credentials     *registry.Credentials
}

// Options are what builds work with. All but Own are required.
type Options struct {
	Project *files.Project
	Env     *values.Environment
	// Builds are what the user says of image builds.
	Builds BuildOptions
	// Own are files that this run itself reads or writes, such as its audit log:
	// absolute, their directories' links resolved. They are no part of a build's
	// context, whose contents they would change.
	Own []string
	// Mask has the values that must not be shown.
	Mask *redact.Set
	Log  func(level abi.Level, message string)
	Warn func(error)
}

// New returns what builds work with.
func New(opts Options) *World {
	return &World{Options: opts, Root: opts.Project.Root(), Environ: opts.Env.Environ()}
}

// Operations are those of this package.
func (w *World) Operations() []hostfuncs.Operation {
	return []hostfuncs.Operation{
		dockerBuildOp(w, connectEngine),
		dockerImageOp(w, func(ctx context.Context) (finder, error) { return w.connectDocker(ctx) }),
	}
}

// What follows gives the names that the files of this package use.

type place struct {
	abs, rel string
	info     os.FileInfo
	missing  error
}

type reference struct{ values.Reference }

func (r reference) claim(c *capability.Claim) { r.Claim(c) }

type variable struct {
	name  string
	value reference
}

type envFiles struct{ *values.Request }

func (w *World) newEnvFiles() envFiles { return envFiles{w.Env.Request()} }

func (e envFiles) values(named map[string]abi.Value) ([]variable, error) {
	list, err := e.Variables(named)
	var all []variable
	for _, v := range list {
		all = append(all, variable{v.Name, reference{v.Value}})
	}
	return all, err
}

func (w *World) locate(named string) (place, error) {
	at, err := w.Project.Locate(named)
	return place{at.Abs, at.Rel, at.Info, at.Missing}, err
}

func (w *World) readRegular(p place, limit int64) ([]byte, error) {
	return w.Project.Read(files.Place{Abs: p.abs, Rel: p.rel, Info: p.info, Missing: p.missing}, limit)
}

func (w *World) value(r reference) (string, error) { return w.Env.Value(r.Reference) }
func (w *World) getenv(name string) string         { return w.Env.Get(name) }
func (w *World) tellHidden()                       { w.Env.ReportHidden() }

func quotePath(path string) string { return strconv.Quote(path) }

func ofField(name string, err error) error { return hostfuncs.OfField(name, err) }

func resolveLinks(path string) (string, error) { return files.ResolveLinks(path) }
