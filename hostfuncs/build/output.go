package build

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
)

// stagedOutput is an output that is written beside its files.Place: Commit renames it,
// Discard removes it.
type stagedOutput struct {
	file
	to Output
	// image has the digests of a layout; those of a file are not known.
	image image.Identity
}

type file interface {
	Commit() error
	Discard()
}

// Commit puts the output in its files.Place.
func (s stagedOutput) Commit() error {
	if err := s.file.Commit(); err != nil {
		return s.to.failure(err)
	}
	return nil
}

// addTo adds the output's manifests to the image that it is a copy of.
func (s stagedOutput) addTo(i image.Identity) image.Identity {
	for _, digest := range s.image.Manifests {
		i = i.Written(digest)
	}
	return i
}

// loaded is for an image that was loaded into an engine instead of a file.
type loaded struct{}

func (loaded) Commit() error { return nil }
func (loaded) Discard()      {}

// stage writes an image that a builder sends for `docker load`, or as a tar of an
// OCI layout. In a layout, the image gets tags for names.
func (o Output) stage(r io.Reader, layout bool, tags []string) (stagedOutput, error) {
	if !o.Layout {
		return o.stageFile(func(w io.Writer) error {
			_, err := io.Copy(w, r)
			return err
		})
	}
	if layout {
		return o.stageLayout(func() (*image.Layout, error) { return image.UnpackLayout(r, o.Path, tags) })
	}
	return o.stageLayout(func() (*image.Layout, error) { return image.ArchiveToLayout(r, o.Path, tags) })
}

func (o Output) stageFile(write func(io.Writer) error) (stagedOutput, error) {
	if err := o.checkPlace(); err != nil {
		return stagedOutput{}, o.failure(err)
	}
	f, err := atomicfile.Create(o.Path)
	if err != nil {
		return stagedOutput{}, o.failure(err)
	}
	if err := write(f); err != nil {
		f.Discard()
		return stagedOutput{}, o.failure(err)
	}
	return stagedOutput{file: f, to: o}, nil
}

func (o Output) stageLayout(write func() (*image.Layout, error)) (stagedOutput, error) {
	if err := o.checkPlace(); err != nil {
		return stagedOutput{}, o.failure(err)
	}
	l, err := write()
	if err != nil {
		return stagedOutput{}, o.failure(err)
	}
	return stagedOutput{file: l, to: o, image: l.Image}, nil
}

// checkPlace refuses a directory that was replaced by a link after the decision.
// The output is staged in that directory, so later links change nothing.
func (o Output) checkPlace() error {
	dir := filepath.Dir(o.Path)
	if now, err := filepath.EvalSymlinks(dir); err != nil || now != dir {
		return cmp.Or(err, errors.New("its directory was replaced after it was decided on"))
	}
	return nil
}

// failure names the output instead of a temporary file.
func (o Output) failure(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("output %s: %w", o, err)
}

// stagedStream stages what a builder streams. The stream may never be opened, and
// may end early without an error.
type stagedStream struct {
	layout bool
	stage  func(io.Reader) (stagedOutput, error)
	to     *stream
	staged stagedOutput
	done   chan error
	// broke is an error of our own while the stream went on.
	broke error
}

// stream knows whether its end has been written.
type stream struct {
	*io.PipeWriter
	ended atomic.Bool
}

func (s *stream) Close() error {
	s.ended.Store(true)
	return s.PipeWriter.Close()
}

// stream is for a builder that sends a layout if the output is one.
func (o Output) stream(tags []string) *stagedStream {
	return &stagedStream{layout: o.Layout, stage: func(r io.Reader) (stagedOutput, error) { return o.stage(r, true, tags) }}
}

// open is called when the builder begins to send.
func (s *stagedStream) open() (io.WriteCloser, error) {
	if s.to != nil {
		return nil, errors.New("the builder sends the image twice")
	}
	r, w := io.Pipe()
	to := &stream{PipeWriter: w}
	s.to, s.done = to, make(chan error, 1)
	go func() {
		var err error
		// The reader is hidden: whoever stages must not close it.
		s.staged, err = s.stage(struct{ io.Reader }{r})
		if err == nil {
			// A reader of tars leaves padding unread.
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil && !to.ended.Load() {
			s.broke = err
		}
		r.CloseWithError(err)
		s.done <- err
	}()
	return to, nil
}

// finish commits the output if the build succeeded; failed is its error. An error
// of our own goes first: the builder only repeats it in other words.
func (s *stagedStream) finish(failed error) error {
	switch {
	case s.to == nil && failed != nil:
		return failed
	case s.to == nil:
		return errors.New("the builder did not send the image")
	case failed != nil:
		s.to.ended.Store(true)
		s.to.CloseWithError(failed)
	}
	err := <-s.done
	switch {
	case s.broke != nil:
		return s.broke
	case failed != nil && err == nil:
		s.staged.Discard()
	}
	if failed != nil || err != nil {
		return cmp.Or(failed, err)
	}
	return s.staged.Commit()
}
