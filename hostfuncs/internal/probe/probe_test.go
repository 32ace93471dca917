package probe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// TestMain has a proxy in the environment, which net/http looks at once in a
// process. None is to be asked: the request's line would show it.
func TestMain(m *testing.M) {
	if err := os.Setenv("HTTP_PROXY", "http://proxy.test"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// listen gives a listener's address; what is accepted is for serve, which may be
// nil: then nobody ever says a word.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if serve != nil {
		go func() {
			for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
				go serve(conn)
			}
		}()
	}
	return l.Addr().String()
}

// free is an address where nothing listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// web is the address of a server with that handler.
func web(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestConnection(t *testing.T) {
	silent := listen(t, nil)
	for name, tt := range map[string]struct {
		addresses []string
		want      bool
	}{
		"ready":               {[]string{silent}, true},
		"not ready":           {[]string{free(t)}, false},
		"the second is":       {[]string{free(t), silent}, true},
		"the first is":        {[]string{silent, free(t)}, true},
		"there is no address": {nil, false},
	} {
		if answers, code := Ask(t.Context(), tt.addresses, "localhost", ""); answers != tt.want || code != 0 {
			t.Errorf("%s: got %v, %d", name, answers, code)
		}
	}
}

// TestStatus has any status below 500 as an answer.
func TestStatus(t *testing.T) {
	for code, want := range map[int]bool{200: true, 204: true, 301: true, 401: true, 404: true, 499: true, 500: false, 503: false, 599: false} {
		address := web(t, status(code))
		if answers, got := Ask(t.Context(), []string{address}, address, "/"); answers != want || got != code {
			t.Errorf("%d: got %v, %d", code, answers, got)
		}
	}
}

// TestSeveral asks one after another, until one answers.
func TestSeveral(t *testing.T) {
	broken, fine, nothing := web(t, status(500)), web(t, status(404)), free(t)
	for name, tt := range map[string]struct {
		addresses []string
		answers   bool
		code      int
	}{
		"none":             {[]string{nothing, nothing}, false, 0},
		"the second":       {[]string{nothing, fine}, true, 404},
		"a better second":  {[]string{broken, fine}, true, 404},
		"a broken one":     {[]string{broken, nothing}, false, 500},
		"a broken second":  {[]string{nothing, broken}, false, 500},
		"no second needed": {[]string{fine, broken}, true, 404},
	} {
		if answers, code := Ask(t.Context(), tt.addresses, "localhost", "/"); answers != tt.answers || code != tt.code {
			t.Errorf("%s: got %v, %d", name, answers, code)
		}
	}
}

// TestAsksThere wants that address alone to be asked, whatever the name of the
// host, a redirect or a proxy of the environment say.
func TestAsksThere(t *testing.T) {
	elsewhere := web(t, func(http.ResponseWriter, *http.Request) { t.Error("another server is asked") })
	asked := make(chan string, 1)
	address := web(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- fmt.Sprint(r.Method, " ", r.Host, " ", r.RequestURI, " ", r.Close)
		http.Redirect(w, r, "http://"+elsewhere, http.StatusFound)
	})
	answers, code := Ask(t.Context(), []string{address}, "shop.test:80", "/healthz?full=1")
	if !answers || code != http.StatusFound {
		t.Errorf("got %v, %d", answers, code)
	}
	if got, want := <-asked, "GET shop.test:80 /healthz?full=1 true"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

// TestNoHTTP has what says something else, or says it and never ends.
func TestNoHTTP(t *testing.T) {
	other := listen(t, func(conn net.Conn) { fmt.Fprint(conn, "220 mail\r\n"); conn.Close() })
	if answers, code := Ask(t.Context(), []string{other}, other, "/"); answers || code != 0 {
		t.Errorf("another protocol: got %v, %d", answers, code)
	}
	endless := web(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	if answers, code := Ask(t.Context(), []string{endless}, endless, "/"); !answers || code != 200 {
		t.Errorf("an answer without an end: got %v, %d", answers, code)
	}
}

// TestSilent has servers that take the connection and never say a word: that is
// an answer to who asks for a connection, and else none, within a time. A limit
// that is not kept makes it hang.
func TestSilent(t *testing.T) {
	for name, tt := range map[string]struct{ own, context time.Duration }{
		"its own time":  {20 * time.Millisecond, time.Hour},
		"the context's": {time.Hour, 20 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), tt.context)
			defer cancel()
			silent := listen(t, nil)
			if answers, code := ask(ctx, tt.own, []string{silent, silent}, silent, "/"); answers || code != 0 {
				t.Errorf("got %v, %d", answers, code)
			}
		})
	}
}

// TestDone asks nobody any more.
func TestDone(t *testing.T) {
	address := web(t, func(http.ResponseWriter, *http.Request) { t.Error("it is asked") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"", "/"} {
		if answers, code := Ask(ctx, []string{address}, address, path); answers || code != 0 {
			t.Errorf("path %q: got %v, %d", path, answers, code)
		}
	}
}
