package confine

import "cmp"

// These profiles are of tools that projects of all kinds use. Each has the directories
// that the tool's documentation names, without its files with credentials.

func bun(s Surroundings) Rules {
	home := cmp.Or(s.env("BUN_INSTALL"), s.home(".bun"))
	return node(s).With(Rules{
		Exec:  []string{below(home, "bin"), below(home, "install")},
		Write: []string{below(home, "install/cache")},
	})
}

func deno(s Surroundings) Rules {
	home := cmp.Or(s.env("DENO_INSTALL"), s.home(".deno"))
	return Rules{
		Exec: []string{below(home, "bin")}, Read: []string{"/proc", "/sys/fs/cgroup"},
		Write: []string{cmp.Or(s.env("DENO_DIR"), s.cache("deno"))},
	}
}

func dotnet(s Surroundings) Rules {
	root, home := s.env("DOTNET_ROOT"), cmp.Or(s.env("DOTNET_CLI_HOME"), s.Home)
	return Rules{
		Exec: []string{root, below(home, ".dotnet")}, Read: []string{"/proc", "/sys/fs/cgroup", "/etc/dotnet"},
		Write: []string{
			below(home, ".dotnet"), cmp.Or(s.env("NUGET_PACKAGES"), s.home(".nuget/packages")), s.data("NuGet"),
			// Certificates for HTTPS on this machine.
			s.home(".aspnet"), "/dev/shm",
		},
	}
}

func elixir(s Surroundings) Rules {
	mix, hex := cmp.Or(s.env("MIX_HOME"), s.home(".mix")), cmp.Or(s.env("HEX_HOME"), s.home(".hex"))
	return Rules{
		Exec: append(versions(s), mix), Read: []string{"/proc", "/sys/fs/cgroup"},
		// Not all of Hex's directory, which contains keys.
		Write: []string{below(hex, "packages"), below(hex, "cache.ets"), s.cache("rebar3"), s.cache("elixir_make")},
	}
}

func java(s Surroundings) Rules {
	gradle, maven := cmp.Or(s.env("GRADLE_USER_HOME"), s.home(".gradle")), s.home(".m2")
	return Rules{
		Exec: append(versions(s),
			s.env("JAVA_HOME"), s.env("MAVEN_HOME"), s.env("M2_HOME"), s.env("GRADLE_HOME"), s.home(".sdkman/candidates"), s.home(".jdks"),
			below(maven, "wrapper"), below(gradle, "wrapper"), below(gradle, "jdks"), below(gradle, "native"),
		),
		Read: append(in("/etc", "java", "maven", "java-8-openjdk", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "java-25-openjdk"), "/proc", "/sys/fs/cgroup"),
		// Not gradle.properties and settings.xml, which contain passwords.
		Write: append([]string{below(maven, "repository"), below(maven, "wrapper"), s.home(".ivy2/cache"), s.cache("coursier"), s.home(".konan")},
			inDir(gradle, "caches", "wrapper", "daemon", "native", "notifications", "workers", "kotlin-profile", ".tmp")...),
	}
}

func php(s Surroundings) Rules {
	return Rules{
		Exec:  append(versions(s), s.config("composer/vendor"), s.home(".composer/vendor"), s.home(".symfony5/bin"), s.home(".phpenv")),
		Read:  append(in("/etc", "php", "php.ini", "php.d"), "/var/lib/php/modules", "/proc"),
		Write: []string{cmp.Or(s.env("COMPOSER_CACHE_DIR"), s.cache("composer")), s.home(".composer/cache"), s.home(".symfony5")},
	}
}

func ruby(s Surroundings) Rules {
	return Rules{
		Exec: append(versions(s),
			s.env("GEM_HOME"), s.home(".gem/ruby"), s.data("gem"), cmp.Or(s.env("RBENV_ROOT"), s.home(".rbenv")), s.home(".rvm"), s.home(".rubies"), "/var/lib/gems",
		),
		Read:  []string{"/proc", "/sys/fs/cgroup", "/etc/ruby"},
		Write: []string{s.home(".bundle/cache"), s.cache("bundle"), s.cache("bootsnap")},
	}
}

func rust(s Surroundings) Rules {
	cargo := cmp.Or(s.env("CARGO_HOME"), s.home(".cargo"))
	return Rules{
		Exec: append(versions(s), below(cargo, "bin"), cmp.Or(s.env("RUSTUP_HOME"), s.home(".rustup"))),
		// Not credentials.toml.
		Read:  append(inDir(cargo, "config.toml", "config", "env"), "/proc", "/sys/fs/cgroup"),
		Write: inDir(cargo, "registry", "git", ".package-cache", ".package-cache-mutate", ".global-cache"),
	}
}

// versions are directories of tools that manage several versions of others.
func versions(s Surroundings) []string {
	return []string{cmp.Or(s.env("ASDF_DATA_DIR"), s.home(".asdf")), cmp.Or(s.env("MISE_DATA_DIR"), s.data("mise"))}
}

// inDir is [in], and empty without a directory.
func inDir(dir string, names ...string) []string {
	var paths []string
	for _, name := range names {
		paths = append(paths, below(dir, name))
	}
	return paths
}
