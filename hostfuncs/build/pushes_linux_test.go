package build

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestPushesAtOnce pushes images that differ with each engine at once: two by
// the same name, and eight by others.
func TestPushesAtOnce(t *testing.T) {
	providertest.Long(t)
	eachRig(t, testPushesAtOnce)
}

func testPushesAtOnce(t *testing.T, r rig) {
	host := providertest.Registry(t, "")
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			var tags []string
			var sites []site
			var builds []func() abi.Reply
			for i := range 10 {
				tag := fmt.Sprintf("%s/%s/shop:%d", host, engine.Kind, min(i, 8))
				s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": fmt.Sprint("of ", i)})
				tags, sites, builds = append(tags, tag), append(sites, s), append(builds, s.begin(t.Context(), t, tag, true))
			}
			built := atOnce(t, builds)
			for i, b := range built[:8] {
				if got := digestOf(t, tags[i]); got != b.Digest {
					t.Errorf("%s is %s, built was %+v\n%s", tags[i], got, b, sites[i].progress)
				}
			}
			if last := digestOf(t, tags[8]); built[8].Digest == built[9].Digest || last != built[8].Digest && last != built[9].Digest {
				t.Errorf("%s is %s, built were %+v", tags[8], last, built[8:])
			}
			ids := map[string]bool{}
			for _, b := range built {
				ids[b.ID] = true
			}
			if len(ids) != len(built) {
				t.Errorf("some are the same: %+v", built)
			}
		})
	}
}

// TestPushOfATakenName has another build take an image's name in the engine
// before it is pushed: the reply names what was built. An engine with
// containerd's image store has no such image any more.
func TestPushOfATakenName(t *testing.T) { eachDocker(t, testPushOfATakenName) }

func testPushOfATakenName(t *testing.T, r rig) {
	host := providertest.Registry(t, "")
	tag := host + "/team/shop:1"
	s := r.site(t, dockerKind, map[string]string{"Dockerfile": "FROM scratch\nLABEL of=ours\n"})
	other := r.site(t, dockerKind, map[string]string{"Dockerfile": "FROM scratch\nLABEL of=others\n"}).begin(t.Context(), t, tag, false)
	named := naming(tag)
	var took sync.Once
	s.Builds.Progress = writer(func(p []byte) (int, error) {
		if named.Match(p) {
			took.Do(func() { hosttest.As[abi.DockerBuildResult](t, other()) })
		}
		return s.progress.Write(p)
	})
	reply := s.build(t.Context(), t, tag, true)
	took.Do(func() { t.Errorf("the name was not taken:\n%s", s.progress) })
	if r.about.Containerd {
		s.wantLine(t, reply, abi.CodeFailed, "push "+tag+": other builds use this name for their images at the same time; build again")
		return
	}
	built := hosttest.As[abi.DockerBuildResult](t, reply)
	ref, err := name.ParseReference(host + "/team/shop@" + built.Digest)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	if config, err := pushed.ConfigName(); err != nil || config.String() != built.Config {
		t.Errorf("pushed was %v, %v, built %+v", config, err, built)
	}
}

// atOnce does builds that must work.
func atOnce(t *testing.T, builds []func() abi.Reply) []abi.DockerBuildResult {
	t.Helper()
	replies := make([]abi.Reply, len(builds))
	var wait sync.WaitGroup
	for i, build := range builds {
		wait.Go(func() { replies[i] = build() })
	}
	wait.Wait()
	var built []abi.DockerBuildResult
	for _, reply := range replies {
		built = append(built, hosttest.As[abi.DockerBuildResult](t, reply))
	}
	return built
}
