package build

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestOutputsForSkopeo has a tool that is not ours take what each engine writes:
// a layout by each tag of the image, and a file. It finds the image by the digests
// in the reply.
func TestOutputsForSkopeo(t *testing.T) { eachRig(t, testOutputsForSkopeo) }

func testOutputsForSkopeo(t *testing.T, r rig) {
	skopeo := providertest.Skopeo(t)
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\nCOPY Dockerfile /\n", "file": "in it"})
			out := imagetest.Dir(t)
			s.outputs(out)
			s.Builds.Tags = []string{"registry.test:5000/shop/" + string(engine.Kind) + ":2"}
			built := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:1", false))
			for _, from := range []string{"oci:" + filepath.Join(out, "layout") + ":1", "oci:" + filepath.Join(out, "layout") + ":2", "docker-archive:" + filepath.Join(out, "image.tar") + ":shop:1"} {
				to := filepath.Join(imagetest.Dir(t), "copy")
				run := func(args ...string) []byte {
					text, err := exec.Command(skopeo, append([]string{"--insecure-policy"}, args...)...).CombinedOutput()
					if err != nil {
						t.Fatalf("skopeo %q: %v\n%s", args, err, text)
					}
					return text
				}
				run("copy", from, "dir:"+to)
				var manifest struct{ Config struct{ Digest string } }
				readJSON(t, filepath.Join(to, "manifest.json"), &manifest)
				if manifest.Config.Digest != built.Config {
					t.Errorf("%s: the copy is %s, built was %+v", from, manifest.Config.Digest, built)
				}
				if !strings.HasPrefix(from, "oci:") {
					continue
				}
				var inspected struct{ Digest string }
				if err := json.Unmarshal(run("inspect", from), &inspected); err != nil || inspected.Digest != built.Digest {
					t.Errorf("%s: skopeo has %s, %v, built was %+v", from, inspected.Digest, err, built)
				}
			}
		})
	}
}
