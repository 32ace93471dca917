package main

import (
	"context"
	"errors"
	"path"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// locate finds the app that a folder is of, as encore does: the nearest
// encore.app at or above it. What is above the project folder can't be seen.
func (r *run) locate(ctx context.Context, dir, pointer string) error {
	r.dir = path.Clean(dir)
	app, found, err := nearest(ctx, r.dir, "encore.app", func(i abi.FileInfo) bool { return !i.Dir })
	if err != nil {
		return err
	}
	if !found {
		e := r.failed(invalidProject, "there is no encore.app in "+strconv.Quote(dir)+", nor in a folder above it")
		e.Hint = "name the folder of an Encore app in " + abi.FieldName(pointer) + ", or make one with: encore app create"
		return e
	}
	r.app = app
	return nil
}

// checkGit refuses what encore build would wait for without end: a .git that is
// a file, as in a worktree or a submodule.
func (r *run) checkGit(ctx context.Context) error {
	dir, found, err := nearest(ctx, r.app, ".git", func(abi.FileInfo) bool { return true })
	if err != nil || !found {
		return err
	}
	info, err := backend.Stat(ctx, join(dir, ".git"))
	if err != nil || info.Dir {
		return err
	}
	e := r.failed(invalidProject, join(dir, ".git")+" is a file, as in a worktree or a submodule: encore would build without end")
	e.Hint = "build in a clone of its own"
	return e
}

// nearest looks for a name in a folder and in those above it.
func nearest(ctx context.Context, dir, name string, is func(abi.FileInfo) bool) (string, bool, error) {
	for {
		info, err := backend.Stat(ctx, join(dir, name))
		switch {
		case err == nil && is(info):
			return dir, true, nil
		case err != nil && !isMissing(err):
			return "", false, err
		case dir == ".":
			return "", false, nil
		}
		dir = path.Dir(dir)
	}
}

func isMissing(err error) bool {
	e, ok := errors.AsType[*abi.Error](err)
	return ok && e.Code == abi.CodeNotFound
}

func join(dir, name string) string { return path.Join(dir, name) }
