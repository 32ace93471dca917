package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/image"

	ours "github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// large is a context of 200 MB in 5,000 files, which compress to about half.
func large(b *testing.B) ours.Build {
	b.Helper()
	build := aBuild(b, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /app/\n"})
	random := rand.NewChaCha8([32]byte{})
	data := make([]byte, 40<<10)
	for i := range 5000 {
		if _, err := random.Read(data[:len(data)/2]); err != nil {
			b.Fatal(err)
		}
		dir := filepath.Join(build.Context, fmt.Sprintf("d%d", i%50))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d", i)), data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return build
}

// touch makes a context another one.
func touch(b *testing.B, build ours.Build, n int) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(build.Context, "changed"), fmt.Append(nil, n, rand.Uint64()), 0o644); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkTar(b *testing.B) {
	benchmark(b, func(built *Image) error { return built.WriteTar(io.Discard, nil) })
}

func BenchmarkDigest(b *testing.B) {
	benchmark(b, func(built *Image) error {
		_, err := built.Digest()
		return err
	})
}

func benchmark(b *testing.B, use func(*Image) error) {
	build := large(b)
	for b.Loop() {
		built, err := Build(b.Context(), build, options(b, build))
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(use(built), built.Close()); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(200 << 20)
}

// BenchmarkLoad builds and loads the result into the engine for tests.
func BenchmarkLoad(b *testing.B) {
	e := newBuildKit(b, providertest.NeedEngine(b))
	build := large(b)
	for i := 0; b.Loop(); i++ {
		touch(b, build, i)
		built, err := Build(b.Context(), build, options(b, build))
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(e.load(b.Context(), built, "stagecraft.test/bench:1"), built.Close()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		e.remove(b, "stagecraft.test/bench:1")
		b.StartTimer()
	}
}

// BenchmarkBuildKit builds the same with BuildKit, which knows nothing of it.
func BenchmarkBuildKit(b *testing.B) {
	e := newBuildKit(b, providertest.NeedEngine(b))
	build := large(b)
	for i := 0; b.Loop(); i++ {
		touch(b, build, i)
		e.solve(b, build, "stagecraft.test/bench:2")
		b.StopTimer()
		e.remove(b, "stagecraft.test/bench:2")
		if err := e.client.Prune(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// load is what docker load does.
func (e *buildKit) load(ctx context.Context, built *Image, tag string) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(built.WriteTar(w, []string{tag})) }()
	answer, err := e.engine.ImageLoad(ctx, r)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close(), r.Close())
}

func (e *buildKit) remove(t testing.TB, tag string) {
	t.Helper()
	_, err := e.engine.ImageRemove(context.WithoutCancel(t.Context()), tag, image.RemoveOptions{Force: true, PruneChildren: true})
	if err != nil {
		t.Fatal(err)
	}
}
