package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backendtest"
)

// TestDetect: an app in TypeScript is found, one in Go is not.
func TestDetect(t *testing.T) {
	const manifest = `{"dependencies": {"encore.dev": "1"}}`
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"at the root", map[string]string{"encore.app": "{}", "package.json": manifest}, []string{`. {"dev":{"entrypoint":"."}}`}},
		{"below", map[string]string{"apps/shop/encore.app": "{}", "apps/shop/package.json": manifest, "package.json": "{}"}, []string{`apps/shop {"dev":{"entrypoint":"./apps/shop"}}`}},
		{"in Go", map[string]string{"encore.app": "{}", "go.mod": "module x"}, nil},
		{"a dependency", map[string]string{"node_modules/x/encore.app": "{}", "node_modules/x/package.json": manifest}, nil},
		{"nothing", map[string]string{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &backendtest.Host{Files: tt.files}
			found, err := new(Provider).Detect(backend.WithHost(t.Context(), h), abi.DetectOptions{WorkDir: "."})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range found {
				if err := new(Provider).Validate(t.Context(), abi.ValidateOptions{Config: c.Config}); err != nil {
					t.Error(err)
				}
				got = append(got, c.Dir+" "+string(c.Config))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDetectForConfiguration: the needs are those of the configuration that exists.
func TestDetectForConfiguration(t *testing.T) {
	found, err := new(Provider).Detect(t.Context(), abi.DetectOptions{Config: []byte(`{"dev":{"entrypoint":"b","listen":"0.0.0.0:4100","env_from":[".env"]}}`)})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"encore", "run", "--listen", "0.0.0.0:4100", "--browser", "never"}, startsDaemon}
	if n := found[0].Needs; len(found) != 1 || !cmp.Equal(n.Exec, want) || !cmp.Equal(n.Connect, []int{4100}) {
		t.Errorf("got %+v", n)
	}
}
