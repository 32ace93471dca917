package build

import (
	"maps"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestDigestsOfBases wants each engine to tell the digest that a registry has
// for an image that is named by a tag alone, of one platform or several.
func TestDigestsOfBases(t *testing.T) { eachRig(t, testDigestsOfBases) }

func testDigestsOfBases(t *testing.T, r rig) {
	host := providertest.Registry(t, "")
	base := func(tag string, platforms ...string) string {
		s := r.site(t, r.daemon, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": tag})
		s.ask = func(q *abi.DockerBuildRequest) { q.Platforms = platforms }
		hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, host+"/"+tag, true))
		return digestOf(t, host+"/"+tag)
	}
	one, two, three := base("one:1", "linux/amd64", "linux/arm64"), base("two:1"), base("three:1")
	pinned := host + "/three@" + three
	want := map[string]string{host + "/one:1": one, host + "/two:1": two, pinned: three}
	text := "FROM " + host + "/one:1 AS build\nCOPY more /\nFROM " + pinned + "\n" +
		"COPY --from=build /file /one\nCOPY --from=" + host + "/two:1 /file /two\nENV FROM=\"FROM x@" + one + "\"\n"
	for _, e := range r.all() {
		t.Run(string(e.Kind), func(t *testing.T) {
			s := r.site(t, e, map[string]string{"Dockerfile": text, "more": ""})
			for _, again := range []string{"", "again, "} {
				// For BuildKit the tag is looked up again, and the steps are cached.
				s.outputs(t.TempDir())
				got := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:bases", false)).Bases
				if _, named := got[host+"/two:1"]; e.Kind == Docker && !named {
					// Engines as old as 20.10 look up no digest of what is copied from.
					got[host+"/two:1"] = two
				}
				if e.Kind == Docker && !r.about.BuildKit {
					// The classic build API reports no digests.
					got[host+"/one:1"] = one
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s(-want +got):\n%s\n%s", again, diff, s.progress)
				}
			}
		})
	}
}

// TestDigestsOfDecidedBases wants nothing of a builder's word on an image that
// was not decided on, and no other digest than the one that a reference has.
func TestDigestsOfDecidedBases(t *testing.T) {
	pinned := "docker.io/library/b@" + digestLike("b")
	p := plan{}
	p.uses.Bases = []string{"docker.io/library/a:1", pinned, "docker.io/library/c:1"}
	got := p.digests(map[string]string{"docker.io/library/a:1": digestLike("a"), pinned: digestLike("x"), "docker.io/library/d:1": digestLike("d")})
	if want := map[string]string{"docker.io/library/a:1": digestLike("a"), pinned: digestLike("b")}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
