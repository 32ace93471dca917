package confine

import (
	"path"
	"slices"
	"strings"
	"testing"
)

func TestProfile(t *testing.T) {
	vars := func(pairs ...string) func(string) string {
		return func(name string) string {
			if i := slices.Index(pairs, name); i >= 0 && i%2 == 0 {
				return pairs[i+1]
			}
			return ""
		}
	}
	for _, tt := range []struct {
		name, tool        string
		at                Surroundings
		read, write, exec []string
		// not are in no list.
		not []string
	}{
		{
			name: "base", tool: "base", at: Surroundings{Home: "/h", Temp: "/t"},
			read: []string{"/etc/resolv.conf", "/dev/urandom"}, write: []string{"/t", "/dev/null"}, exec: []string{"/usr", "/lib64"},
			not: []string{"/proc", "/etc", "/etc/ssl", "/dev", "/dev/pts", "/h", "/"},
		},
		{
			name: "no home", tool: "go", at: Surroundings{Temp: "/t"},
			exec: []string{"/t"}, read: []string{"/etc/gitconfig", "/proc"}, not: []string{"", "/go/bin", "go/bin"},
		},
		{
			name: "git", tool: "git", at: Surroundings{Home: "/h"},
			read: []string{"/h/.gitconfig", "/h/.config/git/config"}, not: []string{"/h/.git-credentials", "/h/.config/git", "/proc"},
		},
		{
			name: "git elsewhere", tool: "git",
			at:   Surroundings{Home: "/h", Env: vars("XDG_CONFIG_HOME", "/c", "GIT_CONFIG_GLOBAL", "/g")},
			read: []string{"/h/.gitconfig", "/c/git/config", "/g"}, not: []string{"/h/.config/git/config"},
		},
		{
			name: "go", tool: "go", at: Surroundings{Home: "/h", Temp: "/t"},
			exec:  []string{"/h/go/bin", "/h/go/pkg", "/t", "/h/.cache/go-build"},
			write: []string{"/h/.cache/go-build", "/h/go/pkg", "/t"},
			read:  []string{"/h/.gitconfig", "/h/.config/go/env"},
			not:   []string{"/h/go", "/h/.config/go"},
		},
		{
			name: "go elsewhere", tool: "go",
			at: Surroundings{Home: "/h", Temp: "/t", Env: vars("GOPATH", "/p:/q", "GOCACHE", "/c/", "GOMODCACHE", "/m", "GOROOT", "/r/../root",
				"GOTMPDIR", "/gt")},
			exec:  []string{"/p/bin", "/m", "/root", "/gt"},
			write: []string{"/c", "/m", "/t", "/gt"},
			not:   []string{"/h/go/bin", "/q/bin", "/h/.cache/go-build", "/p/pkg"},
		},
		{
			name: "not a path", tool: "go",
			at:    Surroundings{Home: "/h", Env: vars("GOCACHE", "off", "GOROOT", "/", "GOMODCACHE", "a/b")},
			write: []string{"/h/.cache/go-build", "/h/go/pkg"}, not: []string{"off", "/", "a/b"},
		},
		{
			name: "node", tool: "node", at: Surroundings{Home: "/h"},
			exec: []string{"/h/.nvm", "/h/.local/share/pnpm", "/h/.npm"}, write: []string{"/h/.npm", "/h/.cache/node/corepack", "/h/.cache/yarn"},
			read: []string{"/proc"}, not: []string{"/h/.npmrc", "/h/.config", "/h/.cache"},
		},
		{
			name: "node elsewhere", tool: "node",
			at:   Surroundings{Home: "/h", Env: vars("NPM_CONFIG_CACHE", "/n", "npm_config_prefix", "/x", "NVM_DIR", "/v")},
			exec: []string{"/x/bin", "/x/lib", "/v"}, write: []string{"/n"}, not: []string{"/x", "/h/.npm", "/h/.nvm"},
		},
		{
			name: "python", tool: "python", at: Surroundings{Home: "/h", Env: vars("VIRTUAL_ENV", "/w/.venv")},
			exec: []string{"/h/.pyenv", "/h/.local/lib", "/w/.venv"}, write: []string{"/h/.cache/pip", "/dev/shm"},
			not: []string{"/h/.local"},
		},
		{
			name: "rust", tool: "rust", at: Surroundings{Home: "/h"},
			exec: []string{"/h/.cargo/bin", "/h/.rustup"}, write: []string{"/h/.cargo/registry"}, read: []string{"/h/.cargo/config.toml"},
			not: []string{"/h/.cargo", "/h/.cargo/credentials.toml"},
		},
		{
			name: "rust elsewhere", tool: "rust", at: Surroundings{Home: "/h", Env: vars("CARGO_HOME", "/c", "RUSTUP_HOME", "/r")},
			exec: []string{"/c/bin", "/r"}, write: []string{"/c/registry"}, not: []string{"/c", "/h/.cargo/bin"},
		},
		{
			name: "java", tool: "java", at: Surroundings{Home: "/h", Env: vars("JAVA_HOME", "/j")},
			exec: []string{"/j", "/h/.m2/wrapper", "/h/.gradle/wrapper"}, write: []string{"/h/.m2/repository", "/h/.gradle/caches"}, read: []string{"/proc", "/etc/java-17-openjdk"},
			not: []string{"/h/.m2", "/h/.gradle", "/h/.m2/settings.xml", "/h/.gradle/gradle.properties"},
		},
		{
			name: "php", tool: "php", at: Surroundings{Home: "/h"}, read: []string{"/etc/php"}, write: []string{"/h/.cache/composer"},
			not: []string{"/h/.composer", "/h/.config/composer", "/h/.composer/auth.json"},
		},
		{
			name: "ruby", tool: "ruby", at: Surroundings{Home: "/h", Env: vars("GEM_HOME", "/g")}, exec: []string{"/g", "/h/.rbenv", "/var/lib/gems"},
			not: []string{"/h/.gem", "/h/.bundle", "/h/.bundle/config", "/h/.gem/credentials"},
		},
		{
			name: "elixir", tool: "elixir", at: Surroundings{Home: "/h"}, exec: []string{"/h/.mix"}, write: []string{"/h/.hex/packages"}, not: []string{"/h/.hex"},
		},
		{
			name: "dotnet", tool: "dotnet", at: Surroundings{Home: "/h"}, exec: []string{"/h/.dotnet"}, write: []string{"/h/.nuget/packages"}, not: []string{"/h/.nuget", "/h"},
		},
		{
			name: "dotnet without a home", tool: "dotnet", at: Surroundings{Temp: "/t"}, read: []string{"/proc"}, not: []string{"", ".dotnet", "/.dotnet"},
		},
		{
			name: "deno", tool: "deno", at: Surroundings{Home: "/h", Env: vars("DENO_DIR", "/d")}, exec: []string{"/h/.deno/bin"}, write: []string{"/d"}, not: []string{"/h/.deno", "/h/.cache/deno"},
		},
		{
			name: "bun", tool: "bun", at: Surroundings{Home: "/h"}, exec: []string{"/h/.bun/bin", "/h/.nvm"}, write: []string{"/h/.bun/install/cache", "/h/.npm"}, not: []string{"/h/.bun"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Profile(tt.tool, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct{ got, want []string }{{r.Read, tt.read}, {r.Write, tt.write}, {r.Exec, tt.exec}} {
				for _, p := range c.want {
					if !slices.Contains(c.got, p) {
						t.Errorf("%q is not in %q", p, c.got)
					}
				}
			}
			for _, p := range tt.not {
				if slices.Contains(slices.Concat(r.Read, r.Write, r.Exec, r.List, r.Sockets), p) {
					t.Errorf("%q is in the profile", p)
				}
			}
			if err := r.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestProfilesAreNarrow checks every profile.
func TestProfilesAreNarrow(t *testing.T) {
	for _, name := range Profiles() {
		r, err := Profile(name, Surroundings{Home: "/home/u", Temp: "/tmp/own"})
		if err != nil {
			t.Fatal(err)
		}
		if r.AnyFiles || r.AnyNet || r.AnySockets || r.UDP || r.BestEffort || len(r.Connect)+len(r.Listen) > 0 ||
			// Those in the program's own directory are its own.
			slices.ContainsFunc(r.Sockets, func(p string) bool { return p != "/tmp/own" }) {
			t.Errorf("%s allows more than files: %+v", name, r)
		}
		for _, secret := range []string{
			"/home/u/.ssh/id", "/home/u/.aws/credentials", "/home/u/.npmrc", "/home/u/.git-credentials", "/home/u/.bashrc",
			"/home/u/.config/git/credentials", "/home/u/.docker/config.json", "/home/u/.m2/settings.xml", "/home/u/.gradle/gradle.properties", "/home/u/.cargo/credentials.toml", "/home/u/.hex/hex.config",
			"/home/u/.gem/credentials", "/home/u/.bundle/config", "/home/u/.composer/auth.json", "/home/u/.config/composer/auth.json", "/home/u/.nuget/NuGet/NuGet.Config", "/home/u/.netrc", "/etc/shadow", "/etc/ssl/private/key",
			"/run/docker.sock", "/root/x", "/var/lib/x", "/dev/sda", "/dev/pts/0",
		} {
			for _, p := range slices.Concat(r.Read, r.Write, r.Exec, r.List, r.Sockets) {
				if secret == p || strings.HasPrefix(secret, p+"/") {
					t.Errorf("%s opens %s by %s", name, secret, p)
				}
			}
		}
		for _, p := range r.Write {
			if slices.Contains([]string{"/", "/home/u", "/tmp", "/dev", "/proc", "/usr"}, path.Clean(p)) {
				t.Errorf("%s can write %s", name, p)
			}
		}
	}
}

func TestNoProfile(t *testing.T) {
	const want = `unknown profile "cobol": expected one of base, bun, deno, dotnet, elixir, git, go, java, node, php, python, ruby, rust`
	if _, err := Profile("cobol", Surroundings{}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
