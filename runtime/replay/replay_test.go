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

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/replay"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// asks makes a request of a module.
type asks func(request string) (reply string)

// module is a module in Go.
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

// world is the host of a run, with its replies by request or in their order.
type world struct {
	replies map[string]string
	ordered []string
	asked   []string
	loads   int
	onCall  func(request string)
}

func (w *world) Call(_ context.Context, operation string, request []byte) []byte {
	w.asked = append(w.asked, operation+" "+string(request))
	if w.onCall != nil {
		w.onCall(string(request))
	}
	if w.ordered != nil {
		return []byte(w.ordered[(len(w.asked)-1)%len(w.ordered)])
	}
	return []byte(w.replies[string(request)])
}

type run struct {
	*world
	output string
	err    error
}

// play calls a module's export with each input, and returns the last output.
func play(ctx context.Context, file string, w world, m module, inputs ...string) run {
	return playKeyed(ctx, replay.Options{File: file, Key: "key"}, w, m, inputs...)
}

func playKeyed(ctx context.Context, opts replay.Options, w world, m module, inputs ...string) run {
	opts.Open = func(_ context.Context, host replay.Host) (replay.Runner, error) { return runner{m, host}, nil }
	var calls [][2]string
	for _, input := range inputs {
		calls = append(calls, [2]string{"dev", input})
	}
	return playCalls(ctx, opts, w, calls)
}

// playCalls makes calls, each of an export with an input.
func playCalls(ctx context.Context, opts replay.Options, w world, calls [][2]string) run {
	r := run{world: &w}
	open := opts.Open
	opts.Host = r.world
	opts.Open = func(ctx context.Context, host replay.Host) (replay.Runner, error) {
		r.loads++
		return open(ctx, host)
	}
	p := replay.New(opts)
	for _, c := range calls {
		var output []byte
		if output, r.err = p.Call(ctx, c[0], []byte(c[1])); r.err != nil {
			break
		}
		r.output = string(output)
	}
	if err := p.Close(ctx); err != nil {
		panic(err)
	}
	return r
}

// twice asks for its input, and then for the reply.
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

// TestLastRuns requires that the last eight runs are known.
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

// TestLikeWithout requires that each run of random modules and hosts equals that of the
// module alone.
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

// TestReal requires of real modules, which read the clock and random numbers and branch
// on replies, that each run asks for exactly what it asks for without replay. So no
// order of runs ends in a DifferentError.
func TestReal(t *testing.T) {
	wasm, err := os.ReadFile("../sandbox/testdata/varies.wasm")
	must(t, err)
	cache := filepath.Join(t.TempDir(), "cache")
	open := func(ctx context.Context, host replay.Host) (replay.Runner, error) {
		return sandbox.Open(ctx, wasm, sandbox.Options{Operations: abi.Operations(), Host: host, CacheDir: cache})
	}
	exports := []string{abi.ExportValidate, abi.ExportDev, abi.ExportBuildDocker}
	var replayed, led int
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 1))
		file := newFile(t)
		for range 12 {
			w := world{ordered: []string{"a", fmt.Sprint(random.IntN(2)), fmt.Sprint(random.IntN(2)), "b"}}
			calls := [][2]string{{abi.ExportDescribe, ""}, {exports[random.IntN(3)], "in"}, {exports[random.IntN(3)], "in"}}
			want := playCalls(t.Context(), replay.Options{Open: open}, w, calls)
			got := playCalls(t.Context(), replay.Options{File: file, Key: "key", Open: open}, w, calls)
			if want.err != nil || got.err != nil || got.output != want.output || !slices.Equal(got.asked, want.asked) {
				t.Fatalf("seed %d: %q: got %q, %v, asked for %q; want %q, %v, %q", seed, calls, got.output, got.err, got.asked, want.output, want.err, want.asked)
			}
			led += got.loads
			replayed += 1 - got.loads
		}
	}
	if replayed < 10 || led < 10 {
		t.Errorf("%d runs were replayed and %d loaded: too few to compare", replayed, led)
	}
}

// TestContradiction requires that stored runs that contradict each other are discarded
// before anything is asked for.
func TestContradiction(t *testing.T) {
	given := hashed("dev\x00a")
	for name, runs := range map[string]string{
		"another request":   `[{"given":"%s","operation":"dev","data":"x"}],[{"given":"%[1]s","operation":"dev","data":"y"}]`,
		"another operation": `[{"given":"%s","operation":"dev","data":"x"}],[{"given":"%[1]s","operation":"run","data":"x"}]`,
		"an output":         `[{"given":"%s","operation":"dev","data":"x"}],[{"given":"%[1]s","data":"x"}]`,
		"a later run":       `[{"given":"0"}],[{"given":"%s","operation":"dev","data":"x"}],[{"given":"%[1]s","data":"y"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			content := fmt.Sprintf(`{"key":"key","runs":[`+runs+`]}`, given)
			must(t, os.Mkdir(filepath.Dir(file), 0o700))
			must(t, os.WriteFile(file, []byte(hashed(content)+"\n"+content), 0o600))
			play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
			play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 0, "got c", "dev a", "dev b")
		})
	}
}

// TestHostPanics requires that a request without a reply is not left out of a later run.
func TestHostPanics(t *testing.T) {
	file := newFile(t)
	m := func(input string, ask asks) (output string) {
		defer func() {
			if recover() != nil {
				output = ask("x")
			}
		}()
		return ask(ask(input))
	}
	replies := map[string]string{"a": "b", "b": "b", "x": "y"}
	w := world{replies: replies, onCall: func(request string) {
		if request == "b" {
			panic("the host fails")
		}
	}}
	play(t.Context(), file, w, m, "a").want(t, 1, "y", "dev a", "dev b", "dev x")
	play(t.Context(), file, world{replies: replies}, m, "a").want(t, 1, "b", "dev a", "dev b")
}

// TestDifferent requires that a module that differs from what was done for it asks for
// nothing more. No module in the sandbox does that, see TestReal.
func TestDifferent(t *testing.T) {
	other := map[string]string{"a": "b", "b": "other"}
	for name, m := range map[string]module{
		"another request": func(_ string, ask asks) string { return ask("else") },
		"other requests": func(_ string, ask asks) string {
			return ask("else") + ask("more") + ask("more") + ask("more") + ask("more")
		},
		"then it fails":  func(_ string, ask asks) string { return ask("else")[:0] + "fails" },
		"no request":     func(string, asks) string { return "nothing" },
		"fewer requests": func(input string, ask asks) string { return ask(input) },
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			play(t.Context(), file, world{replies: replies}, twice, "a").want(t, 1, "got c", "dev a", "dev b")
			r := play(t.Context(), file, world{replies: other}, m, "a")
			if _, ok := errors.AsType[*replay.DifferentError](r.err); !ok || !slices.Equal(r.asked, []string{"dev a", "dev b"}) {
				t.Errorf("got %v, asked for %q", r.err, r.asked)
			}
			if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the file is still there: %v", err)
			}
		})
	}
	for name, m := range map[string]module{
		"another output":           func(string, asks) string { return "two" },
		"a request in a past call": func(_ string, ask asks) string { return ask("more")[:0] + "one" },
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			play(t.Context(), file, world{}, func(string, asks) string { return "one" }, "a").want(t, 1, "one")
			r := play(t.Context(), file, world{}, m, "a", "b")
			if _, ok := errors.AsType[*replay.DifferentError](r.err); !ok || len(r.asked) > 0 {
				t.Errorf("got %v, asked for %q", r.err, r.asked)
			}
		})
	}
}

// TestUnusable requires that an unusable file is not used.
func TestUnusable(t *testing.T) {
	flip := func(data []byte) []byte {
		return bytes.Replace(data, []byte(`"data":"a"`), []byte(`"data":"x"`), 1)
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

// TestNotKept requires that runs that may not be stored leave no file.
func TestNotKept(t *testing.T) {
	large := strings.Repeat("x", 200<<10)
	for name, m := range map[string]module{
		"fails":          func(string, asks) string { return "fails" },
		"no UTF-8":       func(string, asks) string { return "\xff" },
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

// TestEnd requires that a run that ends during a request ends there, as with a loaded
// module.
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

// TestLoaded requires that a module that cannot be loaded does not count as replayed.
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

// TestAtOnce stores the same run several times at the same time.
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

// FuzzKept requires of any file with a right checksum that the run ends as the module's
// own, as a stored one, or with an error.
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
	f.Add(`{"key":"key","runs":[null,[],[{"given":"` + hashed("dev\x00a") + `","operation":"dev"},{},{"data":"x"}]]}`)
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
