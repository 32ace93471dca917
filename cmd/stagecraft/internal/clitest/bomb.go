package clitest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdBomb writes a packed tar of 300 KB with one file of 320 MiB: bomb FILE. Each
// MiB is packed once, and readers take the pieces for one.
func cmdBomb(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: bomb FILE")
	}
	const mebibytes = 320
	var head bytes.Buffer
	ts.Check(tar.NewWriter(&head).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Mode: 0o644, Size: mebibytes << 20}))
	all := append(gzipped(ts, head.Bytes()), bytes.Repeat(gzipped(ts, make([]byte, 1<<20)), mebibytes)...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), all, 0o644))
}

func gzipped(ts *testscript.TestScript, data []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(data)
	ts.Check(err)
	ts.Check(w.Close())
	return packed.Bytes()
}
