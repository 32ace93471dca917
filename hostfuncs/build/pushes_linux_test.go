package build

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestPushesAtOnce pushes ten images that differ at once, the last two by the same
// name. One of these two may be refused as in [TestPushOfATakenName].
func TestPushesAtOnce(t *testing.T) {
	providertest.Long(t)
	eachRig(t, testPushesAtOnce)
}

func testPushesAtOnce(t *testing.T, r rig) {
	host := providertest.Registry(t, "")
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			const named, all = 8, 10
			replies := make([]abi.Reply, all)
			var wait sync.WaitGroup
			tag := func(i int) string { return fmt.Sprintf("%s/%s/shop:%d", host, engine.Kind, min(i, named)) }
			for i := range replies {
				s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": fmt.Sprint("of ", i)})
				build := s.begin(t.Context(), t, tag(i), true)
				wait.Go(func() { replies[i] = build() })
			}
			wait.Wait()
			if loser := slices.IndexFunc(replies, func(reply abi.Reply) bool { return reply.Error != nil }); loser >= named && r.about.Containerd {
				wantTaken(t, replies[loser], tag(loser))
				replies = slices.Delete(replies, loser, loser+1)
			}
			ids := map[string]bool{}
			ofTag := map[string][]string{}
			for i, reply := range replies {
				built := hosttest.As[abi.DockerBuildResult](t, reply)
				ids[built.ID] = true
				ofTag[tag(i)] = append(ofTag[tag(i)], built.Digest)
			}
			if len(ids) != len(replies) {
				t.Errorf("%d images have %d IDs", len(replies), len(ids))
			}
			for tag, built := range ofTag {
				if got := digestOf(t, tag); !slices.Contains(built, got) || len(built) == 2 && built[0] == built[1] {
					t.Errorf("%s is %s, built were %v", tag, got, built)
				}
			}
		})
	}
}

// wantTaken wants a push to have failed because another build took the name.
func wantTaken(t *testing.T, reply abi.Reply, tag string) {
	t.Helper()
	want := "push " + tag + ": other builds use this name for their images at the same time; build again"
	if reply.Error == nil || reply.Error.Code != abi.CodeFailed || !strings.Contains(reply.Error.Message, want) {
		t.Errorf("got %+v, want %s", reply, want)
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
		wantTaken(t, reply, tag)
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
