package docker

import (
	"archive/tar"
	"bufio"
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/moby/patternmatcher"
)

// tarWriter writes the files of a context as a tar. What it holds in memory is
// one folder's names for each level, however much is sent.
type tarWriter struct {
	ctx     context.Context
	context *buildContext
	out     *tar.Writer
	buffer  []byte
	// folders are those on the way to here that are ignored themselves. They
	// are sent with the first thing in them that isn't, to keep their modes.
	folders []string
}

// writeTar writes the context to w until it is through or ctx is done.
func (c *buildContext) writeTar(ctx context.Context, w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	t := &tarWriter{ctx: ctx, context: c, out: tar.NewWriter(buffered), buffer: make([]byte, 64<<10)}
	if err := t.all(); err != nil {
		return err
	}
	if err := t.out.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

func (t *tarWriter) all() error {
	if t.context.ignoreText != nil {
		if err := t.text(ignoreName, t.context.ignoreText); err != nil {
			return err
		}
	}
	if t.context.outside {
		if err := t.dockerfile(); err != nil {
			return err
		}
	}
	return t.folder(".", patternmatcher.MatchInfo{})
}

func (t *tarWriter) text(name string, text []byte) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(text)), ModTime: time.Unix(0, 0)}
	if err := t.out.WriteHeader(header); err != nil {
		return err
	}
	_, err := t.out.Write(text)
	return err
}

// dockerfile sends the Dockerfile that is not in the context.
func (t *tarWriter) dockerfile() error {
	f, err := t.context.build.openDockerfile()
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.regular(t.context.dockerfile, f); err != nil {
		return t.problemAt(t.context.build.Dockerfile, err)
	}
	return nil
}

// folder sends what is in a folder, in order of names.
func (t *tarWriter) folder(dir string, parent patternmatcher.MatchInfo) error {
	entries, err := fs.ReadDir(t.context.root.FS(), dir)
	if err != nil {
		return t.problem(dir, err)
	}
	for _, e := range entries {
		if err := t.ctx.Err(); err != nil {
			return err
		}
		if err := t.entry(path.Join(dir, e.Name()), e.IsDir(), parent); err != nil {
			return err
		}
	}
	return nil
}

func (t *tarWriter) entry(name string, isDir bool, parent patternmatcher.MatchInfo) error {
	if name == ignoreName && t.context.ignoreText != nil || slices.Contains(t.context.without, name) {
		return nil
	}
	ignored, info, err := t.context.rules.ignored(name, parent)
	switch {
	case err != nil:
		return t.problem(name, err)
	case !isDir && ignored, isDir && ignored && !t.context.rules.mayKeep(name):
		return nil
	case !isDir:
		return t.send(name)
	case !ignored:
		if err := t.send(name); err != nil {
			return err
		}
		return t.folder(name, info)
	}
	t.folders = append(t.folders, name)
	if err := t.folder(name, info); err != nil {
		return err
	}
	if n := len(t.folders); n > 0 {
		t.folders = t.folders[:n-1]
	}
	return nil
}

// send sends one path, after the folders that it needs.
func (t *tarWriter) send(name string) error {
	folders := t.folders
	t.folders = nil
	for _, dir := range append(folders, name) {
		info, err := t.context.root.Lstat(dir)
		if err == nil {
			err = t.sendOne(dir, info)
		}
		if err != nil {
			return t.problem(dir, err)
		}
	}
	return nil
}

func (t *tarWriter) sendOne(name string, info fs.FileInfo) error {
	switch {
	case info.Mode().IsRegular():
		f, err := t.context.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		return t.regular(name, f)
	case info.Mode()&fs.ModeSocket != 0:
		return nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := t.context.root.Readlink(name)
		if err != nil {
			return err
		}
		return t.header(name, info, filepath.ToSlash(target))
	}
	return t.header(name, info, "")
}

// regular sends a file, which must have the size that its header told.
func (t *tarWriter) regular(name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.header(name, info, ""); err != nil {
		return err
	}
	// The limit's reader also hides methods of *os.File that would copy with a
	// new buffer for each file.
	n, err := io.CopyBuffer(t.out, &io.LimitedReader{R: f, N: info.Size()}, t.buffer)
	if err != nil {
		return err
	}
	more, err := f.Read(t.buffer[:1])
	if err != nil && err != io.EOF {
		return err
	}
	if n < info.Size() || more > 0 {
		return errChanged
	}
	return nil
}

func (t *tarWriter) header(name string, info fs.FileInfo, target string) error {
	h, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	h.Name = name
	if info.IsDir() {
		h.Name += "/"
	}
	// Who owns a file here means nothing in an image.
	h.Uid, h.Gid, h.Uname, h.Gname = 0, 0, "", ""
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
	h.ModTime = h.ModTime.Truncate(time.Second)
	h.Mode = sentMode(runtime.GOOS, h.Mode)
	return t.out.WriteHeader(h)
}

// sentMode is a file's mode in the image. Windows knows no executable files, so
// from there each one is, as the docker command does it.
func sentMode(goos string, mode int64) int64 {
	if goos == "windows" {
		return mode&^0o022 | 0o111
	}
	return mode
}
