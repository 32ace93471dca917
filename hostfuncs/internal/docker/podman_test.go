package docker

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types"
	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestBuildAsksForTheNetwork wants each engine to be asked for a network by the
// names that it knows. Podman takes no notice of Docker's, and has steps in the
// host's network then.
func TestBuildAsksForTheNetwork(t *testing.T) {
	const own = `[{"Name":"network","Host":false}]`
	for _, tt := range []struct {
		engine, network string
		want            url.Values
	}{
		{"Engine", "", url.Values{}},
		{"Engine", "default", url.Values{}},
		{"Engine", "none", url.Values{"networkmode": {"none"}}},
		{"Engine", "host", url.Values{"networkmode": {"host"}}},
		{"Podman Engine", "", url.Values{"nsoptions": {own}}},
		{"Podman Engine", "default", url.Values{"nsoptions": {own}}},
		{"Podman Engine", "none", url.Values{"networkmode": {"NetworkDisabled"}}},
		{"Podman Engine", "host", url.Values{"networkmode": {"host"}}},
	} {
		got := url.Values{}
		e := connected(t, serveSocket(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/_ping":
				w.Header().Set("Api-Version", "1.41")
			case "/v1.41/version":
				answering(200, `{"Components": [{"Name": "`+tt.engine+`"}, {"Name": "other"}]}`)(w, r)
			case "/v1.41/build":
				for _, name := range []string{"networkmode", "nsoptions"} {
					if values := r.URL.Query()[name]; values != nil {
						got[name] = values
					}
				}
				answering(200, `{"aux":{"ID":"`+anID+`"}}`)(w, r)
			default:
				t.Errorf("asked for %s", r.URL.Path)
			}
		}))
		b := aBuild(t)
		b.Network = tt.network
		if _, err := e.BuildClassic(t.Context(), b, nil); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, %q: -want +got\n%s", tt.engine, tt.network, diff)
		}
	}
}

// TestBuildTellsPodmanWhatToIgnore wants Podman to ignore the Dockerfile
// and nothing else, and not to find an ignore file that is not the context's.
func TestBuildTellsPodmanWhatToIgnore(t *testing.T) {
	var sent map[string]imagetest.File
	var query url.Values
	e := connected(t, serveSocket(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/_ping":
			w.Header().Set("Api-Version", "1.41")
		case "/v1.41/version":
			answering(200, `{"Components": [{"Name": "Podman Engine"}]}`)(w, r)
		default:
			query, sent = r.URL.Query(), imagetest.Tar(t, r.Body)
			answering(200, `{"aux":{"ID":"`+anID+`"}}`)(w, r)
		}
	}))
	b := aBuild(t)
	b.Text = []byte("FROM scratch\nLABEL decided=on\n")
	imagetest.Write(t, b.Context, map[string]string{"Dockerfile.dockerignore": "*\n!kept/a\n!Dockerfile\n", "kept/a": "", "kept/b": ""})
	for range 2 {
		if _, err := e.BuildClassic(t.Context(), b, nil); err != nil {
			t.Fatal(err)
		}
	}
	// The second time the whole context is sent again.
	name := query.Get("dockerfile")
	if got, want := query.Get("excludes"), `["`+name+`"]`; got != want || !strings.HasPrefix(name, ".dockerfile.") {
		t.Errorf("it ignores %s of a build of %s, want %s", got, name, want)
	}
	if got, want := slices.Sorted(maps.Keys(sent)), []string{name, "Dockerfile", "kept/", "kept/a"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	for _, name := range []string{name, "Dockerfile"} {
		if got := sent[name].Text; got != string(b.Text) {
			t.Errorf("%s has %q, and not what was decided on", name, got)
		}
	}
}

// TestBuildOfAnUnknownEngine sends nothing to an engine that does not say what it
// is.
func TestBuildOfAnUnknownEngine(t *testing.T) {
	e := connected(t, serveSocket(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/_ping":
			w.Header().Set("Api-Version", "1.41")
		case "/v1.41/version":
			answering(500, `{"message": "not today"}`)(w, r)
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	}))
	if _, err := e.BuildClassic(t.Context(), aBuild(t), nil); err == nil || err.Error() != "build: not today" {
		t.Errorf("got %v", err)
	}
}

// TestMisreads has each kind of line at a number of its own, and wants the kinds
// that each engine takes for something else.
func TestMisreads(t *testing.T) {
	podman := []types.ComponentVersion{{Name: podmanEngine}}
	kinds := []dockerfile.Misread{{Heredoc: 1}, {ArgAgain: 2}, {StageAgain: 3}, {StageCase: 4}}
	for _, tt := range []struct {
		of   types.Version
		want []int
	}{
		{types.Version{}, []int{1, 2}},
		{types.Version{Version: "20.10.24", APIVersion: "1.41"}, []int{1, 2}},
		{types.Version{Version: "23.0.0", APIVersion: "1.42"}, []int{2}},
		{types.Version{Version: "24.0.0", APIVersion: "1.43"}, nil},
		{types.Version{Version: "29.1.0", APIVersion: "1.52"}, nil},
		{types.Version{APIVersion: "1.52", Components: podman}, []int{1, 3, 4}},
		{types.Version{Version: "4.3.1", APIVersion: "1.41", Components: podman}, []int{1, 3, 4}},
		{types.Version{Version: "4.8.0", APIVersion: "1.41", Components: podman}, []int{3, 4}},
		{types.Version{Version: "5.2.0", APIVersion: "1.41", Components: podman}, []int{3, 4}},
	} {
		var got []int
		for _, m := range kinds {
			if misread := misreads(tt.of, m); misread != nil {
				got = append(got, misread.Line)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: lines (-want +got):\n%s", tt.of, diff)
		}
	}
}
