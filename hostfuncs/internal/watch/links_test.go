package watch

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestLinks follows links to what is in the project.
func TestLinks(t *testing.T) {
	for name, tt := range map[string]struct {
		link map[string]string // by name, with targets
		do   func(p *project)
		want []string
	}{
		"file":                     {map[string]string{"src/l": "../lib/a"}, func(p *project) { p.write("lib/a", "new") }, []string{"src/l"}},
		"absolute":                 {map[string]string{"src/l": "/lib/a"}, func(p *project) { p.write("lib/a", "new") }, []string{"src/l"}},
		"file that is replaced":    {map[string]string{"src/l": "../lib/a"}, func(p *project) { p.write("b", "new"); p.rename("b", "lib/a") }, []string{"src/l"}},
		"file that is made again":  {map[string]string{"src/l": "../lib/a"}, func(p *project) { p.remove("lib"); p.write("lib/a", "new") }, []string{"src/l"}},
		"missing file":             {map[string]string{"src/l": "../later/on/a"}, func(p *project) { p.write("later/on/a", "") }, []string{"src/l"}},
		"directory":                {map[string]string{"src/l": "../lib"}, func(p *project) { p.write("lib/a", "new"); p.write("lib/sub/new", "") }, []string{"src/l/a", "src/l/sub/new"}},
		"directory that is moved":  {map[string]string{"src/l": "../lib/sub"}, func(p *project) { p.rename("lib", "moved") }, []string{"src/l", "src/l/b"}},
		"directory made again":     {map[string]string{"src/l": "../lib/sub"}, func(p *project) { p.remove("lib"); p.write("lib/sub/c", "") }, []string{"src/l/b", "src/l/c"}},
		"the base":                 {map[string]string{"base": "lib"}, func(p *project) { p.write("lib/a", "new") }, []string{"base/a"}},
		"through a link":           {map[string]string{"src/l": "../mid", "mid": "lib/a"}, func(p *project) { p.write("lib/a", "new") }, []string{"src/l"}},
		"through a link elsewhere": {map[string]string{"src/l": "../mid", "mid": "lib/a"}, func(p *project) { p.remove("mid"); p.link("lib/sub/b", "mid") }, []string{"src/l"}},
		"through a linked directory": {map[string]string{"src/l": "../now/a", "now": "lib"}, func(p *project) {
			p.link("lib/sub", "next")
			p.rename("next", "now")
			p.write("lib/sub/a", "")
		}, []string{"src/l"}},
		"another target": {map[string]string{"src/l": "../lib/a"}, func(p *project) { p.remove("src/l"); p.link("../lib/sub/b", "src/l") }, []string{"src/l"}},
		"removed":        {map[string]string{"src/l": "../lib/sub"}, func(p *project) { p.remove("src/l") }, []string{"src/l/b"}},
		"to itself":      {map[string]string{"src/l": "l"}, func(p *project) { p.write("src/a", "new") }, []string{"src/a"}},
		"to above":       {map[string]string{"src/l": ".."}, func(p *project) { p.write("src/a", "new"); p.write("lib/a", "new") }, []string{"src/a"}},
		"to each other":  {map[string]string{"src/l": "../lib", "lib/m": "../src"}, func(p *project) { p.write("src/a", "new") }, []string{"src/a"}},
		"two":            {map[string]string{"src/l": "../lib", "src/m": "../lib"}, func(p *project) { p.write("lib/a", "new") }, []string{"src/l/a", "src/m/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, "src/a", "lib/a", "lib/sub/b")
			for name, to := range tt.link {
				if filepath.IsAbs(to) {
					to = p.abs(to)
				}
				p.link(to, name)
			}
			w := p.still("src/**", "base/**")
			tt.do(p)
			if got := p.reported(w); !slices.Equal(got.Paths, tt.want) {
				t.Errorf("got %q, want %q", got.Paths, tt.want)
			}
		})
	}
}

// TestLinksHaveAnEnd has directories that all link to each other.
func TestLinksHaveAnEnd(t *testing.T) {
	p := newProject(t)
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	for _, name := range names {
		p.write("src/"+name+"/file", "")
		for _, other := range names {
			p.link("../"+other, "src/"+name+"/to-"+other)
		}
	}
	w := p.still("src/**")
	if got, most := len(states(w.tree)), len(names)*maxPaths+len(names)*len(names)*maxPaths; got > most {
		t.Errorf("%d files, want at most %d", got, most)
	}
	p.write("src/a/file", "new")
	if got := p.reported(w); !slices.Contains(got.Paths, "src/a/file") {
		t.Errorf("got %q", got.Paths)
	}
}

// outside makes a directory beside the project with a file.
func outside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestLinksOutOfTheProject are not followed: nothing outside is watched or reported.
func TestLinksOutOfTheProject(t *testing.T) {
	p := newProject(t, "src/a")
	dir := outside(t)
	p.link(dir, "src/dir")
	p.link(filepath.Join(dir, "secret"), "src/file")
	rel, err := filepath.Rel(p.abs("src"), dir)
	p.must(err)
	p.link(rel, "src/relative")
	p.link("dir/secret", "src/through")
	w := p.still("src/**")
	p.must(os.WriteFile(filepath.Join(dir, "secret"), []byte("changed"), 0o600))
	p.must(os.WriteFile(filepath.Join(dir, "more"), nil, 0o600))
	if got := p.reported(w); len(got.Paths) > 0 {
		t.Errorf("got %q", got.Paths)
	}
	for _, watched := range w.tree.events.system.WatchList() {
		if _, inside := p.opts.Project.Rel(watched); !inside {
			t.Errorf("watched %s", watched)
		}
	}
	// The link itself is a file.
	p.remove("src/file")
	if got := p.reported(w); !slices.Equal(got.Paths, []string{"src/file"}) {
		t.Errorf("got %q", got.Paths)
	}
}
