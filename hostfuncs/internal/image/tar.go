package image

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"time"
)

// tarWriter writes a context as a tar, with the Dockerfile in it and the ignore
// file that is in effect.
type tarWriter struct {
	ctx      context.Context
	context  *Context
	buffered *bufio.Writer
	out      *tar.Writer
	buffer   []byte
	// dockerfile is the Dockerfile's name in the tar.
	dockerfile string
	// apart says that no file of the context has this name.
	apart bool
	// ignoreText takes the place of the context's ignore file, when not nil.
	ignoreText []byte
	rules      *ignoreRules
}

// newTar is for an engine that finds the ignore file in the context, see
// [Context.Stream].
func (c *Context) newTar(ctx context.Context, w io.Writer) *tarWriter {
	t := c.newTarApart(ctx, w)
	if c.dockerfile != "" {
		t.dockerfile, t.apart = c.dockerfile, false
	}
	t.ignoreText = t.substitute()
	t.rules = c.rules.but(t.dockerfile, ignoreName)
	return t
}

// newTarApart is for an engine that is told what to ignore, see
// [Context.StreamApart].
func (c *Context) newTarApart(ctx context.Context, w io.Writer) *tarWriter {
	buffered := bufio.NewWriterSize(w, 64<<10)
	return &tarWriter{
		ctx: ctx, context: c, buffered: buffered, out: tar.NewWriter(buffered), buffer: make([]byte, 64<<10),
		dockerfile: c.unusedName(), apart: true, rules: c.rules,
	}
}

// substitute returns the ignore file to send in place of the context's own, or
// nil to leave that one. The engine takes a Dockerfile and an ignore file out
// of the context again if the ignore file it finds there names them: so it has
// to find the one in effect, and to see that a Dockerfile added is no part of
// the context.
func (t *tarWriter) substitute() []byte {
	ignore := t.context.ignore
	var added string
	if ignore.path == "" || ignore.own {
		added += "\n" + ignoreName
	}
	if t.apart {
		added += "\n" + t.dockerfile
	}
	if !t.apart && !ignore.own {
		return nil
	}
	return append(ignore.text[:len(ignore.text):len(ignore.text)], added+"\n"...)
}

// write writes the context until it is through or ctx is done.
func (t *tarWriter) write() error {
	if err := t.all(); err != nil {
		return err
	}
	if err := t.out.Close(); err != nil {
		return err
	}
	return t.buffered.Flush()
}

func (t *tarWriter) all() error {
	if t.ignoreText != nil {
		if err := t.text(ignoreName, t.ignoreText); err != nil {
			return err
		}
	}
	if t.apart {
		if err := t.sendApart(); err != nil {
			return err
		}
	}
	return t.context.walk(t.ctx, t.rules, t.visit)
}

func (t *tarWriter) text(name string, text []byte) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(text)), ModTime: time.Unix(0, 0)}
	if err := t.out.WriteHeader(header); err != nil {
		return err
	}
	_, err := t.out.Write(text)
	return err
}

// sendApart sends the Dockerfile under a name that the context does not have.
func (t *tarWriter) sendApart() error {
	f, err := t.context.build.openDockerfile()
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.regular(t.dockerfile, f); err != nil {
		return problemAt(t.context.build.Dockerfile, err)
	}
	return nil
}

func (t *tarWriter) visit(name string, info fs.FileInfo) error {
	switch {
	case name == ignoreName && t.ignoreText != nil:
		return nil
	case info.Mode().IsRegular():
		f, err := t.context.OpenFile(name)
		if err != nil {
			return t.context.Leave(name, false, err)
		}
		defer f.Close()
		if err = t.regular(name, f); errors.Is(err, ErrChanged) {
			err = t.context.Changed(name)
		}
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := t.context.Readlink(name)
		if err != nil {
			return t.context.Leave(name, false, unreadable(err))
		}
		return t.header(name, info, target)
	}
	return t.header(name, info, "")
}

// regular sends a file, which must have the size in its header.
func (t *tarWriter) regular(name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if text := t.context.build.Text; text != nil && (name == t.dockerfile || name == t.context.dockerfile) {
		// What was decided on, whatever was written to the file since.
		if err := t.header(name, sized{info, int64(len(text))}, ""); err != nil {
			return err
		}
		_, err := t.out.Write(text)
		return err
	}
	if err := t.header(name, info, ""); err != nil {
		return err
	}
	return CopyWhole(t.out, f, info.Size(), t.buffer)
}

// CopyWhole copies a file that must have the announced size, [ErrChanged] otherwise.
func CopyWhole(w io.Writer, r io.Reader, size int64, buffer []byte) error {
	// The limit's reader also hides methods of *os.File that would copy with a
	// new buffer for each file.
	n, err := io.CopyBuffer(w, &io.LimitedReader{R: r, N: size}, buffer)
	if err != nil {
		return err
	}
	more, err := r.Read(buffer[:1])
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if n < size || more > 0 {
		return ErrChanged
	}
	return nil
}

// sized is what is known of a file, with another size.
type sized struct {
	fs.FileInfo
	size int64
}

func (s sized) Size() int64 { return s.size }

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
