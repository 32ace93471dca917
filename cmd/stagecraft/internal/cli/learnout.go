package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// outFile is the file of --out, as it was before the run.
type outFile struct {
	path   string // empty for standard output
	before []byte // nil where there is no file yet
}

// openOut looks at the file of --out, and at whether it can be written.
func openOut(path string) (outFile, error) {
	out := outFile{path: path}
	if path == "" {
		return out, nil
	}
	refuse := func(message, hint string) (outFile, error) {
		return out, &usageError{"--out: " + message, hint}
	}
	info, err := os.Stat(path)
	switch _, linkErr := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist) && linkErr == nil:
		return refuse(path+" is a link to a file that does not exist", "remove the link, or name another file")
	case errors.Is(err, fs.ErrNotExist):
		return out, probeWrite(path)
	case err != nil:
		return refuse(err.Error(), "")
	case info.IsDir():
		return refuse(path+" is a directory, expected a file", "")
	case !info.Mode().IsRegular():
		return refuse(path+" is not a regular file", "leave --out away to have the policy printed")
	}
	if out.before, err = readLimited(path); err != nil {
		return out, fmt.Errorf("--out: %w", err)
	}
	if _, err := capability.Parse(path, out.before); err != nil {
		return refuse(fmt.Sprintf("%s is not a policy that can be added to: %v", path, err), "mend it, or name another file")
	}
	return out, probeWrite(path)
}

// probeWrite tells whether a file could be put in place, and leaves everything as it
// is.
func probeWrite(path string) error {
	f, err := safefile.Open(path, os.O_WRONLY)
	if err == nil {
		f.Close()
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		var whole *atomicfile.File
		if whole, err = atomicfile.Create(path); err == nil {
			whole.Discard()
			return nil
		}
	}
	return &usageError{"--out: " + err.Error(), "name a file in a directory that you can write to"}
}
