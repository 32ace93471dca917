package hostfuncs

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestOutputOfATakenName has another build take an image's name in the engine
// before it is written to a file: that image is not what was built.
func TestOutputOfATakenName(t *testing.T) {
	r := dockerRig(t)
	for _, kind := range []string{"tar", "oci"} {
		s := r.site(t, dockerKind, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /ours\n"})
		tag, out := "shop:taken-"+kind, imagetest.Dir(t)
		s.Builds.Outputs = []Output{{Layout: kind == "oci", Path: filepath.Join(out, "image")}}
		other := r.site(t, dockerKind, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /others\n"}).begin(t.Context(), t, tag, false)
		var took sync.Once
		s.Builds.Progress = writer(func(p []byte) (int, error) {
			if strings.Contains(string(p), "naming to docker.io/library/"+tag+" done") {
				took.Do(func() { as[abi.DockerBuildResult](t, other()) })
			}
			return s.progress.Write(p)
		})
		s.wantLine(t, s.build(t.Context(), t, tag, false), abi.CodeFailed, tag+" is another image by now")
		took.Do(func() { t.Errorf("the name was not taken:\n%s", s.progress) })
		wantEmpty(t, out)
	}
}
