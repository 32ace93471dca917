package embedded

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"time"
)

// writeLayer writes the files that a step changed, and the directories above them, in
// order of names. The layer does not depend on the user or the time. A step without
// changes makes an empty layer, as in BuildKit.
func (s *store) writeLayer(t *tree) (*layer, error) {
	f, err := s.create()
	if err != nil {
		return nil, err
	}
	w := &layerWriter{store: s, op: t.op, path: f.Name(), buffer: make([]byte, 128<<10), links: map[*file]string{}}
	sum := sha256.New()
	w.counted.to = io.MultiWriter(bounded{s, f}, sum)
	w.buffered = bufio.NewWriterSize(&w.counted, 256<<10)
	w.out = tar.NewWriter(w.buffered)
	err = w.directory(t.root, "")
	if err == nil {
		err = errors.Join(w.out.Close(), w.buffered.Flush())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	// From now on the files are read from the layer.
	for entry, at := range w.contents {
		entry.content = at
	}
	return &layer{store: s, path: f.Name(), diffID: hex.EncodeToString(sum.Sum(nil))}, nil
}

type layerWriter struct {
	store    *store
	op       int
	path     string
	counted  counted
	buffered *bufio.Writer
	out      *tar.Writer
	buffer   []byte
	links    map[*file]string // the first name of each file
	contents map[*file]part
}

// counted counts the bytes that pass.
type counted struct {
	to io.Writer
	n  int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

func (w *layerWriter) directory(n *node, name string) error {
	for _, base := range n.names() {
		child := n.below[base]
		if child.changed != w.op && child.inside != w.op {
			continue
		}
		if err := w.node(child, path.Join(name, base)); err != nil {
			return err
		}
	}
	return nil
}

func (w *layerWriter) node(n *node, name string) error {
	if !n.isDir() {
		return w.file(n.file, name)
	}
	if err := w.header(n.file, name+"/"); err != nil {
		return err
	}
	if n.opaque == w.op {
		empty := &file{kind: tar.TypeReg, time: n.file.time}
		if err := w.header(empty, path.Join(name, whiteoutOpaque)); err != nil {
			return err
		}
	}
	return w.directory(n, name)
}

func (w *layerWriter) file(f *file, name string) error {
	if first, ok := w.links[f]; ok {
		link := *f
		link.kind, link.link, link.size, link.xattrs = tar.TypeLink, first, 0, nil
		return w.header(&link, name)
	}
	w.links[f] = name
	if f.size > w.store.left {
		return errTooLarge // before a sparse file of the context fills the disk
	}
	if err := w.header(f, name); err != nil || f.kind != tar.TypeReg {
		return err
	}
	// The header is written, so the content begins here.
	at := part{path: w.path, offset: w.counted.n + int64(w.buffered.Buffered()), size: f.size}
	if err := f.copyTo(w.out, w.buffer); err != nil {
		return err
	}
	if w.contents == nil {
		w.contents = map[*file]part{}
	}
	w.contents[f] = at
	return nil
}

func (w *layerWriter) header(f *file, name string) error {
	return w.out.WriteHeader(&tar.Header{
		Typeflag: f.kind, Name: name, Linkname: f.link, Mode: f.mode, Uid: f.uid, Gid: f.gid, Size: f.size,
		ModTime: time.Unix(f.time, 0), Devmajor: f.major, Devminor: f.minor, PAXRecords: f.xattrs,
	})
}
