package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// otherName is what the configuration is often called by mistake.
const otherName = "stagecraft.yaml"

// NotFoundError says that no configuration was found.
type NotFoundError struct {
	// Dir is where the search began. File is the file that the user named, or empty.
	Dir, File string
	// Near is a file with a similar name, or empty.
	Near string
}

func (e *NotFoundError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("file %s not found", e.File)
	}
	return fmt.Sprintf("no %s in %s or any directory above it", FileName, e.Dir)
}

// Hint is advice for the user.
func (e *NotFoundError) Hint() string {
	switch {
	case e.Near != "" && e.File != "":
		return fmt.Sprintf("did you mean %q?", e.Near)
	case e.File != "":
		return "create it:\n" + Smallest
	case e.Near != "":
		return fmt.Sprintf("there is %s: rename it to %s, or name it with -c FILE", e.Near, FileName)
	}
	return "create one with: stagecraft init\nor write it:\n" + Smallest + "or name one with -c FILE, or its directory with -C DIR"
}

// Smallest is the smallest configuration, indented.
const Smallest = `  backend:
    provider: generic
    providers:
      generic:
        dev: {command: ["npm", "run", "dev"]}
`

// Found is the configuration that a search found.
type Found struct {
	// File is its absolute path.
	File string
	// PassedOver is a file with the usual wrong name, in File's directory or nearer to
	// the start of the search, or empty.
	PassedOver string
}

// Doubt warns of a file that the user may have meant instead; it may be nil.
func (f Found) Doubt() error {
	if f.PassedOver == "" {
		return nil
	}
	return fmt.Errorf("%s is ignored: the configuration is %s\nremove one of them, or choose one with -c FILE", f.PassedOver, f.File)
}

// Find looks for the configuration in dir, then upward. It stops at a directory of
// that name and at a dangling link, which [Load] refuses.
//
// # Errors
//
// A [*NotFoundError] when there is none, and [yamldoc.Problems] when dir is not a
// directory or the file belongs to another user: in a world-writable directory such as
// /tmp, anybody could decide what runs.
func Find(dir string) (Found, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return Found{}, err
	}
	if err := isDirectory(start); err != nil {
		return Found{}, err
	}
	near := ""
	for at := start; ; at = filepath.Dir(at) {
		file := filepath.Join(at, FileName)
		if other := filepath.Join(at, otherName); near == "" && exists(other) && !same(other, file) {
			near = other
		}
		if info, err := os.Lstat(file); err == nil {
			if err := safefile.CheckPlanted(file); err != nil {
				return Found{}, yamldoc.Problems{{
					Pos: yamldoc.Pos{File: file}, Message: withoutPath(err).Error(), Hint: "if you trust it, name it with -c FILE",
				}}
			}
			if at != start && !trusted(info, start) {
				return Found{}, yamldoc.Problems{{
					Pos: yamldoc.Pos{File: file}, Message: "the file belongs to another user and was found above " + start,
					Hint: "if you trust it, name it with -c FILE",
				}}
			}
			return Found{file, near}, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return Found{}, err
		}
		if at == filepath.Dir(at) {
			return Found{}, &NotFoundError{Dir: start, Near: near}
		}
	}
}

func isDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint := ""
		if near := nearest(dir, fs.FileMode.IsDir); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return yamldoc.Problems{{Message: "directory " + dir + " not found", Hint: hint}}
	case err != nil:
		return yamldoc.Problems{{Pos: yamldoc.Pos{File: dir}, Message: withoutPath(err).Error()}}
	case !info.IsDir():
		return yamldoc.Problems{{Pos: yamldoc.Pos{File: dir}, Message: "expected a directory, got a file", Hint: "name a file with -c FILE"}}
	}
	return nil
}

// nearest is the entry of the same directory, of that kind, whose name is most like a
// missing path's; empty for none.
func nearest(path string, kind func(fs.FileMode) bool) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if kind(e.Type()) {
			names = append(names, e.Name())
		}
	}
	return yamldoc.Nearest(filepath.Base(path), names)
}

func exists(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

// same reports whether two paths name one file.
func same(a, b string) bool {
	of, err := os.Stat(a)
	also, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(of, also)
}

// Directory is the project directory for a new configuration, without links: dir, or that
// of the file that the user names.
//
// # Errors
//
// [yamldoc.Problems] if it is not a directory.
func Directory(dir, file string) (string, error) {
	if file != "" {
		dir = filepath.Dir(file)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := isDirectory(abs); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}
