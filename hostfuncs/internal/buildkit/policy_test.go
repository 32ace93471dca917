package buildkit

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/sourcepolicy"
	spb "github.com/moby/buildkit/sourcepolicy/pb"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// TestSourcePolicyOfRepositories asks BuildKit's own engine for source policies
// about repositories of which one was decided on.
func TestSourcePolicyOfRepositories(t *testing.T) {
	engine := sourcepolicy.NewEngine([]*spb.Policy{sourcePolicy(image.Build{
		Bases: []string{}, Remotes: []string{"https://acme.dev/r.git#main:a"},
	})})
	for _, tt := range []struct {
		url, ref, directory string
		allowed             bool
	}{
		{"https://acme.dev/r.git", "main", "a", true},
		{"ssh://git@acme.dev/r.git", "v1..v2", "a..b/..c/d..", true},
		{"https://acme.dev/other.git", "main", "a", false},
		{"https://acme.dev/r.git", "main", "..", false},
		{"https://acme.dev/r.git", "main", "../../x", false},
		{"https://acme.dev/r.git", "", "a/../../x", false},
		{"https://acme.dev/r.git", "main", `a\..\x`, false},
		{"https://acme.dev/r.git", "a/../..", "", false},
	} {
		_, err := engine.Evaluate(t.Context(), gitSource(t, tt.url, tt.ref, tt.directory))
		if (err == nil) != tt.allowed {
			t.Errorf("%s, ref %q, directory %q: %v", tt.url, tt.ref, tt.directory, err)
		}
	}
}

// gitSource is what BuildKit asks its policies about. The directory goes there as
// a query has it.
func gitSource(t *testing.T, url, ref, directory string) *pb.SourceOp {
	t.Helper()
	options := []llb.GitOption{llb.KnownSSHHosts("none")}
	if directory != "" {
		options = append(options, llb.GitSubDir(directory))
	}
	definition, err := llb.Git(url, ref, options...).Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range definition.Def {
		var op pb.Op
		if err := op.Unmarshal(raw); err != nil {
			t.Fatal(err)
		}
		if source := op.GetSource(); source != nil {
			return source
		}
	}
	t.Fatal("there is no source")
	return nil
}
