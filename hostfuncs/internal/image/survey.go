package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
)

// Survey summarises a build context as it would be sent.
type Survey struct {
	Files int   // regular files
	Bytes int64 // in them
	// SHA256 is over the names, kinds, modes, links and contents of all files, in hex.
	// Times are left out because they differ between checkouts.
	SHA256 string
}

// Look surveys the context of a build. Nothing is sent.
func Look(ctx context.Context, b Build) (Survey, error) {
	c, err := Open(b)
	if err != nil {
		return Survey{}, err
	}
	stream := c.Stream(ctx)
	survey, err := survey(tar.NewReader(stream))
	stream.CloseWithError(io.ErrClosedPipe)
	// This waits until the writer has closed its files.
	if werr := <-stream.done; werr != nil && !errors.Is(werr, io.ErrClosedPipe) {
		return Survey{}, werr
	}
	return survey, err
}

func survey(r *tar.Reader) (Survey, error) {
	var s Survey
	sum := sha256.New()
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			s.SHA256 = hex.EncodeToString(sum.Sum(nil))
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if h.Typeflag == tar.TypeReg {
			s.Files++
			s.Bytes += h.Size
		}
		hashText(sum, h.Name, string(h.Typeflag), h.Linkname)
		hashNumbers(sum, h.Mode, h.Size)
		if _, err := io.Copy(sum, r); err != nil {
			return s, err
		}
	}
}

// hashText writes each text with its length, so that different lists have different
// hashes.
func hashText(to hash.Hash, texts ...string) {
	for _, text := range texts {
		hashNumbers(to, int64(len(text)))
		_, _ = io.WriteString(to, text)
	}
}

func hashNumbers(to hash.Hash, numbers ...int64) {
	for _, n := range numbers {
		to.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
}

// LargeContext is the size in bytes above which a context should have an ignore file.
const LargeContext = 100_000_000

var errLarge = errors.New("the context is large")

// IsLarge reports whether a context is larger than [LargeContext] and has no ignore
// file. It reads only sizes, and stops at the limit. It returns false for a context
// that cannot be read: the build reports that.
func IsLarge(ctx context.Context, b Build) bool {
	c, err := Open(b)
	if err != nil {
		return false
	}
	defer c.Close()
	if c.ignore.path != "" {
		return false
	}
	left := int64(LargeContext)
	err = c.Walk(ctx, func(_ string, info fs.FileInfo) error {
		if info.Mode().IsRegular() {
			left -= info.Size()
		}
		if left < 0 {
			return errLarge
		}
		return nil
	})
	return errors.Is(err, errLarge)
}
