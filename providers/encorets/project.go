package main

import (
	"errors"
	"path"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

const appFile = "encore.app"

// locate finds the app of a directory as encore does, by the nearest encore.app at or
// above it, which must be a file. Directories above the project cannot be read.
func (r *run) locate(ctx backend.Context, dir, pointer string) error {
	r.dir = path.Clean(dir)
	app, info, err := nearest(ctx, r.dir, appFile)
	if err != nil {
		return err
	}
	if info == nil {
		e := r.failed(invalidProject, "no encore.app in "+strconv.Quote(dir)+" or a directory above it")
		e.Hint = "name the directory of an Encore app in " + abi.FieldName(pointer) + ", or make it one: encore app init"
		return e
	}
	if info.Dir {
		e := r.failed(invalidProject, path.Join(app, appFile)+" is a directory, expected a file: encore looks no further up")
		e.Hint = "rename the directory"
		return e
	}
	r.app = app
	return nil
}

// checkGit refuses a .git that is a file, as in a worktree or a submodule: encore build
// would never end. Encore looks for it up to the root.
func (r *run) checkGit(ctx backend.Context) error {
	dir, info, err := nearest(ctx, r.app, ".git")
	file := path.Join(dir, ".git")
	isFile := info != nil && !info.Dir
	if err == nil && info == nil {
		file = "a .git above the project directory"
		isFile, err = backend.GitFileAbove(ctx)
	}
	if err != nil || !isFile {
		return err
	}
	e := r.failed(invalidProject, file+" is a file, as in a worktree or a submodule: encore would never finish the build")
	e.Hint = "build in a separate clone"
	return e
}

// nearest looks for a name in a directory and those above it, within the project. It
// returns nil if there is none.
func nearest(ctx backend.Context, dir, name string) (string, *abi.FileInfo, error) {
	for {
		info, err := backend.Stat(ctx, path.Join(dir, name))
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

// checkLinked returns the app's ID, or an error that explains that secrets require an app
// on Encore's platform.
func (r *run) checkLinked(ctx backend.Context) (id string, err error) {
	file := path.Join(r.app, appFile)
	data, err := backend.ReadFile(ctx, file)
	if err != nil {
		return "", r.failure(invalidProject, file, err)
	}
	if id, err = appID(data); err != nil {
		e := r.failed(invalidProject, brokenAt(file, data, err))
		e.Hint = "encore.app is JSON with comments and trailing commas"
		return "", e
	}
	if id != "" {
		return id, nil
	}
	e := r.failed(secretSyncFailed, "the app is not linked with Encore, which stores its secrets: "+file+" has no id")
	e.Hint = "link it, in " + r.app + ": encore app link\nor keep the secrets in " + path.Join(r.app, ".secrets.local.cue") + ", and remove dev.secrets from stagecraft.yml"
	return "", e
}
