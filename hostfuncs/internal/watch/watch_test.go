package watch

import (
	"os"
	"slices"
	"testing"
	"time"
)

// TestChanges has the ways in which files change.
func TestChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(p *project)
		want []string
	}{
		"written":                 {func(p *project) { p.write("server/a.js", "new") }, []string{"server/a.js"}},
		"of another dir":          {func(p *project) { p.write("client/a.js", "new") }, nil},
		"created":                 {func(p *project) { p.write("server/new.js", "") }, []string{"server/new.js"}},
		"removed":                 {func(p *project) { p.remove("server/a.js") }, []string{"server/a.js"}},
		"removed whole":           {func(p *project) { p.remove("server") }, []string{"server/a.js", "server/sub/b.js"}},
		"renamed":                 {func(p *project) { p.rename("server/a.js", "server/c.js") }, []string{"server/a.js", "server/c.js"}},
		"moved away":              {func(p *project) { p.rename("server/a.js", "client/c.js") }, []string{"server/a.js"}},
		"moved in":                {func(p *project) { p.rename("client/a.js", "server/c.js") }, []string{"server/c.js"}},
		"ignored":                 {func(p *project) { p.write("server/a.test.js", "new") }, nil},
		"in an ignored directory": {func(p *project) { p.write("server/dist/a.js", "new") }, nil},
		"a new directory":         {func(p *project) { p.mkdir("server/x/y") }, nil},
		"in a new directory":      {func(p *project) { p.write("server/x/y/z.js", "") }, []string{"server/x/y/z.js"}},
		"of a mode":               {func(p *project) { p.must(os.Chmod(p.abs("server/a.js"), 0o700)) }, nil},
		"of the time of access": {func(p *project) {
			info, err := os.Stat(p.abs("server/a.js"))
			p.must(err)
			p.must(os.Chtimes(p.abs("server/a.js"), time.Unix(1, 0), info.ModTime()))
		}, nil},
		"written with the former size and time": {func(p *project) {
			info, err := os.Stat(p.abs("server/a.js"))
			p.must(err)
			p.write("server/a.js", "new")
			p.must(os.Chtimes(p.abs("server/a.js"), time.Time{}, info.ModTime()))
		}, []string{"server/a.js"}},
		"of the time of modification": {func(p *project) { p.must(os.Chtimes(p.abs("server/a.js"), time.Time{}, time.Unix(1, 0))) }, []string{"server/a.js"}},
		"a directory renamed":         {func(p *project) { p.rename("server/sub", "server/other") }, []string{"server/other/b.js", "server/sub/b.js"}},
		"in a renamed directory": {func(p *project) {
			p.mkdir("server/sub/deep/er")
			p.rename("server/sub", "server/other")
			p.write("server/other/deep/er/c.js", "")
		}, []string{"server/other/b.js", "server/other/deep/er/c.js", "server/sub/b.js"}},
		"a base that is made again": {func(p *project) {
			p.remove("server")
			p.write("server/sub/c.js", "")
		}, []string{"server/a.js", "server/sub/b.js", "server/sub/c.js"}},
		"a base that did not exist": {func(p *project) { p.write("later/on/a.js", "") }, []string{"later/on/a.js"}},
		"a directory instead of a file": {func(p *project) {
			p.remove("server/a.js")
			p.write("server/a.js/b", "")
		}, []string{"server/a.js", "server/a.js/b"}},
		"a file instead of a directory": {func(p *project) {
			p.remove("server/sub")
			p.write("server/sub", "")
		}, []string{"server/sub", "server/sub/b.js"}},
		"the same content and size": {func(p *project) { p.write("server/a.js", "old") }, []string{"server/a.js"}},
		"in node_modules":           {func(p *project) { p.write("server/node_modules/x/i.js", "") }, nil},
		"in .git":                   {func(p *project) { p.write("server/.git/index", "") }, nil},
		"a single file":             {func(p *project) { p.write("package.json", "new") }, []string{"package.json"}},
		"beside a single file":      {func(p *project) { p.write("package-lock.json", "new") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, "server/a.js", "server/sub/b.js", "server/dist/a.js", "server/a.test.js", "client/a.js", "package.json")
			w := p.watch("server/**", "later/**", "package.json", "!**/*.test.js", "!server/dist")
			tt.do(p)
			p.want(w, tt.want...)
			// The watch goes on.
			p.write("server/more.js", "more")
			if got := p.changes(w); !slices.Contains(got, "server/more.js") {
				t.Errorf("later got %q", got)
			}
			if got := p.warned(); len(got) > 0 {
				t.Errorf("warned %q", got)
			}
		})
	}
}

// TestEditors has how editors save: what they create and remove meanwhile is not reported.
func TestEditors(t *testing.T) {
	for name, save := range map[string]func(p *project){
		"in place": func(p *project) { p.write("src/a.js", "new text") },
		"vim": func(p *project) {
			p.write("src/.a.js.swp", "x")
			p.write("src/4913", "")
			p.remove("src/4913")
			p.rename("src/a.js", "src/a.js~")
			p.write("src/a.js", "new")
			p.remove("src/a.js~")
			p.remove("src/.a.js.swp")
		},
		"VS Code": func(p *project) {
			p.must(os.Truncate(p.abs("src/a.js"), 0))
			p.write("src/a.js", "new")
		},
		"JetBrains": func(p *project) {
			p.write("src/a.js___jb_tmp___", "new")
			p.rename("src/a.js", "src/a.js___jb_old___")
			p.rename("src/a.js___jb_tmp___", "src/a.js")
			p.remove("src/a.js___jb_old___")
		},
		"a temporary file renamed": func(p *project) {
			p.write("src/.a.js.tmp", "new")
			p.rename("src/.a.js.tmp", "src/a.js")
		},
		"a temporary file from elsewhere": func(p *project) {
			p.write("tmp.1", "new")
			p.rename("tmp.1", "src/a.js")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, "src/a.js", "src/b.js")
			w := p.still("src/**")
			for range 3 {
				save(p)
				if got := p.reported(w); !slices.Equal(got.Paths, []string{"src/a.js"}) {
					t.Errorf("got %q", got.Paths)
				}
			}
		})
	}
}
