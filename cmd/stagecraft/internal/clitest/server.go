package clitest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdServer has a server on this machine until the script ends, and a variable
// for its port:
//
//	server silent NAME          takes connections, and never says a word
//	server redirects NAME FILE  sends whoever asks to another server, which
//	                            writes a file when it is asked
func cmdServer(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case !neg && len(args) == 2 && args[0] == "silent":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Defer(func() { l.Close() })
		_, port, err := net.SplitHostPort(l.Addr().String())
		ts.Check(err)
		ts.Setenv(args[1], port)
	case !neg && len(args) == 3 && args[0] == "redirects":
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
