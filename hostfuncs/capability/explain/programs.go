package explain

// knownPrograms are programs that run other programs, or code, when their
// arguments say so. In a name, * matches any characters; names are without
// a version, so python is python3.11 too. Where no other page is named, what a
// program does is in its own manual.
var knownPrograms = []struct {
	names  []string
	does   string
	source string
}{
	{
		[]string{"sh", "bash", "rbash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "lksh", "yash", "fish", "csh", "tcsh", "elvish", "nu", "xonsh", "pwsh", "powershell", "cmd", "rc", "es"},
		"a shell runs what its arguments say", "https://gtfobins.github.io/gtfobins/bash/",
	},
	{
		[]string{"ld.so", "ld-*.so*", "ld64.so*", "ld.so.*", "ld-linux*", "ld-musl-*", "rtld", "dyld"},
		"the loader runs the program that its arguments name, and preloads what --preload names", "https://man7.org/linux/man-pages/man8/ld.so.8.html",
	},
	{
		[]string{"env", "nice", "ionice", "chrt", "taskset", "numactl", "nohup", "timeout", "gtimeout", "setsid", "stdbuf", "setarch", "linux32", "linux64", "i386", "x86_64", "uname26", "choom", "prlimit", "coresched"},
		"it runs the program that its arguments name", "https://gtfobins.github.io/gtfobins/taskset/",
	},
	{
		[]string{"sudo", "sudoedit", "doas", "su", "runuser", "run0", "pkexec", "sg", "newgrp", "gosu", "su-exec", "setpriv", "capsh", "chpst", "setuidgid", "softlimit", "envuidgid", "s6-*", "start-stop-daemon", "daemon", "daemonize"},
		"it runs the program that its arguments name, as any user that it may be", "https://gtfobins.github.io/gtfobins/sudo/",
	},
	{
		[]string{"chroot", "unshare", "nsenter", "bwrap", "firejail", "fakeroot", "proot", "pivot_root", "switch_root", "systemd-run", "systemd-nspawn", "machinectl", "systemctl", "at", "batch", "crontab"},
		"it runs the program that its arguments name, in surroundings of its own or later", "https://gtfobins.github.io/gtfobins/unshare/",
	},
	{
		[]string{"xargs", "parallel", "time", "gtime", "watch", "entr", "flock", "lockfile", "script", "scriptreplay", "unbuffer", "expect", "dbus-run-session", "dbus-launch", "xvfb-run", "ssh-agent", "chronic", "sem", "run-parts", "faketime", "catchsegv", "cpulimit", "hyperfine", "direnv", "dotenv", "env-cmd", "cross-env", "dotenvx", "with-contenv", "envdir", "tini", "dumb-init", "catatonit", "rlwrap", "logsave", "aa-exec", "torify", "torsocks", "proxychains*", "tsocks"},
		"it runs the program that its arguments name", "https://gtfobins.github.io/gtfobins/xargs/",
	},
	{
		[]string{"strace", "ltrace", "gdb", "*-gdb", "lldb", "rr", "valgrind", "perf", "bpftrace", "trace-cmd", "uftrace", "dtrace", "heaptrack", "memusage", "sotruss", "dlv", "gcore"},
		"a debugger or tracer runs the program that its arguments name, and commands of its own", "https://gtfobins.github.io/gtfobins/gdb/",
	},
	{
		[]string{"busybox", "toybox", "coreutils", "git-shell", "mosh", "tmux", "screen", "zellij", "dtach", "abduco", "byobu", "xterm", "ttyd", "gotty", "socat", "ncat", "nc", "netcat", "telnet", "tcpsvd", "inetd"},
		"it runs the program that its arguments name, or a shell", "https://gtfobins.github.io/gtfobins/busybox/",
	},
	{
		[]string{"find", "gfind", "fd", "fdfind"},
		"with -exec and its like it runs any program", "https://gtfobins.github.io/gtfobins/find/",
	},
	{
		[]string{"tar", "gtar", "bsdtar", "star", "cpio", "rsync", "restic", "borg", "zip", "dpkg", "dpkg-deb", "rpm", "rpmbuild", "install", "split", "csplit", "sort", "gsort"},
		"with --to-command, -e, --strip-program and their like it runs any program", "https://gtfobins.github.io/gtfobins/tar/",
	},
	{
		[]string{"sed", "gsed", "awk", "gawk", "mawk", "nawk", "goawk", "ed", "ex", "red", "m4", "gm4", "dc", "jq", "gojq", "jaq", "yq", "mlr", "gomplate", "rg", "ripgrep", "ack", "ag", "ugrep", "fzf", "sk"},
		"its arguments are code, or name a command or a file that it uses", "https://gtfobins.github.io/gtfobins/sed/",
	},
	{
		[]string{"vi", "vim", "view", "vimdiff", "rvim", "rview", "gvim", "nvim", "emacs", "emacsclient", "nano", "pico", "micro", "joe", "jed", "kak", "hx", "helix", "code", "codium", "mcedit", "mc", "ranger", "nnn", "lf", "vifm"},
		"an editor runs commands that its arguments give", "https://gtfobins.github.io/gtfobins/vim/",
	},
	{
		[]string{"less", "more", "most", "pg", "man", "info", "pinfo", "bat", "batcat", "w3m", "lynx", "links", "elinks", "mutt", "neomutt", "mail", "mailx", "nail", "sendmail", "exim*", "msmtp", "xdg-open", "open", "start", "sensible-*", "run-mailcap", "see"},
		"it runs the pager, editor or program that its arguments name", "https://gtfobins.github.io/gtfobins/less/",
	},
	{
		[]string{"python", "pypy", "ipython", "jython", "micropython", "graalpy", "bpython", "jupyter*", "hy", "pdb", "cython", "flask", "django-admin", "uvicorn", "gunicorn", "hypercorn", "celery", "ansible-connection"},
		"python runs code that its arguments give or name", "https://docs.python.org/3/using/cmdline.html",
	},
	{
		[]string{"node", "nodejs", "iojs", "deno", "bun", "ts-node*", "tsx", "esno", "babel-node", "swc-node", "electron", "nodemon", "pm2", "forever", "qjs", "d8", "txiki", "tjs", "vite-node", "jiti", "zx"},
		"it runs JavaScript that its arguments give or name", "https://nodejs.org/api/cli.html",
	},
	{
		[]string{"perl", "prename", "perl5*", "raku", "perl6", "ruby", "jruby", "irb", "erb", "pry", "rdbg", "php", "php-cgi", "php-fpm", "hhvm", "psysh", "artisan", "wp", "lua", "luajit", "texlua", "tclsh", "wish", "jimsh", "guile", "racket", "csi", "chibi-scheme", "sbcl", "clisp", "ecl", "abcl", "clojure", "clj", "bb", "lein", "gforth", "swipl", "gprolog", "ocaml", "utop", "ghci", "runghc", "runhaskell", "stack", "cabal", "R", "Rscript", "octave*", "julia", "erl", "escript", "elixir", "iex", "mix", "rebar*", "gleam", "crystal", "nim", "v", "swift", "osascript", "wscript", "cscript", "rundll32", "regsvr32", "mshta"},
		"it runs code that its arguments give or name", "https://gtfobins.github.io/gtfobins/perl/",
	},
	{
		[]string{"java", "javaw", "javac", "jshell", "jdb", "jar", "jrunscript", "groovy*", "kotlin", "kotlinc", "scala*", "amm", "jbang", "bsh", "dotnet", "mono", "csi.exe", "fsi", "csharp", "msbuild", "nuget", "wasmtime", "wasmer", "wazero", "wine*", "qemu-*", "box64", "box86", "rosetta"},
		"it runs the program that its arguments name, or loads code beside it", "https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html",
	},
	{
		[]string{"npm", "npx", "yarn", "yarnpkg", "pnpm", "pnpx", "bunx", "corepack", "ni", "nr", "nlx", "lerna", "nx", "turbo", "rush", "rushx", "wireit", "volta", "fnm", "nvm", "n", "asdf", "mise", "rtx", "proto", "devbox"},
		"it runs any package or script that its arguments name", "https://docs.npmjs.com/cli/commands/npm-exec",
	},
	{
		[]string{"pip", "pipx", "uv", "uvx", "poetry", "pdm", "hatch", "rye", "pipenv", "conda", "mamba", "micromamba", "pixi", "easy_install", "virtualenv", "twine", "gem", "bundle", "bundler", "rbenv", "pyenv", "nodenv", "composer", "cpan", "cpanm", "cpm", "carton", "luarocks", "opam", "dune", "nix", "nix-shell", "nix-build", "guix", "brew", "apt", "apt-get", "aptitude", "dnf", "yum", "zypper", "apk", "pacman", "snap", "flatpak", "choco", "winget", "scoop", "port"},
		"it runs or installs any package that its arguments name, with scripts of that package", "https://gtfobins.github.io/gtfobins/pip/",
	},
	{
		[]string{"make", "gmake", "bmake", "mingw32-make", "nmake", "remake", "ninja", "samu", "cmake", "ctest", "cpack", "meson", "muon", "scons", "waf", "bazel*", "buck*", "pants", "please", "plz", "ant", "mvn", "mvnw", "mvnd", "gradle", "gradlew", "sbt", "mill", "xcodebuild", "qmake*", "autoconf", "autoreconf", "automake", "aclocal", "libtool", "configure", "b2", "tup", "redo", "earthly", "dagger"},
		"a build tool runs whatever a file that its arguments name says, or its arguments", "https://gtfobins.github.io/gtfobins/make/",
	},
	{
		[]string{"just", "task", "go-task", "mage", "rake", "thor", "invoke", "inv", "fab", "doit", "nox", "tox", "gulp", "grunt", "jake", "wds", "foreman", "overmind", "hivemind", "honcho", "goreman", "process-compose", "mprocs", "concurrently", "npm-run-all", "run-s", "run-p", "lefthook", "husky", "pre-commit", "lint-staged", "watchexec", "watchman", "chokidar", "reflex", "air", "cargo-watch", "act", "xc", "tusk", "robo"},
		"a task runner runs whatever a file that its arguments name says, or its arguments", "https://just.systems/man/en/",
	},
	{
		[]string{"jest", "vitest", "mocha", "ava", "tap", "jasmine", "karma", "cypress", "playwright", "wdio", "pytest", "py.test", "nose*", "unittest", "behave", "robot", "coverage", "rspec", "minitest", "cucumber", "phpunit", "pest", "codecept", "busted", "bats", "shellspec", "prove", "gotestsum", "ginkgo", "storybook", "nyc", "c8"},
		"a test runner runs code and configuration that its arguments name", "https://jestjs.io/docs/cli",
	},
	{
		[]string{"webpack", "webpack-cli", "rollup", "vite", "parcel", "esbuild", "tsc", "tsup", "swc", "babel", "eslint", "prettier", "stylelint", "next", "nuxt", "nuxi", "astro", "remix", "gatsby", "ng", "vue-cli-service", "react-scripts", "svelte-kit", "prisma", "drizzle-kit", "typeorm", "knex", "sequelize", "graphql-codegen", "postcss", "tailwindcss", "sass", "wrangler", "serverless", "sls", "pylint", "mypy", "flake8", "alembic", "sphinx-build", "mkdocs", "rubocop", "rails", "jekyll"},
		"it loads plug-ins or configuration, which are code, from where its arguments say", "https://eslint.org/docs/latest/use/command-line-interface",
	},
	{
		[]string{"go", "golangci-lint", "goreleaser", "ko", "cargo", "rustup", "rustc", "rustdoc", "cross", "trunk", "wasm-pack", "zig", "cgo", "gox", "tinygo", "gomobile", "protoc", "buf", "encore"},
		"with -exec, -toolexec, run, a plug-in or a linker that its arguments name it runs any program", "https://pkg.go.dev/cmd/go",
	},
	{
		[]string{"gcc", "g++", "c++", "cc", "c89", "c99", "cpp", "gfortran", "gnat*", "gdc", "gccgo", "*-gcc", "*-g++", "*-cc", "*-c++", "*-cpp", "*-gfortran", "clang", "clang++", "clang-cl", "*-clang", "*-clang++", "icc", "icx", "nvcc", "hipcc", "emcc", "em++", "tcc", "ldc2", "dmd", "cl", "ld", "ld.*", "*-ld", "lld*", "mold", "gold", "as", "*-as", "nasm", "collect2", "ccache", "sccache", "distcc", "icecc", "bear", "scan-build", "clang-tidy", "opt", "llc", "lli", "ghc", "ocamlopt", "ocamlfind", "fpc"},
		"with -wrapper, -B, -specs, -fplugin and their like a compiler runs any program or loads any library", "https://gcc.gnu.org/onlinedocs/gcc/Overall-Options.html",
	},
	{
		[]string{"git", "git-*", "gh", "glab", "hub", "tig", "lazygit", "hg", "svn", "svnadmin", "bzr", "fossil", "cvs", "jj", "repo", "darcs", "p4"},
		"with -c, an alias, a hook or --upload-pack it runs any program", "https://git-scm.com/docs/git#Documentation/git.txt--cltnamegtltvaluegt",
	},
	{
		[]string{"docker", "docker-*", "podman", "podman-*", "nerdctl", "buildah", "buildctl", "kaniko", "executor", "ctr", "crictl", "runc", "crun", "youki", "lxc*", "incus", "multipass", "vagrant", "limactl", "colima", "minikube", "kind", "k3d", "k3s", "singularity", "apptainer", "toolbox", "distrobox", "devcontainer", "virsh", "VBoxManage"},
		"it starts containers or machines that can have any directory and device", "https://docs.docker.com/engine/security/#docker-daemon-attack-surface",
	},
	{
		[]string{"kubectl", "kubectl-*", "oc", "helm", "helmfile", "kustomize", "skaffold", "tilt", "k9s", "argocd", "flux", "terraform", "tofu", "terragrunt", "pulumi", "cdk", "cdktf", "packer", "nomad", "consul", "vault", "waypoint", "aws", "gcloud", "gsutil", "bq", "az", "flyctl", "fly", "heroku", "vercel", "netlify", "doctl", "eksctl", "sam", "chef*", "knife", "puppet", "salt*", "ansible*", "op", "doppler", "infisical", "chamber", "aws-vault", "sops", "teller", "stagecraft"},
		"with a plug-in, exec, a credential helper or a file that its arguments name it runs any program", "https://gtfobins.github.io/gtfobins/kubectl/",
	},
	{
		[]string{"ssh", "sshpass", "autossh", "scp", "sftp", "ssh-keygen", "ssh-add", "ssh-copy-id", "sshfs", "rsh", "rlogin", "rexec", "dropbear", "dbclient", "plink", "pscp", "putty", "mosh-server", "lftp", "ftp", "tftp", "smbclient", "ipmitool", "openvpn", "wg-quick", "pppd"},
		"it runs programs on other machines, and here by ProxyCommand and its like", "https://gtfobins.github.io/gtfobins/ssh/",
	},
	{
		[]string{"curl", "wget", "wget2", "aria2c", "axel", "http", "https", "httpie", "xh", "xhs", "wcurl", "lwp-request", "GET", "fetch", "youtube-dl", "yt-dlp", "s3cmd", "rclone"},
		"it sends any file anywhere, and writes what it fetches to any file", "https://gtfobins.github.io/gtfobins/curl/",
	},
	{
		[]string{"psql", "pg_*", "pgcli", "createdb", "dropdb", "mysql", "mysqldump", "mysqlimport", "mysqladmin", "mysqlsh", "mycli", "mariadb", "mariadb-*", "sqlite", "sqlite3", "sqlcipher", "litecli", "duckdb", "mongo", "mongosh", "mongod", "redis-cli", "valkey-cli", "redis-server", "sqlcmd", "sqlplus", "rman", "isql", "isql-fb", "cqlsh", "clickhouse*", "cockroach", "influx", "influxd", "etcdctl", "usql", "rqlite", "snowsql", "bcp", "psequel", "neo4j", "cypher-shell", "hbase", "hive", "beeline", "presto", "trino", "spark-*", "pyspark"},
		"a database's shell runs commands, and reads and writes files, as its arguments say", "https://gtfobins.github.io/gtfobins/psql/",
	},
	{
		[]string{"openssl", "gpg", "gpg2", "gpgsm", "gpgconf", "gpg-agent", "age", "cosign", "step", "pass", "security", "keytool", "jarsigner", "certutil", "certbot", "acme.sh", "nginx", "caddy", "httpd", "apache2*", "lighttpd", "haproxy", "envoy", "traefik", "supervisord", "crond", "rsyslogd", "logrotate", "cloudflared", "ngrok", "localtunnel", "lt", "tailscale"},
		"with a module, a hook, or a file that its arguments name it loads or runs any program, or opens the machine to others", "https://gtfobins.github.io/gtfobins/openssl/",
	},
	{
		[]string{"tex", "latex", "pdftex", "pdflatex", "xetex", "xelatex", "luatex", "lualatex", "latexmk", "context", "dvips", "gs", "ghostscript", "ps2pdf", "pandoc", "convert", "magick", "identify", "mogrify", "ffmpeg", "ffprobe", "ffplay", "mpv", "vlc", "mplayer", "inkscape", "gimp", "soffice", "libreoffice", "chrome", "google-chrome*", "chromium*", "firefox", "puppeteer", "wkhtmltopdf", "dot", "gnuplot", "exiftool", "tcpdump", "nmap", "tshark", "wireshark", "dumpcap", "sysctl", "ip", "iptables", "mount", "modprobe", "insmod", "ldconfig", "journalctl", "busctl", "gdbus", "dbus-send", "tee", "cp", "mv", "ln", "dd", "patch"},
		"with options for a shell, a filter, a launcher or an output it runs any program, or writes to any file", "https://gtfobins.github.io/",
	},
}
