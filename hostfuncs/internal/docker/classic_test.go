package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

const anID = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// answering makes a handler that takes the whole request and answers with
// text.
func answering(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, text)
	}
}

func TestBuildRequest(t *testing.T) {
	var got url.Values
	e := connected(t, standIn(t, "/build", func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query()
		answering(http.StatusOK, `{"aux":{"ID":"sha256:stage"}}`+"\n"+`{"aux":{"ID":"`+anID+`"}}`)(w, r)
	}))
	b := aBuild(t)
	b.Tags = []string{"a:1", "r.io/b"}
	b.Args = map[string]string{"A": "1"}
	b.Target = "t"
	b.Network = "host"
	built, err := e.BuildClassic(t.Context(), b, nil)
	if err != nil || built.ID() != anID {
		t.Errorf("got %v, %v", built, err)
	}
	want := url.Values{
		"version": {"1"}, "dockerfile": {"Dockerfile"}, "t": b.Tags, "buildargs": {`{"A":"1"}`},
		"target": {"t"}, "networkmode": {"host"}, "forcerm": {"1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestBuildRefusesBadRequests(t *testing.T) {
	e := connected(t, standIn(t, "/", nil))
	for _, tt := range []struct {
		change func(*image.Build)
		want   string
	}{
		{func(b *image.Build) { b.Tags = []string{"ok", "NOT"} }, `image tag "NOT"`},
		{func(b *image.Build) { b.Network = "container:x" }, `unknown network "container:x"`},
		{func(b *image.Build) { b.Context = "." }, `"." is not an absolute path`},
	} {
		b := aBuild(t)
		tt.change(&b)
		if _, err := e.BuildClassic(t.Context(), b, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestBuildBrokenAnswers(t *testing.T) {
	const step = `{"stream":"Step 1/1 : FROM a\n"}` + "\n" + `{"stream":"some output"}` + "\n"
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		failed *image.Error // or else:
		err    string
	}{
		{"no image", answering(200, step), &image.Error{Step: "Step 1/1 : FROM a", Message: "the engine did not return an image", Log: "some output"}, ""},
		{"a strange image", answering(200, step+`{"aux":{"ID":"../x"}}`), &image.Error{Step: "Step 1/1 : FROM a", Message: "the engine did not return an image", Log: "some output"}, ""},
		{"an error without a reason", answering(200, step+`{"errorDetail":{}}`), &image.Error{Step: "Step 1/1 : FROM a", Message: "the engine gives no reason", Log: "some output"}, ""},
		{"an odd reason", answering(200, step+`{"error":" \u001b[31mno\u0007\n"}`), &image.Error{Step: "Step 1/1 : FROM a", Message: "no", Log: "some output"}, ""},
		{"an error though there is an image", answering(200, `{"aux":{"ID":"`+anID+`"}}`+"\n"+`{"error":"no"}`), &image.Error{Message: "no"}, ""},
		{"no JSON", answering(200, "<html>"), nil, "cannot read its answer"},
		{"a long line", answering(200, strings.Repeat("x", messageLimit+1)), nil, "longer than 1 MiB"},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			answering(200, step)(w, r)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, nil, "the connection was lost: unexpected EOF"},
		{"refused", answering(400, `{"message":"dockerfile parse error"}`), &image.Error{Message: "dockerfile parse error"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := connected(t, standIn(t, "/build", tt.answer)).BuildClassic(t.Context(), aBuild(t), nil)
			failed, ok := errors.AsType[*image.Error](err)
			if ok != (tt.failed != nil) || err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(tt.failed, failed); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBuildEngineGoesAway(t *testing.T) {
	e := connected(t, standIn(t, "/build", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	_, err := e.BuildClassic(t.Context(), aBuild(t), nil)
	if _, ok := errors.AsType[*UnavailableError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// TestBuildContextBreaks lets a file vanish while the context is on its way.
func TestBuildContextBreaks(t *testing.T) {
	b := aBuild(t)
	imagetest.Write(t, b.Context, map[string]string{"a": strings.Repeat("x", 4<<20), "b": ""})
	e := connected(t, standIn(t, "/build", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadFull(r.Body, make([]byte, 1<<20)); err != nil {
			t.Error(err)
		}
		if err := os.Remove(filepath.Join(b.Context, "b")); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			t.Error("the engine takes half a context for a whole one")
		}
	}))
	_, err := e.BuildClassic(t.Context(), b, nil)
	if _, ok := err.(*image.ContextError); !ok || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(b.Context, "b")) {
		t.Errorf("got %v", err)
	}
}

func TestBuildCancelled(t *testing.T) {
	big := aBuild(t)
	imagetest.Write(t, big.Context, map[string]string{"a": strings.Repeat("x", 4<<20)})
	for name, before := range map[string]func(http.ResponseWriter, *http.Request){
		"while it is sent": func(http.ResponseWriter, *http.Request) {},
		"before an answer": func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) },
		"during the build": func(w http.ResponseWriter, r *http.Request) {
			answering(200, "{\"stream\":\"a\\n\"}\n")(w, r)
			w.(http.Flusher).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			e := connected(t, standIn(t, "/build", func(w http.ResponseWriter, r *http.Request) {
				before(w, r)
				cancel()
				<-r.Context().Done()
			}))
			if _, err := e.BuildClassic(ctx, big, nil); err != context.Canceled {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBuildProgressFails(t *testing.T) {
	e := connected(t, standIn(t, "/build", answering(200, `{"stream":"a\n"}`+"\n"+`{"aux":{"ID":"`+anID+`"}}`)))
	broken := writerFunc(func([]byte) (int, error) { return 0, errors.New("broken pipe") })
	if built, err := e.BuildClassic(t.Context(), aBuild(t), broken); err != nil || built.ID() != anID {
		t.Errorf("got %v, %v", built, err)
	}
}

func TestBuildErrorText(t *testing.T) {
	err := &image.Error{Step: "Step 1/2 : RUN make", Message: "it returned 2", Log: "a\nb"}
	if got, want := fmt.Sprint(err), "build: Step 1/2 : RUN make: it returned 2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNeedsBuildKit refuses each feature that the classic build API would
// silently ignore.
func TestNeedsBuildKit(t *testing.T) {
	for _, tt := range []struct {
		build image.Build
		want  string
	}{
		{image.Build{Labels: map[string]string{"a": "b"}, Args: map[string]string{"A": "1"}, Target: "t", NoCache: true, Pull: true}, ""},
		{image.Build{Platforms: []string{"linux/arm64"}}, "platforms"},
		{image.Build{Secrets: map[string][]byte{"a": nil}}, "secrets"},
		{image.Build{CacheFrom: []string{"a"}}, "a cache in a registry"},
		{image.Build{CacheTo: []image.Cache{{Ref: "a"}}}, "a cache in a registry"},
		{image.Build{Syntax: "a"}, "a frontend of its own (a)"},
	} {
		if got := needsBuildKit(tt.build); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
