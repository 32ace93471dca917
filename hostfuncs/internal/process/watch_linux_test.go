package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

func (g *gathered) has(t *testing.T, kind confine.UseKind, path string) {
	t.Helper()
	if !slices.Contains(g.uses, confine.Use{Kind: kind, Path: path}) {
		t.Errorf("%c %s was not reported; got %v", kind, path, g.uses)
	}
}

// TestWatched: the uses of the program and all its descendants are reported by the end,
// also of those that left its session.
func TestWatched(t *testing.T) {
	if !confine.Probe().Notify {
		t.Skip("watching needs seccomp notifications")
	}
	c := shell(t, `cat a >/dev/null; (setsid sh -c 'echo x >b; mkdir d; rm b' & wait); cat gone; exit 3`)
	if err := os.WriteFile(filepath.Join(c.Dir, "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	g := new(gathered)
	c.Watcher = g
	if res := run(t, c); res.ExitCode != 3 || res.Killed {
		t.Errorf("got %+v", res)
	}
	dir, err := filepath.EvalSymlinks(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	g.has(t, confine.UseRead, sh)
	g.has(t, confine.UseRead, filepath.Join(dir, "a"))
	g.has(t, confine.UseMake, dir)
	g.has(t, confine.UseMkdir, filepath.Join(dir, "d"))
	g.has(t, confine.UseWrite, "/dev/null")
	if len(g.missed) > 0 {
		t.Errorf("missed: %q", g.missed)
	}
	seen := make(map[confine.Use]bool)
	for _, u := range g.uses {
		if seen[u] {
			t.Errorf("%v was reported twice", u)
		}
		seen[u] = true
		if filepath.Base(u.Path) == "gone" {
			t.Errorf("%v was reported, but does not exist", u)
		}
	}
	wantNoneLeft(t, c)
}

// TestWatchedAsUnwatched: a watched program runs as others do.
func TestWatchedAsUnwatched(t *testing.T) {
	for name, script := range map[string]string{
		"code":      `exit 3`,
		"signal":    `kill -TERM $$`,
		"trap":      `trap "echo trapped; exit 4" TERM; kill -TERM $$; wait`,
		"errors":    `cat gone; ls gone/x; echo x >gone/x; exec gone`,
		"pipe":      `yes | head -n 3; exit ${PIPESTATUS:-0}`,
		"fifo":      `mkfifo f; (echo through >f) & cat f`,
		"many":      `for i in $(seq 50); do (echo $i >f$i) & done; wait; cat f?`,
		"rights":    `grep ^Cap /proc/self/status; test $(id -u) != 0 || grep NoNewPrivs /proc/self/status`,
		"namespace": `unshare -r true; echo $?`,
	} {
		t.Run(name, func(t *testing.T) {
			output := func(w Watcher) (string, int) {
				c := shell(t, script)
				out := expect("-")
				c.Stdout, c.Stderr, c.Watcher = out, out, w
				res := run(t, c)
				return out.String(), res.ExitCode
			}
			text, code := output(nil)
			if watched, watchedCode := output(new(gathered)); watched != text || watchedCode != code {
				t.Errorf("got %q and %d, want %q and %d", watched, watchedCode, text, code)
			}
		})
	}
}

// TestWatchedOnTerminal: a watched program handles keys and interrupts as others do.
func TestWatchedOnTerminal(t *testing.T) {
	t.Setenv(watchVar, "1")
	t.Run("Ctrl-C", TestTerminalCtrlC)
	t.Run("job control", TestTerminalJobControl)
	t.Run("restored", TestTerminalIsRestored)
}

// TestWatchedNotConfined: the kernel reports to one listener only.
func TestWatchedNotConfined(t *testing.T) {
	c := shell(t, "")
	c.Confine, c.Watcher = basis(t), new(gathered)
	if _, err := Run(testContext(t), c); err == nil || !strings.Contains(err.Error(), "a confined command cannot be watched") {
		t.Errorf("got %v", err)
	}
}

// TestWatchedEnds: a watched tree ends as well.
func TestWatchedEnds(t *testing.T) {
	wantTreesEnd(t, func(_ *testing.T, c *Command) { c.Watcher = new(gathered) })
}
