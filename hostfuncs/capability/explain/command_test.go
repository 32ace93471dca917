package explain

import (
	"strings"
	"testing"
)

func TestProgramsHaveAReasonAndASource(t *testing.T) {
	seen := make(map[string]bool)
	for _, group := range knownPrograms {
		if group.does == "" || !strings.HasPrefix(group.source, "https://") {
			t.Errorf("%v: does %q, source %q", group.names, group.does, group.source)
		}
		for _, n := range group.names {
			if seen[n] {
				t.Errorf("%s is there twice", n)
			}
			seen[n] = true
		}
	}
}

func TestKnownFor(t *testing.T) {
	for _, name := range strings.Fields(`
		sh bash dash zsh fish pwsh cmd env xargs nice taskset timeout nohup setsid sudo strace gdb ld.so ld-linux-x86-64.so.2 ld-linux.so.2 ld-musl-x86_64.so.1
		ld-2.31.so ld64.so.1 busybox find tar rsync sed awk gawk vim vi nvim less man python python3 python3.11 python3.13t pypy3.10 node node18 nodejs deno bun
		perl perl5.36.0 ruby ruby3.1 php8.2 lua5.4 java npm npx pnpm pnpm9 yarn uv uvx poetry pip pip3 pip3.11 make gmake cmake just task mage jest vitest pytest
		pytest-3 mocha go go1.22.1 cargo gcc gcc-12 g++-13 clang clang-16 clang++-16 x86_64-linux-gnu-gcc aarch64-linux-gnu-gcc-12 arm-none-eabi-g++ cc ld ld.gold
		git git-upload-pack docker docker-compose podman kubectl helm terraform ssh scp curl wget psql mysql mariadb sqlite3 mongosh redis-cli openssl stagecraft`) {
		if knownFor(name) == "" {
			t.Errorf("%s is not known", name)
		}
	}
	for _, name := range []string{"", "echo", "ls", "tool", "12", "my-server2", "greatest"} {
		if does := knownFor(name); does != "" {
			t.Errorf("%q is known for: %s", name, does)
		}
	}
}
