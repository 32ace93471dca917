package dockerfile

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/protobuf/proto"
)

// FuzzAsBuildKit compares what we say that a build uses with what BuildKit's own
// frontend makes of it: what the one takes, the other must know of.
func FuzzAsBuildKit(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed, "", "A", "b", "")
		f.Add(seed, "x", "B", "http://v/", "linux/arm64")
	}
	for _, dir := range []string{"corpus", "refused"} {
		for _, text := range corpus(f, dir) {
			f.Add(text, "", "A", "b", "")
		}
	}
	f.Fuzz(func(t *testing.T, text, target, name, value, platform string) {
		wantAll(t, text, Options{Target: target, Args: map[string]string{name: value}, Platform: platform})
	})
}

// FuzzLinesAsBuildKit does so for Dockerfiles of lines that mean something.
func FuzzLinesAsBuildKit(f *testing.F) {
	f.Add([]byte{0, 14, 30, 41}, "", "A", "b", "")
	f.Add([]byte{3, 14, 33, 15, 28, 16, 45, 50}, "y", "Y", "evil/x", "linux/arm/v7")
	f.Fuzz(func(t *testing.T, picks []byte, target, name, value, platform string) {
		var lines []string
		for _, pick := range picks[:min(len(picks), 40)] {
			lines = append(lines, linesOfUse[int(pick)%len(linesOfUse)])
		}
		wantAll(t, strings.Join(lines, "\n"), Options{Target: target, Args: map[string]string{name: value}, Platform: platform})
	})
}

// TestLinesAsBuildKit does so for so many of them, the same ones each time.
func TestLinesAsBuildKit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	for range 2000 {
		var lines []string
		for range random.IntN(3) {
			lines = append(lines, one(linesOfUse[:12]...))
		}
		for range 1 + random.IntN(3) {
			lines = append(lines, one(linesOfFrom...))
			for range random.IntN(4) {
				lines = append(lines, one(linesOfUse...))
			}
		}
		o := Options{Platform: one("", "linux/arm64", "linux/arm/v7"), Target: one("", "", "x", "Y", "z", "0")}
		o.Args = map[string]string{one("A", "B", "X", "TARGETARCH"): one("", "x", "evil/y", "http://v/", "0", "host")}
		if wantAll(t, strings.Join(lines, "\n"), o); t.Failed() {
			return
		}
	}
}

// linesOfFrom begin a stage.
var linesOfFrom = []string{
	"FROM scratch", "FROM scratch AS x", "FROM base AS y", "FROM x", "FROM X", "FROM x AS X", "FROM $A AS z", "FROM ${A:-y}", "FROM ${X:-${Y}}", "FROM scratch AS scratch",
	"FROM --platform=$BUILDPLATFORM base:b AS b", "FROM --platform=linux/$A base:c", "FROM img-$TARGETARCH", "FROM \"x\"", "FROM b@sha256:" + hex64, "FROM base AS 0", "FROM 0 AS context",
}

// linesOfUse are what a Dockerfile may be made of that takes something in, by
// ways that are easily overlooked.
var linesOfUse = append([]string{
	"ARG A", "ARG A=base", "ARG A B=$A X=${Y:-z}", "ARG Y=x", "ARG A=http://arg/", "ARG TARGETARCH=mips", "ARG BUILDKIT_SBOM_SCAN_STAGE=s", "ADD ${BUILDKIT_SBOM_SCAN_STAGE:-http://sbom/} /", "ARG TARGETPLATFORM", "ARG SOURCE_DATE_EPOCH=1",
	"ENV A=http://env/ B=$A", "ENV X=${A:+http://x/}", "ENV A=", "ENV $A=http://y/", "# escape=`", "#escape = \\",
	"COPY --from=x / /", "COPY --from=X / /", "COPY --from=0 / /", "COPY --from=1 / /", "COPY --from=Y/a / /", "COPY --from=evil:1 / /", "COPY --from=$A / /", "COPY --from='x' / /", "COPY --from=scratch / /", "COPY --from=context / /", "COPY --from=01 / /", "COPY --from=+0 / /", "COPY --link --from=y --chown=$A a b /",
	"COPY <<E /x\nFROM in-heredoc\nE", "COPY --from=z <<E /x\nE", "COPY $A /",
	"ADD $A /", "ADD ${A}x /", "ADD $B ./c /", "ADD http://h/x /", "ADD https://h/x.git#b /", "ADD git@h.y:z.git /", "ADD git://h/z /", "ADD ssh://g@h/z.git /", "ADD HTTP://h/x /", "ADD \"http://q/$A\" /", "ADD [\"http://j/$A\", \"/x/\"]", "ADD h.y/z.git /", "ADD github.com/a/b /", "ADD --checksum=sha256:" + hex64 + " http://c/x /", "ADD --keep-git-dir http://k/x.git /", "ADD <<E http://d/x /\nE", "ADD h\\ttp://e/ /", "ADD 'http://s/'$A /",
	"RUN --mount=from=x,target=/m a", "RUN --mount=from=0,target=/m a", "RUN --mount=type=bind,from=evil:2,target=/m a", "RUN --mount=type=cache,from=X,target=/m a", "RUN --mount=type=cache,target=/m,from=evil:3,id=$A a", "RUN --mount=type=$A,target=/m a", "RUN --mount=type=secret,id=s a", "RUN --mount=type=secret,id=$A,env=Z a", "RUN --mount=type=secret,src=q,target=/t/r a", "RUN --mount=type=secret,target=/t/$A a", "RUN --mount=type=ssh a", "RUN --mount=type=tmpfs,from=evil:4,target=/m a",
	"RUN --network=host a", "RUN --network=none a", "RUN --network=default a", "RUN --security=insecure a", "RUN --security=sandbox a", "RUN <<E --network=host\na\nE", "RUN --mount=from=evil:5,target=/m --network=host --security=insecure <<E\na\nE", "RUN --mount=\"from=evil:6\",target=/m a",
	"ONBUILD COPY --from=evil:7 / /", "ONBUILD ADD $A /", "ONBUILD RUN --network=host a", "ONBUILD COPY --from=x / /", "ONBUILD ENV A=http://o/", "ONBUILD ARG A", "ONBUILD RUN --mount=from=evil:8,target=/m --mount=type=secret,id=o a",
	"COPY http://k/x /", "COPY https://h/x.git /", "COPY --chmod=$A a /", "COPY --chmod=u+x a /", "COPY --chmod=9 a /", "ADD --chmod=0$B a /", "COPY --link --chown=$B a /", "ADD --checksum=$A $B /", "ADD --checksum=sha256:1 http://c/x /",
	"RUN --mount=type=cache,id=$A,sharing=${B:+private},target=/c a", "RUN --mount=type=cache,target=$A a", "RUN --mount=type=ssh,src=$A a", "RUN --mount=type=tmpfs,size=$A,target=/t a", "RUN --mount=type=cache,uid=$A,mode=0$B,target=/c a", "RUN --mount=type=secret,id=$A,src=$B a",
	"# check=skip=all", "# check=skip=JSONArgsRecommended;error=true", "#check = experimental=all", "# check=none", "CMD a", "MAINTAINER $A", "EXPOSE $A/tcp 1-$B", "STOPSIGNAL $A", "VOLUME a$A", "WORKDIR /", "ONBUILD # check=skip=all", "ONBUILD CMD a", "LABEL ${A}=${B:-${X}}", "ENV Z=${A", "COPY <<E /x\n$A${B\nE", "RUN <<E [\"a\"]\nE",
	"WORKDIR $A", "USER $A", "SHELL [\"a\"]", "\\", "RUN a \\", "`", "  from base:i as i", "\tCOPY --from=i \\\n  a b", "LABEL a=$A", "EXPOSE $A", "VOLUME $A", "HEALTHCHECK CMD a",
}, linesOfFrom...)

var hex64 = strings.Repeat("1", 64)

// wantAll wants us to take what BuildKit takes, to refuse what it refuses, and to
// tell of all that it takes in.
func wantAll(t *testing.T, text string, o Options) {
	t.Helper()
	if _, ok := o.Args["SOURCE_DATE_EPOCH"]; ok || strings.Contains(text, "SOURCE_DATE_EPOCH") {
		return
	}
	o.BuildPlatform = "linux/amd64"
	ours, err := uses(t, text, o)
	theirs, theirErr := convert(t.Context(), text, o, hostileEnv)
	if theirErr != nil {
		// It may be what the image has of variables.
		_, theirErr = convert(t.Context(), text, o, harmlessEnv)
		if theirErr == nil {
			return
		}
	}
	switch {
	case errors.Is(err, errParserPanic):
		t.Errorf("the parser panics: %v", err)
	case mayRefuse(err) || err == nil && ours.Syntax != "":
		return
	case err != nil && theirErr == nil:
		t.Errorf("BuildKit takes it, we refuse it: %v", err)
	case err == nil && theirErr != nil:
		t.Errorf("BuildKit refuses it, we take it: %v", theirErr)
	case err == nil:
		wantTold(t, ours, theirs)
	}
	if t.Failed() {
		t.Logf("%+v of:\n%s", o, text)
	}
}

// mayRefuse reports whether an error is about what BuildKit takes: what cannot be
// known before the build, what is out of bounds, and the numbers that BuildKit
// gives to what is not a stage.
func mayRefuse(err error) bool {
	_, unknown := errors.AsType[*unknownError](err)
	return unknown || errors.Is(err, errTooLong) || errors.Is(err, errLimit) || errors.Is(err, errNumber)
}

// wantTold wants us to tell of all that BuildKit takes in.
func wantTold(t *testing.T, ours Uses, theirs taken) {
	t.Helper()
	for _, image := range theirs.images {
		if !slices.Contains(ours.Bases, image) {
			t.Errorf("BuildKit pulls %s, we say %q", image, ours.Bases)
		}
	}
	for _, remote := range theirs.remotes {
		if !slices.ContainsFunc(ours.Remotes, func(known string) bool { return sameRemote(known, remote) }) {
			t.Errorf("BuildKit fetches %s, we say %q", remote, ours.Remotes)
		}
	}
	for _, network := range theirs.networks {
		if !slices.Contains(ours.Networks, network) {
			t.Errorf("BuildKit runs in network %s, we say %q", network, ours.Networks)
		}
	}
	for _, secret := range theirs.secrets {
		if !slices.Contains(ours.Secrets, secret) {
			t.Errorf("BuildKit mounts the secret %s, we say %q", secret, ours.Secrets)
		}
	}
	if theirs.insecure && len(ours.Insecure) == 0 {
		t.Error("BuildKit runs an insecure step, we say there is none")
	}
}

// sameRemote reports whether BuildKit's name for a source, git://h/z#ref for a
// repository, is ours.
func sameRemote(ours, theirs string) bool {
	repository, isGit := strings.CutPrefix(theirs, "git://")
	if !isGit {
		return ours == theirs
	}
	// How it writes a repository is its own: the last part of it is there.
	repository, _, _ = strings.Cut(repository, "#")
	return strings.Contains(ours, repository[strings.LastIndexAny(repository, "/:")+1:])
}

// taken is what BuildKit makes a build of.
type taken struct {
	images, remotes, networks, secrets []string
	insecure                           bool
}

func convert(ctx context.Context, text string, o Options, env func(name string) string) (taken, error) {
	build := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	caps := pb.Caps.CapSet(pb.Caps.All())
	opt := dockerfile2llb.ConvertOpt{
		LLBCaps: &caps,
		Config:  dockerui.Config{BuildArgs: map[string]string{}, Target: o.Target, BuildPlatforms: []ocispecs.Platform{build}},
		// What an image has of variables cannot be known to us.
		MetaResolver: &images{env: env},
	}
	for name, value := range o.Args {
		opt.BuildArgs[name] = value
	}
	if o.Platform != "" {
		p, err := platforms.Parse(o.Platform)
		if err != nil {
			return taken{}, err
		}
		p = platforms.Normalize(p)
		opt.TargetPlatform = &p
	}
	result, err := dockerfile2llb.Dockerfile2LLB(ctx, []byte(text), opt)
	if err != nil {
		return taken{}, err
	}
	def, err := result.State.Marshal(ctx, llb.Platform(build))
	if err != nil {
		return taken{}, err
	}
	return read(def.ToPB(), opt.MetaResolver.(*images).asked)
}

// read goes through what is to be solved. An image that has nothing in it is
// asked for alone.
func read(def *pb.Definition, asked []string) (all taken, err error) {
	all.images = asked
	for _, data := range def.Def {
		var op pb.Op
		if err := proto.Unmarshal(data, &op); err != nil {
			return all, err
		}
		if source := op.GetSource(); source != nil {
			if image, ok := strings.CutPrefix(source.Identifier, "docker-image://"); ok {
				all.images = append(all.images, image)
			} else if !strings.HasPrefix(source.Identifier, "local://") {
				all.remotes = append(all.remotes, source.Identifier)
			}
		}
		if exec := op.GetExec(); exec != nil {
			all.exec(exec)
		}
	}
	return all, nil
}

func (all *taken) exec(exec *pb.ExecOp) {
	switch exec.Network {
	case pb.NetMode_HOST:
		all.networks = append(all.networks, "host")
	case pb.NetMode_NONE:
		all.networks = append(all.networks, "none")
	}
	all.insecure = all.insecure || exec.Security == pb.SecurityMode_INSECURE
	for _, m := range exec.Mounts {
		if m.SecretOpt != nil {
			all.secrets = append(all.secrets, m.SecretOpt.ID)
		}
	}
	for _, variable := range exec.Secretenv {
		all.secrets = append(all.secrets, variable.ID)
	}
}

// images are images that set the variables that Dockerfiles have.
type images struct {
	env   func(name string) string
	mu    sync.Mutex
	asked []string
}

func hostileEnv(name string) string { return "http://image/" + name }

// harmlessEnv is right for a port, an owner, a mode and a name.
func harmlessEnv(string) string { return "1" }

func (h *images) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	h.mu.Lock()
	h.asked = append(h.asked, ref)
	h.mu.Unlock()
	var env []string
	for _, name := range []string{"A", "B", "X", "Y"} {
		env = append(env, fmt.Sprintf("%q", name+"="+h.env(name)))
	}
	config := fmt.Sprintf(`{"os":"linux","architecture":"amd64","config":{"Env":[%s]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}`, strings.Join(env, ","), hex64)
	return ref, "", []byte(config), nil
}
