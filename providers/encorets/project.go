package main

import (
	"context"
	"errors"
	"path"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

const appFile = "encore.app"

// locate finds the app that a directory is of, as encore does: the nearest
// encore.app at or above it, which must not be a directory. What is above the
// project directory can't be seen.
func (r *run) locate(ctx context.Context, dir, pointer string) error {
	r.dir = path.Clean(dir)
	app, info, err := nearest(ctx, r.dir, appFile)
	if err != nil {
		return err
	}
	if info == nil {
		e := r.failed(invalidProject, "there is no encore.app in "+strconv.Quote(dir)+", nor in a directory above it")
		e.Hint = "name the directory of an Encore app in " + abi.FieldName(pointer) + ", or make it one: encore app init"
		return e
	}
	if info.Dir {
		e := r.failed(invalidProject, join(app, appFile)+" is a directory, expected a file: encore looks no further up")
		e.Hint = "rename the directory"
		return e
	}
	r.app = app
	return nil
}

// checkGit refuses what encore build would wait for without end: a .git that is
// a file, as in a worktree or a submodule. encore looks for it up to the root.
func (r *run) checkGit(ctx context.Context) error {
	dir, info, err := nearest(ctx, r.app, ".git")
	file := join(dir, ".git")
	isFile := info != nil && !info.Dir
	if err == nil && info == nil {
		file = "a .git above the project directory"
		isFile, err = backend.GitFileAbove(ctx)
	}
	if err != nil || !isFile {
		return err
	}
	e := r.failed(invalidProject, file+" is a file, as in a worktree or a submodule: encore would build without end")
	e.Hint = "build in a clone of its own"
	return e
}

// nearest looks for a name in a directory and in those above it, within the
// project. The result is nil where there is none.
func nearest(ctx context.Context, dir, name string) (string, *abi.FileInfo, error) {
	for {
		info, err := backend.Stat(ctx, join(dir, name))
		switch {
		case err == nil:
			return dir, &info, nil
		case !isMissing(err):
			return "", nil, err
		case dir == ".":
			return "", nil, nil
		}
		dir = path.Dir(dir)
	}
}

func isMissing(err error) bool {
	e, ok := errors.AsType[*abi.Error](err)
	return ok && e.Code == abi.CodeNotFound
}

func join(dir, name string) string { return path.Join(dir, name) }
