package embedded

import (
	"archive/tar"
	"context"
	"io/fs"
	"path"
	"runtime"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// contextTree is the build's context as a file system: names, kinds, links and
// sizes. A file's owner and time are left out, since they are of a checkout and
// not of what is checked out, and so are its permissions but for the one that
// git keeps: whether its owner may execute it.
func contextTree(ctx context.Context, c *image.Context, count *int, time int64) (*tree, error) {
	t := newTree(count)
	err := c.Walk(ctx, func(name string, info fs.FileInfo) error {
		f := &file{time: time}
		switch mode := info.Mode(); {
		case mode.IsRegular():
			f.kind, f.mode, f.size, f.content = tar.TypeReg, fileMode(runtime.GOOS, mode), info.Size(), contextFile{c, name}
		case mode.IsDir():
			f.kind, f.mode = tar.TypeDir, 0o755
			if mode&fs.ModeSticky != 0 {
				f.mode |= 0o1000
			}
		case mode&fs.ModeSymlink != 0:
			target, err := c.Readlink(name)
			if err != nil {
				return err
			}
			f.kind, f.mode, f.link = tar.TypeSymlink, 0o777, target
		}
		dir, base := path.Split(name)
		_, parent, err := t.resolve(dir, false)
		if err != nil {
			return err
		}
		_, err = t.put(parent, base, f)
		return err
	})
	return t, err
}

// fileMode is a file's mode in the image. Windows knows no executable files, so
// from there each one is, as the docker command does it.
func fileMode(goos string, mode fs.FileMode) int64 {
	bits := int64(0o644)
	if mode&0o100 != 0 || goos == "windows" {
		bits = 0o755
	}
	if mode&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if mode&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	return bits
}
