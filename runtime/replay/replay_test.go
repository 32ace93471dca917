package replay_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/replay"
)

// asks has a module ask its host.
type asks func(request string) (reply string)

// module is one in Go: what it does follows from its input and from replies.
type module func(input string, ask asks) (output string)

type runner struct {
	module module
	host   replay.Host
}

func (r runner) Call(ctx context.Context, export string, input []byte) ([]byte, error) {
	output := r.module(string(input), func(request string) string {
		if ctx.Err() != nil {
			return ""
		}
		return string(r.host.Call(ctx, export, []byte(request)))
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if output == "fails" {
		return nil, errors.New("failed")
	}
	return []byte(output), nil
}

func (runner) Close(context.Context) error { return nil }

// world is what a run has to do with: the host's replies by request, and what
// was asked of it.
type world struct {
	replies map[string]string
	asked   []string
	loads   int
	onCall  func(request string)
}

func (w *world) Call(_ context.Context, operation string, request []byte) []byte {
	w.asked = append(w.asked, operation+" "+string(request))
	if w.onCall != nil {
		w.onCall(string(request))
	}
	return []byte(w.replies[string(request)])
}

type run struct {
	*world
	output string
	err    error
}

// play makes calls of a module's export, one for each input, and tells what the
// last one gave.
func play(ctx context.Context, file string, w world, m module, inputs ...string) run {
	return playKeyed(ctx, replay.Options{File: file, Key: "key"}, w, m, inputs...)
}

func playKeyed(ctx context.Context, opts replay.Options, w world, m module, inputs ...string) run {
	r := run{world: &w}
	opts.Host = r.world
	opts.Open = func(_ context.Context, host replay.Host) (replay.Runner, error) {
		r.loads++
		return runner{m, host}, nil
	}
	p := replay.New(opts)
	for _, input := range inputs {
		var output []byte
		if output, r.err = p.Call(ctx, "dev", []byte(input)); r.err != nil {
			break
		}
		r.output = string(output)
	}
	if err := p.Close(ctx); err != nil {
		panic(err)
	}
	return r
}

// twice asks for its input, and then for what it was told.
func twice(input string, ask asks) string { return "got " + ask(ask(input)) }

var replies = map[string]string{"a": "b", "b": "c", "x": "y", "y": "z"}

func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "replay", "file") }

func (r run) want(t *testing.T, loads int, output string, asked ...string) {
	t.Helper()
	if r.err != nil || r.loads != loads || r.output != output || !slices.Equal(r.asked, asked) {
		t.Errorf("loaded %d times, %q, %v, asked for %q; want %d, %q, %q", r.loads, r.output, r.err, r.asked, loads, output, asked)
	}
}

func TestAgain(t *testing.T) {
	file := newFile(t)
	play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
	never := func(string, asks) string { panic("it runs") }
	play(t.Context(), file, world{replies: replies}, never, "a").want(t, 0, "got c", "dev a", "dev b")
}

func TestDifferentFromLastRun(t *testing.T) {
	for name, tt := range map[string]struct {
		replies map[string]string
		inputs  []string
		output  string
		asked   []string
	}{
		"input":        {replies, []string{"x"}, "got z", []string{"dev x", "dev y"}},
		"first reply":  {map[string]string{"a": "x", "x": "y"}, []string{"a"}, "got y", []string{"dev a", "dev x"}},
		"last reply":   {map[string]string{"a": "b", "b": "d"}, []string{"a"}, "got d", []string{"dev a", "dev b"}},
		"another call": {replies, []string{"a", "x"}, "got z", []string{"dev a", "dev b", "dev x", "dev y"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
			play(t.Context(), file, world{replies: tt.replies}, twice, tt.inputs...).want(t, 1, tt.output, tt.asked...)
			play(t.Context(), file, world{replies: tt.replies}, twice, tt.inputs...).want(t, 0, tt.output, tt.asked...)
		})
	}
}

// TestLastRuns wants several runs to be known, so that what comes and goes is.
func TestLastRuns(t *testing.T) {
	file := newFile(t)
	told := func(n int) world {
		return world{replies: map[string]string{"a": fmt.Sprint(n % 3), fmt.Sprint(n % 3): fmt.Sprint(n)}}
	}
	for round, loads := range []int{1, 0, 0} {
		for n := range 8 {
			r := play(t.Context(), file, told(n), twice, "a")
			r.want(t, loads, fmt.Sprint("got ", n), "dev a", fmt.Sprint("dev ", n%3))
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	// The oldest makes room.
	play(t.Context(), file, told(8), twice, "a").want(t, 1, "got 8", "dev a", "dev 2")
	play(t.Context(), file, told(1), twice, "a").want(t, 0, "got 1", "dev a", "dev 1")
	play(t.Context(), file, told(0), twice, "a").want(t, 1, "got 0", "dev a", "dev 0")

	// Large ones have less room.
	file = newFile(t)
	large := func(input string, ask asks) string { return strings.Repeat("x", 200<<10) + input }
	for _, input := range []string{"1", "2", "3", "4", "5", "6"} {
		play(t.Context(), file, world{}, large, input).want(t, 1, large(input, nil))
	}
	play(t.Context(), file, world{}, large, "6").want(t, 0, large("6", nil))
	play(t.Context(), file, world{}, large, "3").want(t, 0, large("3", nil))
	play(t.Context(), file, world{}, large, "1").want(t, 1, large("1", nil))
	if info, err := os.Stat(file); err != nil || info.Size() > 1<<20 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}

// TestLikeWithout makes up modules and hosts, and wants each run to be what it
// is for a module alone.
func TestLikeWithout(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		file := newFile(t)
		m := func(input string, ask asks) string {
			state := input
			for range 1 + len(input)%5 {
				state = hashed(state + ask(hashed(state)[:1]))
			}
			return state
		}
		for range 6 {
			w := world{replies: make(map[string]string)}
			for _, request := range "0123456789abcdef" {
				w.replies[string(request)] = fmt.Sprint(random.IntN(8) / 7)
			}
			inputs := []string{"in", strings.Repeat("x", random.IntN(3))}[:1+random.IntN(2)]
			want := play(t.Context(), "", w, m, inputs...)
			if got := play(t.Context(), file, w, m, inputs...); got.err != nil || got.output != want.output || !slices.Equal(got.asked, want.asked) {
				t.Fatalf("seed %d: got %q, %v, asked for %q; want %q, %q", seed, got.output, got.err, got.asked, want.output, want.asked)
			}
		}
	}
}

func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// TestNotTheSame has a module do something else than it did: it can't go on from
// what it asked for before.
func TestNotTheSame(t *testing.T) {
	other := map[string]string{"a": "b", "b": "other"}
	for name, m := range map[string]module{
		"another request": func(_ string, ask asks) string { return ask("else") },
		"other requests":  func(_ string, ask asks) string { return ask("else") + ask("more") },
		"no request":      func(string, asks) string { return "nothing" },
		"fewer requests":  func(input string, ask asks) string { return ask(input) },
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
			r := play(t.Context(), file, world{replies: other}, m, "a")
			if _, ok := errors.AsType[*replay.DifferentError](r.err); !ok || !slices.Equal(r.asked, []string{"dev a", "dev b"}) {
				t.Errorf("got %v, asked for %q", r.err, r.asked)
			}
			if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("what was kept is there: %v", err)
			}
		})
	}
	t.Run("another output", func(t *testing.T) {
		file := newFile(t)
		play(t.Context(), file, world{}, func(string, asks) string { return "one" }, "a").want(t, 1, "one")
		r := play(t.Context(), file, world{}, func(string, asks) string { return "two" }, "a", "b")
		if _, ok := errors.AsType[*replay.DifferentError](r.err); !ok {
			t.Errorf("got %v", r.err)
		}
	})
}

// TestUnusable wants what is kept and not to be trusted to be left alone.
func TestUnusable(t *testing.T) {
	flip := func(data []byte) []byte {
		return bytes.Replace(data, []byte(`"request":"a"`), []byte(`"request":"x"`), 1)
	}
	for name, spoil := range map[string]func(t *testing.T, file string){
		"changed": func(t *testing.T, file string) { change(t, file, flip) },
		"truncated": func(t *testing.T, file string) {
			change(t, file, func(data []byte) []byte { return data[:len(data)/2] })
		},
		"empty": func(t *testing.T, file string) { change(t, file, func([]byte) []byte { return nil }) },
		"no JSON": func(t *testing.T, file string) {
			change(t, file, func([]byte) []byte { return []byte(hashed("{") + "\n{") })
		},
		"a directory": func(t *testing.T, file string) {
			must(t, os.Remove(file))
			must(t, os.Mkdir(file, 0o700))
		},
		"a directory open to others": func(t *testing.T, file string) {
			if runtime.GOOS == "windows" {
				t.Skip("a directory has no mode there")
			}
			must(t, os.Chmod(filepath.Dir(file), 0o777))
		},
		"a directory behind a link": func(t *testing.T, file string) {
			must(t, os.Rename(filepath.Dir(file), filepath.Dir(file)+"-elsewhere"))
			must(t, os.Symlink(filepath.Dir(file)+"-elsewhere", filepath.Dir(file)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			play(t.Context(), file, world{replies: replies}, twice, "a")
			spoil(t, file)
			play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
		})
	}
	t.Run("of another key", func(t *testing.T) {
		file := newFile(t)
		play(t.Context(), file, world{replies: replies}, twice, "a")
		playKeyed(t.Context(), replay.Options{File: file, Key: "other"}, world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
	})
}

func change(t *testing.T, file string, how func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	changed := how(data)
	if bytes.Equal(changed, data) {
		t.Fatal("nothing is changed")
	}
	must(t, os.WriteFile(file, changed, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestNotKept wants no file after runs of which none may be kept.
func TestNotKept(t *testing.T) {
	large := strings.Repeat("x", 200<<10)
	for name, m := range map[string]module{
		"fails":          func(string, asks) string { return "fails" },
		"no text":        func(string, asks) string { return "\xff" },
		"a secret":       func(string, asks) string { return "the secret" },
		"asks for one":   func(_ string, ask asks) string { return ask("the secret") },
		"large":          func(_ string, ask asks) string { return ask(large) + ask(large) },
		"large output":   func(string, asks) string { return large + large },
		"large replies":  func(_ string, ask asks) string { return ask("large")[:1] + ask("large")[:1] },
		"asks for bytes": func(_ string, ask asks) string { return ask("\xff") },
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			keep := func(data []byte) bool { return !bytes.Contains(data, []byte("secret")) }
			for range 2 {
				r := playKeyed(t.Context(), replay.Options{File: file, Keep: keep}, world{replies: map[string]string{"large": large}}, m, "a")
				if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) || r.loads != 1 {
					t.Errorf("something is kept: %v, loaded %d times", err, r.loads)
				}
			}
		})
	}
	t.Run("nowhere", func(t *testing.T) {
		for range 2 {
			play(t.Context(), "", world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
		}
	})
}

// TestEnd wants a run that ends while the host is asked to end there, as it does
// with a module.
func TestEnd(t *testing.T) {
	file := newFile(t)
	play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
	over := errors.New("over")
	for _, file := range []string{file, ""} {
		ctx, cancel := context.WithCancelCause(t.Context())
		r := play(ctx, file, world{replies: replies, onCall: func(string) { cancel(over) }}, twice, "a")
		if !errors.Is(r.err, over) || !slices.Equal(r.asked, []string{"dev a"}) {
			t.Errorf("got %v, asked for %q", r.err, r.asked)
		}
	}
	play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 0, "got c", "dev a", "dev b")
}

// TestLoaded wants a module that can't be loaded not to pass for one that need
// not be.
func TestLoaded(t *testing.T) {
	file, failed := newFile(t), errors.New("no module")
	m := replay.New(replay.Options{File: file, Host: new(world), Open: func(context.Context, replay.Host) (replay.Runner, error) { return nil, failed }})
	if _, err := m.Call(t.Context(), "dev", nil); !errors.Is(err, failed) || !m.Loaded() {
		t.Errorf("got %v, loaded %v", err, m.Loaded())
	}
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is kept: %v", err)
	}
}

// TestAtOnce has runs that keep the same at the same time.
func TestAtOnce(t *testing.T) {
	file := newFile(t)
	done := make(chan run)
	for range 8 {
		go func() { done <- play(t.Context(), file, world{replies: replies}, twice, "a") }()
	}
	for range 8 {
		if r := <-done; r.err != nil || r.output != "got c" {
			t.Errorf("got %q, %v", r.output, r.err)
		}
	}
	play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 0, "got c", "dev a", "dev b")
}

// FuzzKept wants whatever is kept, with a sum that is right, to end in what the
// module does, in what is kept of one, or in an error.
func FuzzKept(f *testing.F) {
	file := filepath.Join(f.TempDir(), "replay", "file")
	play(f.Context(), file, world{replies: replies}, twice, "a")
	play(f.Context(), file, world{replies: replies}, twice, "x", "a")
	data, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	_, content, _ := bytes.Cut(data, []byte("\n"))
	f.Add(string(content))
	f.Add(strings.ReplaceAll(string(content), `"dev"`, `null`))
	f.Add(`{"key":"key","runs":[null,[],[{"export":"dev","input":"` + hashed("a") + `","exchanges":[{},{}],"output":"x"}]]}`)
	f.Fuzz(func(t *testing.T, content string) {
		file := newFile(t)
		must(t, os.Mkdir(filepath.Dir(file), 0o700))
		must(t, os.WriteFile(file, []byte(hashed(content)+"\n"+content), 0o600))
		r := play(t.Context(), file, world{replies: replies}, twice, "a")
		if _, ok := errors.AsType[*replay.DifferentError](r.err); r.err != nil && !ok {
			t.Error(r.err)
		}
		if r.loads == 1 && r.err == nil && r.output != "got c" {
			t.Errorf("the module was loaded and gave %q", r.output)
		}
	})
}
