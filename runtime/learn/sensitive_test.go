package learn_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
)

// tree is a project of files.
func tree(names ...string) fs.FS {
	files := make(fstest.MapFS)
	for _, name := range names {
		files[name] = &fstest.MapFile{}
	}
	return files
}

// ran learns of a command that used something.
func ran(t *testing.T, o learn.Options, uses ...capability.Use) *learn.Learnt {
	t.Helper()
	got, err := learn.Policy([]capability.Claim{command("npm", "ci")}, learn.Commands{"generic": {Uses: uses}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// withheld are the paths that were not learnt, and in brackets whether they can be named.
func withheld(l *learn.Learnt) string {
	var said []string
	for _, w := range l.Withheld {
		path := w.Path
		if w.Write {
			path = "w:" + path
		}
		if w.Fixed {
			path = "(" + path + ")"
		}
		said = append(said, path)
	}
	return strings.Join(said, " ")
}

// rulesOf are the rules for files of commands, without remarks.
func rulesOf(l *learn.Learnt) string {
	var said []string
	for _, a := range l.Added {
		if strings.HasPrefix(a.Key, "files.") {
			said = append(said, strings.TrimPrefix(a.Key, "files.")+":"+strings.Trim(a.Rule, `"`))
		}
	}
	return strings.Join(said, " ")
}

// TestSensitive has each kind of what a dependency would have for good once it was
// learnt.
func TestSensitive(t *testing.T) {
	for _, name := range []string{
		".env", ".env.local", "a/.env.production", "prod.env", ".envrc", ".dev.vars", "a/x.pem", "x.key", "id_rsa", "a/id_ed25519", ".ssh/config", ".npmrc", "a/.npmrc",
		".netrc", ".pypirc", ".git/config", ".git/hooks/pre-commit", ".aws/credentials", ".kube/config", "kubeconfig", ".docker/config.json",
		"terraform.tfstate", "prod.tfvars", ".git-credentials", ".pgpass", "service-account.json", "secrets.yml", ".htpasswd",
	} {
		for _, kind := range []capability.UseKind{capability.UseRead, capability.UseWrite} {
			got := ran(t, learn.Options{Directories: true, Project: tree(name)}, file(kind, name))
			want := name
			if kind == capability.UseWrite {
				want = "w:" + name
			}
			if rulesOf(got) != "" || withheld(got) != want {
				t.Errorf("%s: learnt %q, withheld %q", name, rulesOf(got), withheld(got))
			}
			if got := ran(t, learn.Options{Sensitive: []string{name}}, file(kind, name)); withheld(got) != "" || rulesOf(got) == "" {
				t.Errorf("%s is named: learnt %q, withheld %q", name, rulesOf(got), withheld(got))
			}
		}
		// A provider's own reading is the same.
		got := learnt(t, nil, read(name), command("npm", "ci"))
		if strings.Contains(got.Policy, "files") || withheld(got) != name {
			t.Errorf("%s, by the provider:\n%s", name, got.Policy)
		}
	}
	for _, name := range []string{".env.example", "environment.ts", "src/keys.ts", "node_modules/x/test/key.pem", "id_rsa.pub", ".gitignore", ".git", "stagecraft.yml", ".github/workflows/ci.yml"} {
		if got := ran(t, learn.Options{}, file(capability.UseRead, name)); withheld(got) != "" || rulesOf(got) != "read:"+name {
			t.Errorf("%s: learnt %q, withheld %q", name, rulesOf(got), withheld(got))
		}
	}
	for _, name := range []string{"stagecraft.policy.yml", "stagecraft.lock", ".stagecraft/providers/x.wasm", ".github/workflows/ci.yml", ".vscode/tasks.json", ".husky/pre-push", ".git", "p/audit.jsonl"} {
		if got := ran(t, learn.Options{Own: []string{"p/audit.jsonl"}}, file(capability.UseWrite, name)); withheld(got) != "w:"+name || rulesOf(got) != "" {
			t.Errorf("writing %s: learnt %q, withheld %q", name, rulesOf(got), withheld(got))
		}
	}
}

// TestSensitiveOutside: what no policy can allow is told apart too, and never by the
// name of the user's terminal.
func TestSensitiveOutside(t *testing.T) {
	got := ran(t, learn.Options{Terminals: []string{"/dev/tty", "/dev/pts/3", "/dev/pts"}},
		file(capability.UseRead, "/home/u/.aws/credentials"), file(capability.UseRead, "/srv/x"), file(capability.UseRead, "/etc/ssl/certs/ca.pem", "node"),
		file(capability.UseWrite, "/dev/tty"), file(capability.UseRead, "/dev/pts/3"), file(capability.UseList, "/dev/pts"), file(capability.UseRead, "/dev/pts/4"))
	if withheld(got) != "(/home/u/.aws/credentials)" || strings.Join(got.Outside, " ") != "/dev/pts/4 /srv/x" {
		t.Errorf("withheld %q, outside %q", withheld(got), got.Outside)
	}
}

// TestEngineSocket: whoever may use the engine's socket has root's rights.
func TestEngineSocket(t *testing.T) {
	use := file(capability.UseSocket, "/run/docker.sock", "docker")
	if got := ran(t, learn.Options{}, use); withheld(got) != "/run/docker.sock" || strings.Contains(got.Policy, "sockets") {
		t.Errorf("withheld %q of\n%s", withheld(got), got.Policy)
	}
	if got := ran(t, learn.Options{Sensitive: []string{"/run/docker.sock"}}, use); withheld(got) != "" || !strings.Contains(got.Policy, "    sockets:\n      - docker\n") {
		t.Errorf("withheld %q of\n%s", withheld(got), got.Policy)
	}
}

// TestDirectories: rules for files that commands read, list or create.
func TestDirectories(t *testing.T) {
	for _, tt := range []struct {
		name     string
		files    []string
		uses     []capability.Use
		want     string
		withheld string
	}{
		{"a source directory", []string{"src/a", "src/lib/b", ".env", "package.json"}, []capability.Use{file(capability.UseRead, "src/a")}, "read:src/**", ""},
		{"a file of the root", []string{"server.js", ".env"}, []capability.Use{file(capability.UseRead, "server.js")}, "read:server.js", ""},
		{"beside a dotenv file", []string{"app/a", "app/x/.env"}, []capability.Use{file(capability.UseRead, "app/a")}, "read:app/a", ""},
		{"beside a manifest", []string{"app/a", "app/package.json"}, []capability.Use{file(capability.UseRead, "app/a")}, "read:app/a", ""},
		{"below a manifest", []string{"app/src/a", "app/package.json"}, []capability.Use{file(capability.UseRead, "app/src/a")}, "read:app/src/**", ""},
		{"beside our own files", []string{"a/b", "a/.stagecraft/x"}, []capability.Use{file(capability.UseRead, "a/b")}, "read:a/b", ""},
		{"where secrets are put", []string{"config/a", "srv/secrets/b"}, []capability.Use{file(capability.UseRead, "config/a"), file(capability.UseRead, "srv/a")},
			"read:config/a read:srv/a", ""},
		{"a nested repository", []string{"sub/a", "sub/.git/config"}, []capability.Use{file(capability.UseRead, "sub/a"), file(capability.UseList, "sub")}, "read:sub/a list:sub", ""},
		{"dependencies", []string{"node_modules/x/a", "node_modules/x/package.json", "node_modules/x/k.pem"}, []capability.Use{file(capability.UseRead, "node_modules/x/a")},
			"read:node_modules/x/**", ""},
		{"many files beside a key", []string{"d/x.key"}, reads("d/%d", 12), strings.TrimSpace("read:d/0 read:d/1 read:d/10 read:d/11" + func() (more string) {
			for _, n := range strings.Fields("2 3 4 5 6 7 8 9") {
				more += " read:d/" + n
			}
			return more
		}()), ""},
		{"the root, listed and written", []string{"a"}, []capability.Use{file(capability.UseList, "."), file(capability.UseMake, ".")}, "list:.", "w:**"},
		{"a program that lists the root", []string{"go.mod", ".env"}, []capability.Use{file(capability.UseList, "."), file(capability.UseRead, "go.mod")}, "read:go.mod list:.", ""},
		{"version control, listed", []string{".git/HEAD"}, []capability.Use{file(capability.UseList, ".git"), file(capability.UseList, ".git/refs")}, "", ".git .git/refs"},
		{"version control in a listed directory", []string{".git/HEAD"}, []capability.Use{file(capability.UseList, ".git"), file(capability.UseRead, ".git/HEAD"), file(capability.UseList, ".")},
			"list:.", ".git/HEAD"},
		{"a directory with a key's name, listed", []string{"x.key/a"}, []capability.Use{file(capability.UseList, "x.key"), file(capability.UseList, ".ssh")}, "", ".ssh x.key"},
		{"where secrets are put, listed", []string{"config/a"}, []capability.Use{file(capability.UseList, "config")}, "list:config", ""},
		{"where secrets are put, listed and read", []string{"config/a"}, []capability.Use{file(capability.UseList, "config"), file(capability.UseRead, "config/a")},
			"read:config/a list:config", ""},
		{"dependencies, listed", []string{"node_modules/x/a"}, []capability.Use{file(capability.UseList, "node_modules")}, "list:node_modules", ""},
		{"a directory that is gone", []string{"a"}, []capability.Use{file(capability.UseMake, "tmp")}, "write:tmp/**", ""},
		{"names without a rule, in the root", []string{"*"}, []capability.Use{file(capability.UseRead, "*")}, "", "**"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ran(t, learn.Options{Directories: true, Project: tree(tt.files...)}, tt.uses...)
			if rulesOf(got) != tt.want || withheld(got) != tt.withheld {
				t.Errorf("learnt %q, withheld %q, want %q and %q", rulesOf(got), withheld(got), tt.want, tt.withheld)
			}
		})
	}
	if got := ran(t, learn.Options{Project: tree("src/a")}, file(capability.UseRead, "src/a")); rulesOf(got) != "read:src/a" {
		t.Errorf("for a build, %q is learnt", rulesOf(got))
	}
	for _, name := range []string{"**", "."} {
		got := ran(t, learn.Options{Project: tree("a", ".env"), Sensitive: []string{name}}, file(capability.UseList, "."), file(capability.UseRead, ".env"))
		if rulesOf(got) != "read:**" || withheld(got) != "" {
			t.Errorf("%s is named: learnt %q, withheld %q", name, rulesOf(got), withheld(got))
		}
	}
}

// TestUnused: a name that is of nothing is told.
func TestUnused(t *testing.T) {
	got := ran(t, learn.Options{Sensitive: []string{".env", "certs", "**"}}, file(capability.UseRead, ".env"))
	if len(got.Notes) != 1 || got.Notes[0] != "--sensitive certs matches nothing that was used" {
		t.Errorf("noted %q", got.Notes)
	}
}

func TestNamed(t *testing.T) {
	for pattern, ok := range map[string]bool{
		".env": true, "certs/": true, "certs/**": true, ".": true, "**": true, "/run/docker.sock": true, "": false, "/": false, "../x": false, "a/**/**/**/b/**/c": false,
	} {
		if err := learn.Named([]string{pattern}); (err == nil) != ok {
			t.Errorf("%q: got %v", pattern, err)
		}
	}
}

// TestWatched: watching a directory lets it be read, so one with something sensitive is
// not learnt.
func TestWatched(t *testing.T) {
	for _, tt := range []struct{ pattern, learnt, withheld string }{
		{"server/**", "read:server/**", ""},
		{"server/**/*.js", "read:server/**/*.js", ""},
		{"server", "read:server/**", ""},
		{"package.json", "read:package.json", ""},
		{"keys/**", "", "keys/**"},
		{".env", "", ".env"},
		{"**", "", "**"},
	} {
		claim := capability.Claim{Operation: "watch", Provider: "generic", Files: []capability.FileUse{{Path: tt.pattern, Use: capability.Watch}}}
		got, err := learn.Policy([]capability.Claim{claim}, nil, learn.Options{Project: tree("server/a.js", "server/b/c.js", "keys/x.pem", "package.json", ".env")})
		if err != nil {
			t.Fatal(err)
		}
		if rulesOf(got) != tt.learnt || withheld(got) != tt.withheld {
			t.Errorf("%s: learnt %q, withheld %q", tt.pattern, rulesOf(got), withheld(got))
		}
		if tt.learnt != "" && got.Added[0].Remark != "watched; the provider may read it too" {
			t.Errorf("%s: remarked %q", tt.pattern, got.Added[0].Remark)
		}
	}
}
