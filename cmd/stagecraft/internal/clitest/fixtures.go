package clitest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// cmdServer starts a local server until the script ends, and sets NAME to its port:
//
//	server silent NAME          accepts connections and sends nothing
//	server redirects NAME FILE  redirects requests to another server, which writes
//	                            the path of a request to FILE
func cmdServer(ts *testscript.TestScript, args []string) {
	switch {
	case len(args) == 2 && args[0] == "silent":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Defer(func() { l.Close() })
		_, port, err := net.SplitHostPort(l.Addr().String())
		ts.Check(err)
		ts.Setenv(args[1], port)
	case len(args) == 3 && args[0] == "redirects":
		file := ts.MkAbs(args[2])
		other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_ = os.WriteFile(file, []byte(r.URL.Path), 0o600)
		}))
		server := httptest.NewServer(http.RedirectHandler(strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+"/other", http.StatusFound))
		ts.Defer(func() { server.Close(); other.Close() })
		at, err := url.Parse(server.URL)
		ts.Check(err)
		ts.Setenv(args[1], at.Port())
	default:
		ts.Fatalf("usage: server silent NAME, or server redirects NAME FILE")
	}
}

// cmdAttest writes a signed statement of an invented build of the image
// ghcr.io/acme/shop@sha256:11...1, with the configuration sha256:cc...c, under the named
// policies. TEXT, with Go's escapes, is the name of the configuration file.
func cmdAttest(ts *testscript.TestScript, args []string) {
	b := provenance.Build{
		Image: "ghcr.io/acme/shop:1", Digests: []string{"sha256:" + strings.Repeat("1", 64)}, Config: "sha256:" + strings.Repeat("c", 64),
		External: provenance.External{Config: provenance.File{Name: "stagecraft.yml", SHA256: strings.Repeat("2", 64)}, Tag: "ghcr.io/acme/shop:1", Push: true},
		Internal: provenance.Internal{ImageFrom: "docker_build", Plan: &provenance.File{Name: "plan.json", SHA256: strings.Repeat("5", 64)}},
		Provider: provenance.Module{ID: "generic", SHA256: strings.Repeat("3", 64)},
		Bases:    []provenance.Base{{Reference: "alpine:3.20", Digest: "sha256:" + strings.Repeat("4", 64)}},
		Run:      "RUN", Started: time.Unix(0, 0), Finished: time.Unix(60, 0),
	}
	for _, arg := range args[2:] {
		if name, ok := strings.CutPrefix(arg, "config="); ok {
			var err error
			b.External.Config.Name, err = strconv.Unquote(`"` + name + `"`)
			ts.Check(err)
			continue
		}
		sum := sha256.Sum256([]byte(ts.ReadFile(arg)))
		b.Internal.Policies = append(b.Internal.Policies, provenance.Policy{Layer: "ceiling", File: provenance.File{Name: arg, SHA256: hex.EncodeToString(sum[:])}})
	}
	s, err := provenance.New(b)
	ts.Check(err)
	payload, err := s.Marshal()
	ts.Check(err)
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	key, err := provenance.ParsePrivateKey(data)
	ts.Check(err)
	signed, err := provenance.Sign(context.Background(), payload, key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), signed, 0o644))
}

// cmdBomb writes a compressed tar of 300 KB with one file of 320 MiB. Each MiB is one
// gzip member, and readers concatenate members.
func cmdBomb(ts *testscript.TestScript, args []string) {
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
