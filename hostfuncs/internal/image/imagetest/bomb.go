package imagetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// What bzip2 makes of a tar's header for 320 MiB, and of 1 MiB of zeros: Go has
// no writer for it.
const (
	bzippedHead = "425a68393141592653593ab76195000023db80cc8040005580000862009e10080020005450d0d18861030a9a6d4d1e91ea055c30715bde36710500b0" +
		"c168112c423363a4f0b5b21dfb9a67878f17c5dc914e14240eadd86540"
	bzippedZeros = "425a683931415926535938571ce50008084000c0040008200030cc0529a60806c4201e2ee48a70a12070ae39ca"
	bzippedSize  = 320
)

// Bomb is a tar of few bytes with one file, of so many MiB of zeros. It is packed
// by gzip, zstd or bzip2, each MiB as a stream of its own: readers take them for
// one. bzip2 has 320 MiB.
func Bomb(t testing.TB, format string, mebibytes int) []byte {
	t.Helper()
	if format == "bzip2" {
		if mebibytes != bzippedSize {
			t.Fatalf("bzip2 has %d MiB", bzippedSize)
		}
		return append(unhex(t, bzippedHead), bytes.Repeat(unhex(t, bzippedZeros), bzippedSize)...)
	}
	var head bytes.Buffer
	if err := tar.NewWriter(&head).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Mode: 0o644, Size: int64(mebibytes) << 20}); err != nil {
		t.Fatal(err)
	}
	return append(pack(t, format, head.Bytes()), bytes.Repeat(pack(t, format, make([]byte, 1<<20)), mebibytes)...)
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func pack(t testing.TB, format string, data []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&packed)
	if format == "zstd" {
		var err error
		if w, err = zstd.NewWriter(&packed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// Sparse is a tar of few bytes with one file, which is a hole of that size.
func Sparse(t testing.TB, name string, size int64) []byte {
	t.Helper()
	var records string
	for _, pair := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=" + name, fmt.Sprintf("GNU.sparse.realsize=%d", size)} {
		// Each record begins with its length, itself included.
		records += fmt.Sprintf("%d %s\n", len(pair)+4, pair)
	}
	parts := fmt.Sprintf("1\n%d\n0\n", size)
	var all bytes.Buffer
	w := tar.NewWriter(&all)
	for _, text := range []string{records, parts + strings.Repeat("\x00", 512-len(parts))} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// The first file is said to be about the second one.
	data, sum := all.Bytes(), 0
	data[156] = tar.TypeXHeader
	copy(data[148:156], "        ")
	for _, b := range data[:512] {
		sum += int(b)
	}
	copy(data[148:156], fmt.Sprintf("%06o\x00 ", sum))
	if h, err := tar.NewReader(bytes.NewReader(data)).Next(); err != nil || h.Size != size {
		t.Fatalf("the tar is not what it should be: %v, %v", h, err)
	}
	return data
}
