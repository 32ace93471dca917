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

// tarWriter writes a context as a tar with the Dockerfile and the ignore file in
// effect.
type tarWriter struct {
	ctx      context.Context
	context  *Context
	buffered *bufio.Writer
	out      *tar.Writer
	buffer   []byte
	// dockerfile is the Dockerfile's name in the tar.
	dockerfile string
	// apart means that no file of the context has this name.
	apart bool
	// ignoreText replaces the context's ignore file, unless nil.
	ignoreText []byte
	rules      *ignoreRules
}

// newTar is for [Context.Stream].
func (c *Context) newTar(ctx context.Context, w io.Writer) *tarWriter {
	t := c.newTarApart(ctx, w)
	if c.dockerfile != "" {
		t.dockerfile, t.apart = c.dockerfile, false
	}
	t.ignoreText = t.substitute()
	t.rules = c.rules.but(t.dockerfile, ignoreName)
	return t
}

// newTarApart is for [Context.StreamApart].
func (c *Context) newTarApart(ctx context.Context, w io.Writer) *tarWriter {
	buffered := bufio.NewWriterSize(w, 64<<10)
	return &tarWriter{
		ctx: ctx, context: c, buffered: buffered, out: tar.NewWriter(buffered), buffer: make([]byte, 64<<10),
		dockerfile: c.unusedName(), apart: true, rules: c.rules,
	}
}

// substitute returns an ignore file to send instead of the context's, nil to keep that
// one. The engine removes a Dockerfile and an ignore file if the ignore file in the
// context names them. So it must find the one in effect, with an added Dockerfile and
// ignore file in it.
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

// write writes the context, or returns ctx's error once it is done.
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

// sendApart sends the Dockerfile under an unused name.
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

// regular sends a file. It must have the size in its header.
func (t *tarWriter) regular(name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if text := t.context.build.Text; text != nil && (name == t.dockerfile || name == t.context.dockerfile) {
		// The Dockerfile that was decided on, even if the file was changed since.
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

// CopyWhole copies a file. It returns [ErrChanged] if the file has another size.
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

// sized is a FileInfo with another size.
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
	// Owners on this machine mean nothing in an image.
	h.Uid, h.Gid, h.Uname, h.Gname = 0, 0, "", ""
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
	h.ModTime = h.ModTime.Truncate(time.Second)
	h.Mode = sentMode(runtime.GOOS, h.Mode)
	return t.out.WriteHeader(h)
}

// sentMode returns a file's mode in the image. Windows has no executable bit, so all
// files from there are executable, as with the docker command.
func sentMode(goos string, mode int64) int64 {
	if goos == "windows" {
		return mode&^0o022 | 0o111
	}
	return mode
}
