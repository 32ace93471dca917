package bench_test

import (
	"archive/tar"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
	images "github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

var measureBuilds = flag.String("measure-builds", "", "measure builds, and write the table to this file")

// TestMeasureBuilds measures builds of the real binary and of buildx in one run, and
// writes a table. "make bench-build" runs it, and docs/performance.md has the last table.
func TestMeasureBuilds(t *testing.T) {
	if *measureBuilds == "" {
		t.Skip("measures only when asked to: make bench-build")
	}
	host, _, err := providertest.FirstEngine(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	buildx, err := providertest.Tool("buildx")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	t.Setenv("DOCKER_HOST", host)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	m := &buildMeasurement{measurement: newMeasurement(t, clitest.Binary()), buildx: buildx, engine: engine}
	m.changes()
	m.fleet()
	m.atOnce()
	m.files()
	m.report(*measureBuilds)
}

type buildMeasurement struct {
	*measurement
	buildx string // the command
	engine *client.Client
}

// builder builds a directory under a tag.
type imageBuilder struct {
	name string
	argv []string
}

func (m *buildMeasurement) builders() []imageBuilder {
	return []imageBuilder{
		{"buildx", []string{m.buildx, "build", "--quiet", "--tag", "bench:buildx", "."}},
		{"stagecraft", []string{m.program, "build", "--progress", "quiet", "--tag", "bench:own"}},
		{"stagecraft, embedded and loaded", []string{m.program, "build", "--progress", "quiet", "--tag", "bench:embedded", "--engine", "embedded", "--load"}},
	}
}

// context fills a directory with files of random bytes, with a total of bytes.
func (m *buildMeasurement) context(files, bytes int) string {
	m.t.Helper()
	dir := m.t.TempDir()
	random, err := os.Open("/dev/urandom")
	if err != nil {
		m.t.Fatal(err)
	}
	defer random.Close()
	text := make([]byte, bytes/files)
	for i := range files {
		if _, err := random.Read(text); err != nil {
			m.t.Fatal(err)
		}
		name := filepath.Join(dir, "app", fmt.Sprint(i%100), fmt.Sprint(i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			m.t.Fatal(err)
		}
		m.write(name, text)
	}
	m.write(filepath.Join(dir, "app", "Dockerfile"), []byte("FROM scratch\nCOPY . /\n"))
	m.write(filepath.Join(dir, "stagecraft.yml"), []byte("backend: {provider: generic, providers: {generic: {dev: {command: ['true']}, build: {context: app}}}}\n"))
	return dir
}

func (m *buildMeasurement) write(name string, text []byte) {
	m.t.Helper()
	if err := os.WriteFile(name, text, 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// build measures one build.
func (m *buildMeasurement) build(b imageBuilder, dir string) (time.Duration, int64) {
	m.t.Helper()
	if b.argv[0] == m.buildx {
		dir = filepath.Join(dir, "app")
	}
	took, peak := m.run(dir, m.cache, b.argv[0], b.argv[1:]...)
	return took.time, peak
}

// forget removes all builds from the engine.
func (m *buildMeasurement) forget() {
	m.t.Helper()
	all := filters.NewArgs(filters.Arg("dangling", "false"))
	if _, err := m.engine.ImagesPrune(m.t.Context(), all); err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.engine.BuildCachePrune(m.t.Context(), build.CachePruneOptions{All: true}); err != nil {
		m.t.Fatal(err)
	}
	// The removal must reach the disk before the next measurement.
	syscall.Sync()
}

// changes builds 200 MB in 5,000 files: first, unchanged, with a touched file, and with a
// changed file.
func (m *buildMeasurement) changes() {
	const rounds = 8
	kinds := []string{"first", "no change", "one file touched", "one file changed"}
	builders := m.builders()
	took := make([][4][]time.Duration, len(builders))
	for round := range rounds {
		dir := m.context(5000, 200<<20)
		file := filepath.Join(dir, "app", "7", "1007")
		for at := range builders {
			// The order varies, because the disk may still write for the previous one.
			i := (at + round) % len(builders)
			b := builders[i]
			m.forget()
			for kind := range kinds {
				switch kind {
				case 2:
					now := time.Now()
					if err := os.Chtimes(file, now, now); err != nil {
						m.t.Fatal(err)
					}
				case 3:
					m.write(file, bytes.Repeat([]byte{byte(round), byte(i)}, 20<<10))
				}
				d, _ := m.build(b, dir)
				took[i][kind] = append(took[i][kind], d)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			m.t.Fatal(err)
		}
	}
	wanted := []string{"at most 0.9 times", "at most 0.6 times", "at most 0.6 times", "at most 1.0 times"}
	for kind, name := range kinds {
		peer := median(took[0][kind])
		for i, b := range builders {
			d, limit := median(took[i][kind]), "-"
			if i == 1 {
				limit = wanted[kind]
			}
			m.row(fmt.Sprintf("200 MB in 5,000 files, %s: %s", name, b.name), fmt.Sprintf("%.2f s, %.2f times buildx", d.Seconds(), ratio(d, peer)), limit)
		}
	}
	m.forget()
}

// fleet builds on one daemon, then on another that shares its cache. The step takes some
// seconds, like a compiler; the context is sent to each daemon. Each has built something
// else before, because a daemon is slow right after its start.
func (m *buildMeasurement) fleet() {
	registry := providertest.Registry(m.t, "")
	dir, other := m.context(20, 1<<20), m.context(1, 1)
	m.write(filepath.Join(dir, "work.go"), []byte(worker))
	clitest.GoBuild(m.t, dir, nil, "-o", filepath.Join(dir, "app", "work"), "work.go")
	m.write(filepath.Join(dir, "app", "Dockerfile"), []byte("FROM scratch AS a\nCOPY work /\nRUN [\"/work\", \"/out\"]\nFROM scratch\nCOPY --from=a /out /\nCOPY . /\n"))
	build := func(cache string) (time.Duration, string) {
		m.write(filepath.Join(dir, "stagecraft.yml"), []byte(
			"backend: {provider: generic, providers: {generic: {dev: {command: ['true']}, build: {context: app, network: none, cache_from: ['"+
				cache+"'], cache_to: ['type=registry,mode=max,ref="+cache+"']}}}}\n"))
		meta := filepath.Join(m.t.TempDir(), "meta.json")
		daemon := providertest.BuildKit(m.t)
		m.run(other, m.cache, m.program, "build", "--progress", "quiet", "--tag", registry+"/other:1", "--push", "--engine", "buildkit+"+daemon)
		d, _ := m.run(dir, m.cache, m.program, "build", "--progress", "quiet", "--tag", registry+"/fleet:1", "--push", "--metadata-file", meta,
			"--engine", "buildkit+"+daemon)
		text, err := os.ReadFile(meta)
		if err != nil {
			m.t.Fatal(err)
		}
		return d.time, string(text)
	}
	var colds, warms []time.Duration
	same := "the same digest"
	for round := range 3 {
		cache := fmt.Sprintf("%s/cache:%d", registry, round)
		c, first := build(cache)
		w, second := build(cache)
		colds, warms = append(colds, c), append(warms, w)
		if first != second {
			same = "another digest"
		}
	}
	cold, warm := median(colds), median(warms)
	m.row("a second daemon with the first one's cache in a registry", fmt.Sprintf("%.2f s, %.3f times the first's %.2f s, %s", warm.Seconds(), ratio(warm, cold), cold.Seconds(), same),
		"at most 0.05 times, the same digest")
}

// worker is a program that hashes for some seconds, and writes the result.
const worker = `package main

import (
	"crypto/sha256"
	"os"
)

func main() {
	block, sum := make([]byte, 1<<20), sha256.New()
	for range 6 << 10 {
		sum.Write(block)
	}
	if err := os.WriteFile(os.Args[1], sum.Sum(nil), 0o644); err != nil {
		panic(err)
	}
}
`

// atOnce builds twenty different images concurrently.
func (m *buildMeasurement) atOnce() {
	const many = 20
	for _, engine := range []string{"docker", "buildkit+" + providertest.BuildKit(m.t)} {
		var wg sync.WaitGroup
		var mu sync.Mutex
		var peak int64
		wrong := 0
		start := time.Now()
		for i := range many {
			dir := m.context(50, 5<<20)
			text := fmt.Sprintf("number %d", i)
			m.write(filepath.Join(dir, "app", "number"), []byte(text))
			wg.Go(func() {
				out := filepath.Join(dir, "image.tar")
				cmd := m.command(dir, m.cache, m.program, "build", "--progress", "quiet", "--tag", fmt.Sprintf("many:%d", i), "--engine", engine, "--output", "tar:"+out)
				said, err := cmd.CombinedOutput()
				has := err == nil && hasNumber(out, text)
				mu.Lock()
				defer mu.Unlock()
				if !has {
					wrong++
					m.t.Logf("build %d: %v\n%s", i, err, said)
					return
				}
				peak = max(peak, peakOf(cmd))
			})
		}
		wg.Wait()
		name, _, _ := strings.Cut(engine, "+")
		m.row(fmt.Sprintf("%d builds at once, %s", many, name), fmt.Sprintf("%d right, %.1f s, %d MB at most each", many-wrong, time.Since(start).Seconds(), peak>>20), "all right")
	}
}

// peakOf returns a process's peak memory in bytes.
func peakOf(cmd *exec.Cmd) int64 { return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10 }

// hasNumber reports whether an image in a file has the file "number" with a text.
func hasNumber(archive, text string) bool {
	img, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return false
	}
	files := images.Extract(img)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if err != nil {
			return false
		}
		if strings.TrimPrefix(h.Name, "/") == "number" {
			got, err := io.ReadAll(r)
			return err == nil && string(got) == text
		}
	}
}

// files builds contexts with increasing numbers of files, and of bytes.
func (m *buildMeasurement) files() {
	b := m.builders()[1]
	for _, tt := range []struct{ files, bytes int }{{1_000, 1 << 20}, {10_000, 10 << 20}, {100_000, 100 << 20}, {1_000, 400 << 20}} {
		dir := m.context(tt.files, tt.bytes)
		m.forget()
		first, memory := m.build(b, dir)
		again, _ := m.build(b, dir)
		m.row(fmt.Sprintf("%d files, %d MB", tt.files, tt.bytes>>20),
			fmt.Sprintf("first %.2f s, again %.2f s, peak memory %d MB", first.Seconds(), again.Seconds(), memory>>20), "memory doesn't grow with bytes")
		if err := os.RemoveAll(dir); err != nil {
			m.t.Fatal(err)
		}
	}
}
