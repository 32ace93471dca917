package confine

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Surroundings determine the paths of a tool. They are the user's, never what a
// provider sets in a child's environment.
type Surroundings struct {
	// Home is the user's home directory, empty without one.
	Home string
	// Temp is the directory for temporary files. It should be the program's own,
	// because the shared one contains other programs' files.
	Temp string
	// Env looks up an environment variable, empty if it is not set. Nil means
	// that none is set.
	Env func(name string) string
}

// profiles are what tools need in addition to the project's directory.
var profiles = map[string]func(Surroundings) Rules{
	"base":   base,
	"bun":    bun,
	"deno":   deno,
	"dotnet": dotnet,
	"elixir": elixir,
	"git":    git,
	"go":     goTool,
	"java":   java,
	"node":   node,
	"php":    php,
	"python": python,
	"ruby":   ruby,
	"rust":   rust,
}

// Profiles lists the names that [Profile] knows, sorted.
func Profiles() []string { return slices.Sorted(maps.Keys(profiles)) }

// Profile returns what a tool's programs need to run, without the network and the
// project's directory, which the caller adds. It is pure: many of the paths may not
// exist, see [Rules].
//
// All profiles contain base, which every program needs. Caches of a tool are writable,
// and the user's own builds use their content; a variable such as GOCACHE gives the
// program a separate one. No profile contains files that are known to contain
// credentials, such as ~/.npmrc.
//
// A program cannot create a missing cache, because the directory above it is not
// allowed; go build fails then. The caller creates those of [Caches].
//
// # Errors
//
// An error that lists the profiles, for an unknown name.
func Profile(name string, at Surroundings) (Rules, error) {
	of, ok := profiles[name]
	if !ok {
		return Rules{}, fmt.Errorf("unknown profile %q: expected one of %s", name, strings.Join(Profiles(), ", "))
	}
	r := base(at).With(of(at))
	for _, list := range r.pathLists() {
		*list = slices.DeleteFunc(*list, func(p string) bool { return p == "" })
	}
	return r, nil
}

// env returns the path in the first variable that has one, clean; of a list of paths
// it is the first. The root does not count, and neither does a relative path, which
// depends on a program's working directory.
func (s Surroundings) env(names ...string) string {
	if s.Env == nil {
		return ""
	}
	for _, name := range names {
		first, _, _ := strings.Cut(s.Env(name), ":")
		if p := path.Clean(first); path.IsAbs(p) && p != "/" {
			return p
		}
	}
	return ""
}

// home returns a path below the home directory.
func (s Surroundings) home(name string) string { return below(s.Home, name) }

// config, cache and data return paths below the directories of the XDG Base Directory
// Specification.
func (s Surroundings) config(name string) string {
	return below(cmp.Or(s.env("XDG_CONFIG_HOME"), s.home(".config")), name)
}

func (s Surroundings) cache(name string) string {
	return below(cmp.Or(s.env("XDG_CACHE_HOME"), s.home(".cache")), name)
}

func (s Surroundings) data(name string) string {
	return below(cmp.Or(s.env("XDG_DATA_HOME"), s.home(".local/share")), name)
}

// below joins a path to a directory, and is empty without one.
func below(dir, name string) string {
	if !path.IsAbs(dir) {
		return ""
	}
	return path.Join(dir, name)
}

// base is for every program: the loader, the C library, names of users and hosts,
// certificates, time zones, and devices without data.
//
// Of /proc it contains files about the system only, because /proc itself has the
// command lines of all processes. /dev/pts is left out, because it has the user's
// other terminals.
func base(s Surroundings) Rules {
	return Rules{
		Exec: []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/gnu/store"},
		Read: append(in("/etc",
			"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "passwd", "group", "nsswitch.conf",
			"hosts", "host.conf", "hostname", "resolv.conf", "gai.conf", "services", "protocols", "localtime", "timezone",
			"locale.alias", "locale.conf", "os-release", "debian_version", "alternatives", "mime.types", "inputrc",
			"terminfo", "shells", "login.defs", "profile", "bash.bashrc",
			// Not the whole directories, which contain private keys.
			"ssl/certs", "ssl/openssl.cnf", "ssl/cert.pem", "ssl/ca-bundle.pem", "pki/tls/certs", "pki/tls/openssl.cnf", "pki/tls/cert.pem",
			"pki/ca-trust", "ca-certificates", "crypto-policies", "static",
		), "/dev/random", "/dev/urandom",
			"/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/version",
			"/proc/filesystems", "/proc/sys", "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage",
			s.env("SSL_CERT_FILE"), s.env("NODE_EXTRA_CA_CERTS"),
		),
		Write: []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/tty", s.Temp},
	}
}

func git(s Surroundings) Rules {
	return Rules{Read: []string{
		"/etc/gitconfig", "/etc/gitattributes", s.home(".gitconfig"), s.env("GIT_CONFIG_GLOBAL"), s.env("GIT_CONFIG_SYSTEM"),
		// Not the directory, which may contain credentials.
		s.config("git/config"), s.config("git/ignore"), s.config("git/attributes"),
	}}
}

// goTool contains git's, because go build asks git for the version to stamp.
func goTool(s Surroundings) Rules {
	gopath := cmp.Or(s.env("GOPATH"), s.home("go"))
	modules := cmp.Or(s.env("GOMODCACHE"), below(gopath, "pkg"))
	temp, cache := cmp.Or(s.env("GOTMPDIR"), s.Temp), cmp.Or(s.env("GOCACHE"), s.cache("go-build"))
	r := Rules{
		// go test runs programs in the temporary directory, go run in the cache.
		// Toolchains are modules.
		Exec: []string{s.env("GOROOT"), s.home("sdk"), s.env("GOBIN"), below(gopath, "bin"), modules, temp, cache},
		// Control groups limit the number of processors.
		Read:  []string{"/proc", "/sys/fs/cgroup", s.config("go/env"), s.env("GOENV")},
		Write: []string{cache, modules, s.config("go/telemetry"), temp},
	}
	return r.With(git(s))
}

// Caches are directories that a tool needs and would create itself. A confined one
// cannot: a path that does not exist allows nothing.
func Caches(name string, s Surroundings) []string {
	var paths []string
	switch name {
	case "go":
		modules := cmp.Or(s.env("GOMODCACHE"), below(cmp.Or(s.env("GOPATH"), s.home("go")), "pkg"))
		paths = []string{cmp.Or(s.env("GOCACHE"), s.cache("go-build")), modules}
	case "bun", "node":
		paths = []string{cmp.Or(s.env("npm_config_cache", "NPM_CONFIG_CACHE"), s.home(".npm"))}
	case "deno":
		paths = []string{cmp.Or(s.env("DENO_DIR"), s.cache("deno"))}
	}
	return slices.DeleteFunc(paths, func(p string) bool { return p == "" })
}

func node(s Surroundings) Rules {
	prefix := s.env("npm_config_prefix", "NPM_CONFIG_PREFIX")
	corepack := cmp.Or(s.env("COREPACK_HOME"), s.cache("node/corepack"))
	cache := cmp.Or(s.env("npm_config_cache", "NPM_CONFIG_CACHE"), s.home(".npm"))
	return Rules{
		Exec: []string{
			cmp.Or(s.env("NVM_DIR"), s.home(".nvm")), cmp.Or(s.env("VOLTA_HOME"), s.home(".volta")), cmp.Or(s.env("FNM_DIR"), s.data("fnm")),
			cmp.Or(s.env("PNPM_HOME"), s.data("pnpm")), s.home(".bun/bin"), below(prefix, "bin"), below(prefix, "lib"), corepack,
			// npx runs programs there.
			cache,
		},
		Read: []string{"/proc", "/sys/fs/cgroup"},
		Write: []string{
			cache, corepack,
			cmp.Or(s.env("YARN_CACHE_FOLDER"), s.cache("yarn")), s.home(".yarn/berry"), s.data("pnpm/store"), s.cache("pnpm"),
		},
		// Node's processes talk to each other by sockets there, as those of tsx do.
		Sockets: []string{s.Temp},
	}
}

func python(s Surroundings) Rules {
	user := cmp.Or(s.env("PYTHONUSERBASE"), s.home(".local"))
	return Rules{
		Exec: []string{
			cmp.Or(s.env("PYENV_ROOT"), s.home(".pyenv")), s.env("VIRTUAL_ENV"), s.env("CONDA_PREFIX"), s.data("uv"),
			below(user, "lib"),
		},
		Read: []string{"/proc", "/etc/python3"},
		Write: []string{
			cmp.Or(s.env("PIP_CACHE_DIR"), s.cache("pip")), cmp.Or(s.env("UV_CACHE_DIR"), s.cache("uv")),
			// Semaphores of multiprocessing.
			"/dev/shm",
		},
	}
}

// in returns paths in a directory.
func in(dir string, names ...string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = dir + "/" + name
	}
	return paths
}
