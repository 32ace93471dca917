package watch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestChangesAreKept: what changes while nobody takes it is reported with the next change,
// a bounded number of paths.
func TestChangesAreKept(t *testing.T) {
	p := newProject(t, "src/a", "src/b")
	w := p.still("src/**")
	p.write("src/b", "new")
	p.follow(w)
	w.report()
	p.write("src/a", "new")
	p.write("src/b", "newer")
	if got := p.reported(w); !slices.Equal(got.Paths, []string{"src/a", "src/b"}) || got.More {
		t.Errorf("got %+v", got)
	}
	if got, ok := w.Take(); ok || w.Ready() {
		t.Errorf("taken twice: %+v", got)
	}
}

// TestManyChanges: a checkout is one report, with the first paths.
func TestManyChanges(t *testing.T) {
	p := newProject(t)
	w := p.still("src/**")
	var want []string
	for i := range 300 {
		name := fmt.Sprintf("src/%02d/%02d", i/20, i%20)
		p.write(name, "")
		want = append(want, name)
	}
	if got := p.reported(w); !slices.Equal(got.Paths, want[:MaxPaths]) || !got.More {
		t.Errorf("got %+v", got)
	}
	p.write("src/x", "")
	p.follow(w)
	w.report()
	if len(p.changed) != 1 || !w.Ready() {
		t.Error("nobody is told")
	}
	p.remove("src/00")
	if got := p.reported(w); len(got.Paths) != MaxPaths || got.Paths[0] != "src/00/00" || !got.More {
		t.Errorf("got %+v", got)
	}
}

func TestChangeWith(t *testing.T) {
	many := make([]string, MaxPaths)
	for i := range many {
		many[i] = fmt.Sprintf("m%02d", i)
	}
	for name, tt := range map[string]struct{ a, b, want Change }{
		"nothing":   {Change{}, Change{Paths: []string{"b"}}, Change{Paths: []string{"b"}}},
		"same":      {Change{Paths: []string{"b"}}, Change{Paths: []string{"b"}}, Change{Paths: []string{"b"}}},
		"sorted":    {Change{Paths: []string{"b"}}, Change{Paths: []string{"a"}}, Change{Paths: []string{"a", "b"}}},
		"more":      {Change{Paths: []string{"b"}, More: true}, Change{Paths: []string{"a"}}, Change{Paths: []string{"a", "b"}, More: true}},
		"the first": {Change{Paths: many}, Change{Paths: []string{"a"}}, Change{Paths: append([]string{"a"}, many[:MaxPaths-1]...), More: true}},
		"full":      {Change{Paths: many}, Change{Paths: []string{"m00"}}, Change{Paths: many}},
	} {
		if got := tt.a.with(tt.b); !slices.Equal(got.Paths, tt.want.Paths) || got.More != tt.want.More {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

// TestQuiet: a constant stream of changes is reported too.
func TestQuiet(t *testing.T) {
	q := quiet{debounce: 200 * time.Millisecond}
	now := time.Unix(1, 0)
	for i, tt := range []struct{ after, wait time.Duration }{
		{0, 200}, {100, 200}, {1600, 200}, {100, 200}, {100, 100}, {90, 10}, {10, 0}, {1000, 0},
	} {
		now = now.Add(tt.after * time.Millisecond)
		if got := q.touch(now); got != tt.wait*time.Millisecond {
			t.Errorf("%d: waits %v, want %v ms", i, got, int(tt.wait))
		}
	}
}

// TestKeep: what may not be read is not reported, by its own path and by those of links.
func TestKeep(t *testing.T) {
	p := newProject(t, "src/a", "src/secret/a", "secret/a", "secret/sub/b", "secret/c")
	p.link("../secret", "src/dir")
	p.link("../secret/a", "src/file")
	p.link("../secret/sub", "src/gone")
	p.link("../secret/c", "src/lost")
	p.link("../src/a", "src/fine")
	p.opts.Keep = func(path string) bool { return !strings.Contains(path, "secret") }
	w := p.still("src/**")
	p.write("src/a", "new")
	p.write("src/secret/a", "new")
	p.write("secret/a", "new")
	p.write("secret/new", "new")
	p.remove("src/gone")
	p.remove("src/lost")
	if got := p.reported(w); !slices.Equal(got.Paths, []string{"src/a", "src/fine"}) || got.More {
		t.Errorf("got %+v", got)
	}
	// Many that are not reported hide none that are.
	for i := range 3 * MaxPaths {
		p.write(fmt.Sprintf("src/secret/%d", i), "")
	}
	p.write("src/z", "")
	if got := p.reported(w); !slices.Equal(got.Paths, []string{"src/z"}) || got.More {
		t.Errorf("got %+v", got)
	}
}
