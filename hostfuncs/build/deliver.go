package build

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
)

// Output is a file or directory that gets an image.
type Output struct {
	// Layout makes it a directory with an OCI layout, else it is a file that
	// `docker load` takes.
	Layout bool
	// Path is absolute.
	Path string
}

// ParseOutput reads oci:DIR or tar:FILE.
//
// # Errors
//
// Anything else, and a directory that is there already and isn't empty: what is in
// it is not written over.
func ParseOutput(text string) (Output, error) {
	kind, path, ok := strings.Cut(text, ":")
	if !ok || path == "" || kind != "oci" && kind != "tar" {
		return Output{}, fmt.Errorf("%q is no output: use oci:DIR or tar:FILE", text)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return Output{}, err
	}
	o := Output{Layout: kind == "oci", Path: abs}
	if o.Layout {
		if entries, err := os.ReadDir(abs); err == nil && len(entries) > 0 {
			return Output{}, fmt.Errorf("%s is there already, and has files in it", path)
		}
	}
	return o, nil
}

// String is what [ParseOutput] reads.
func (o Output) String() string {
	if o.Layout {
		return "oci:" + o.Path
	}
	return "tar:" + o.Path
}

// failure says which output an error is about, and not which of the files on
// the way there.
func (o Output) failure(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("output %s: %w", o, err)
}

// wantPlace wants no link on the way that wasn't there when it was decided on:
// what is written lies beside its place first, so that later ones change nothing.
func (o Output) wantPlace() error {
	dir := filepath.Dir(o.Path)
	if now, err := filepath.EvalSymlinks(dir); err != nil || now != dir {
		return cmp.Or(err, errors.New("its directory was replaced after it was decided on"))
	}
	return nil
}

// goods are what was taken of a stream and is not in its place yet.
type goods interface {
	Commit() error
	Discard()
}

// loaded is for goods that have no place.
type loaded struct{}

func (loaded) Commit() error { return nil }
func (loaded) Discard()      {}

// parcel are goods, where they go, and which image they are as far as that is
// seen of them: a file is taken as it comes.
type parcel struct {
	goods
	to    Output
	image image.Identity
}

// Commit puts them in their place.
func (p parcel) Commit() error {
	if err := p.goods.Commit(); err != nil {
		return p.to.failure(err)
	}
	return nil
}

// written is an image of which the parcel is a copy.
func (p parcel) written(i image.Identity) image.Identity {
	for _, digest := range p.image.Manifests {
		i = i.Written(digest)
	}
	return i
}

// take takes an image as a builder gives it out for `docker load`, or with layout
// as a tar of an OCI layout. A layout gets tags for names.
func (o Output) take(r io.Reader, layout bool, tags []string) (parcel, error) {
	if !o.Layout {
		return o.file(func(w io.Writer) error {
			_, err := io.Copy(w, r)
			return err
		})
	}
	if layout {
		return o.layout(func() (*image.Layout, error) { return image.UnpackLayout(r, o.Path, tags) })
	}
	return o.layout(func() (*image.Layout, error) { return image.ArchiveToLayout(r, o.Path, tags) })
}

// file is the output as a file that write writes.
func (o Output) file(write func(io.Writer) error) (parcel, error) {
	if err := o.wantPlace(); err != nil {
		return parcel{}, o.failure(err)
	}
	f, err := atomicfile.Create(o.Path)
	if err != nil {
		return parcel{}, o.failure(err)
	}
	if err := write(f); err != nil {
		f.Discard()
		return parcel{}, o.failure(err)
	}
	return parcel{goods: f, to: o}, nil
}

// layout is the output as a layout that write makes.
func (o Output) layout(write func() (*image.Layout, error)) (parcel, error) {
	if err := o.wantPlace(); err != nil {
		return parcel{}, o.failure(err)
	}
	l, err := write()
	if err != nil {
		return parcel{}, o.failure(err)
	}
	return parcel{goods: l, to: o, image: l.Image}, nil
}

// delivery takes one stream of a builder's, which may never come, and may end
// early without a word.
type delivery struct {
	layout bool
	take   func(io.Reader) (parcel, error)
	to     *stream
	taken  parcel
	done   chan error
	// broke is what went wrong here while the stream went on.
	broke error
}

// stream knows whether its end has come.
type stream struct {
	*io.PipeWriter
	ended atomic.Bool
}

func (s *stream) Close() error {
	s.ended.Store(true)
	return s.PipeWriter.Close()
}

// deliver has the output taken of a stream, which is one of a layout where that
// is wanted.
func (o Output) deliver(tags []string) *delivery {
	return &delivery{layout: o.Layout, take: func(r io.Reader) (parcel, error) { return o.take(r, true, tags) }}
}

// open is called when the stream comes.
func (d *delivery) open() (io.WriteCloser, error) {
	if d.to != nil {
		return nil, errors.New("the builder sends the image a second time")
	}
	r, w := io.Pipe()
	to := &stream{PipeWriter: w}
	d.to, d.done = to, make(chan error, 1)
	go func() {
		var err error
		// Whoever takes it is not to close it.
		d.taken, err = d.take(struct{ io.Reader }{r})
		if err == nil {
			// What a reader of tars leaves unread.
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil && !to.ended.Load() {
			d.broke = err
		}
		r.CloseWithError(err)
		d.done <- err
	}()
	return to, nil
}

// finish puts in its place what was taken, once the build has ended; failed is
// why it broke off. Where that is the delivery's own doing, it says so, since
// the builder knows its failure by hearsay.
func (d *delivery) finish(failed error) error {
	switch {
	case d.to == nil && failed != nil:
		return failed
	case d.to == nil:
		return errors.New("the builder did not send the image")
	case failed != nil:
		d.to.ended.Store(true)
		d.to.CloseWithError(failed)
	}
	err := <-d.done
	switch {
	case d.broke != nil:
		return d.broke
	case failed != nil && err == nil:
		d.taken.Discard()
	}
	if failed != nil || err != nil {
		return cmp.Or(failed, err)
	}
	return d.taken.Commit()
}
