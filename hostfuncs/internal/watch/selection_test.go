package watch

import (
	"strings"
	"testing"
)

func TestSelection(t *testing.T) {
	for _, tt := range []struct{ paths, ignore, files, not, directories, notDirectories string }{
		{"server/**", "", "server/a server/b/c", "a client/a", ". server server/b", "client"},
		{"server", "", "server server/a", "a", ". server server/b", "client"},
		{"**/*.js", "", "a.js b/a.js", "a.ts", ". b b/c", ""},
		{"**", "", "a b/c", "node_modules/x a/node_modules/x .git/HEAD a/.git/HEAD", ". a", "node_modules a/node_modules .git a/.git"},
		{"** node_modules/left/**", "", "a node_modules/left/x", "node_modules/right/x .git/HEAD", "node_modules node_modules/left", "node_modules/right .git"},
		{".git/HEAD", "", ".git/HEAD", "a", ". .git", ".git/objects"},
		{"**", "**/*.log dist tmp/**", "a.js", "a.log b/c.log dist tmp", "a", "dist tmp"},
		{"**", "**/__pycache__", "a.py", "", "a", "__pycache__ a/__pycache__"},
		{"src/**", "src/*.js", "src/a.ts src/a/b.js", "src/a.js", "src/a", "src/b.js"},
	} {
		s := selection{patterns(t, strings.Fields(tt.paths)...), patterns(t, strings.Fields(tt.ignore)...)}
		for _, part := range []struct {
			names string
			of    func(string) bool
			want  bool
		}{{tt.files, s.file, true}, {tt.not, s.file, false}, {tt.directories, s.directory, true}, {tt.notDirectories, s.directory, false}} {
			for _, name := range strings.Fields(part.names) {
				if got := part.of(name); got != part.want {
					t.Errorf("%s without %s: %s is %v", tt.paths, tt.ignore, name, got)
				}
			}
		}
	}
}

// TestDirectoriesOfTools: watching one as a whole is a bad idea, which is said once.
func TestDirectoriesOfTools(t *testing.T) {
	for _, tt := range []struct{ paths, want string }{
		{"**", `watching target, web/vendor is a bad idea: tools write many files there, and each change counts; ignore it with "**/target", "**/vendor"`},
		{"** !**/target !**/vendor", ""},
		{"**/*.rs", ""},
		{"src/**", ""},
		{"node_modules/**", `watching node_modules is a bad idea: tools write many files there, and each change counts; ignore it with "**/node_modules"`},
		{"node_modules", `watching node_modules is a bad idea: tools write many files there, and each change counts; ignore it with "**/node_modules"`},
		{"node_modules/left/**", ""},
		{".git/HEAD", ""},
		{"src/** later/**", `watching later/target is a bad idea: tools write many files there, and each change counts; ignore it with "**/target"`},
	} {
		p := newProject(t, "src/a", "target/a", "web/vendor/a", "node_modules/left/a", ".git/HEAD")
		w := p.watch(strings.Fields(tt.paths)...)
		p.write("later/target/a", "")
		p.changes(w)
		p.write("later/vendor/a", "")
		p.changes(w)
		if got := strings.Join(p.warned(), "\n"); got != tt.want {
			t.Errorf("%s: warned %q", tt.paths, got)
		}
	}
}
