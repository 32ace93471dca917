package embedded

import (
	"bytes"
	"errors"
	"io"
	"runtime"

	"github.com/klauspost/compress/gzip"
)

// blockSize is how much is compressed by itself. It is a part of what makes a
// digest, as the level is: the number of processors must not be.
const blockSize = 1 << 20

// compress compresses a stream with gzip, on all processors: each block is a
// member of its own, which every reader of gzip takes for one stream. What it
// holds in memory is a few blocks. It ends when it is closed.
func compress(r io.Reader) io.ReadCloser {
	out, w := io.Pipe()
	blocks := make(chan chan result, runtime.GOMAXPROCS(0))
	stop := make(chan struct{})
	go cut(r, blocks, stop)
	go func() {
		w.CloseWithError(join(w, blocks))
		close(stop)
		// cut may be waiting for room.
		for range blocks {
		}
	}()
	return out
}

type result struct {
	packed []byte
	err    error
}

// cut has each block of a stream compressed, in their order.
func cut(r io.Reader, blocks chan<- chan result, stop <-chan struct{}) {
	defer close(blocks)
	for {
		block := make([]byte, blockSize)
		n, err := io.ReadFull(r, block)
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		done := make(chan result, 1)
		if err != nil && !last {
			done <- result{err: err}
		} else {
			go func() { done <- pack(block[:n]) }()
		}
		select {
		case blocks <- done:
		case <-stop:
			return
		}
		if err != nil {
			return
		}
	}
}

func pack(block []byte) result {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err == nil {
		_, err = w.Write(block)
		err = errors.Join(err, w.Close())
	}
	return result{packed.Bytes(), err}
}

func join(w io.Writer, blocks <-chan chan result) error {
	for block := range blocks {
		r := <-block
		if r.err != nil {
			return r.err
		}
		if _, err := w.Write(r.packed); err != nil {
			return err
		}
	}
	return nil
}
