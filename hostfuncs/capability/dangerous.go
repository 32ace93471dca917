package capability

import "strings"

// dangerous are the variables that turn a program into another one: they make
// it load code, read other settings, or run a command that the variable names.
// A name that ends in * is a prefix. Names are compared without regard to
// case, since npm does so with its own, and Windows with all.
//
// Sources: ld.so(8), dyld(1), bash(1), git(1) and git-config(1), the node, npm,
// python, perl, ruby, java and go commands' own documentation, the variables
// that glibc drops for privileged programs, and those that the runner of GitHub
// Actions sets.
var dangerous = []struct {
	why   string
	names []string
}{
	{"the loader runs code that it names", []string{
		"LD_*", "DYLD_*", "GCONV_PATH", "GETCONF_DIR", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES", "MALLOC_*",
		"OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "GTK_MODULES", "GTK_PATH", "QT_PLUGIN_PATH",
	}},
	{"a shell runs what it names, or reads words in another way", []string{
		"BASH_ENV", "ENV", "ZDOTDIR", "FPATH", "SHELLOPTS", "BASHOPTS", "BASH_FUNC_*", "BASH_XTRACEFD", "PS0", "PS1", "PS4",
		"PROMPT_COMMAND", "IFS", "CDPATH", "GLOBIGNORE", "INPUTRC",
	}},
	{"it decides which program a name means", []string{"PATH", "PATHEXT", "COMSPEC", "SHELL", "SYSTEMROOT", "WINDIR"}},
	{"programs read their settings from the folder that it names", []string{
		"HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
	}},
	{"node loads code that it names, trusts whom it names, or writes to it", []string{
		"NODE_OPTIONS", "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED",
		"NODE_V8_COVERAGE", "NODE_REDIRECT_WARNINGS", "ELECTRON_RUN_AS_NODE", "BUN_OPTIONS", "BUN_INSPECT_PRELOAD",
	}},
	{"npm and its like take settings from it, the shell for scripts among them", []string{"npm_config_*", "npm_execpath", "npm_node_execpath", "YARN_*", "COREPACK_*", "PNPM_*"}},
	{"python loads code that it names", []string{
		"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT", "PYTHONWARNINGS", "PYTHONUSERBASE",
		"PYTHONEXECUTABLE", "PYTHONPLATLIBDIR", "PYTHONCASEOK", "PYTHONPYCACHEPREFIX", "PIP_*", "UV_*",
	}},
	{"perl loads code that it names", []string{"PERL5*", "PERLLIB", "PERLIO_DEBUG"}},
	{"ruby loads code that it names", []string{"RUBYOPT", "RUBYLIB", "RUBYSHELL", "GEM_HOME", "GEM_PATH", "BUNDLE_*"}},
	{"java loads code that it names", []string{
		"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "JAVA_HOME", "CLASSPATH", "MAVEN_OPTS", "MAVEN_ARGS", "GRADLE_OPTS", "GRADLE_USER_HOME", "SBT_OPTS",
	}},
	{"php, lua, erlang and .NET load code that it names", []string{
		"PHPRC", "PHP_INI_SCAN_DIR", "LUA_INIT*", "LUA_PATH*", "LUA_CPATH*", "ERL_FLAGS", "ERL_AFLAGS", "ERL_ZFLAGS", "ERL_LIBS",
		"DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE", "DOTNET_ROOT*", "COR_*", "CORECLR_*",
	}},
	{"git runs what it names, takes settings from it, or writes to it", []string{
		"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_EXEC_PATH", "GIT_CONFIG*", "GIT_EXTERNAL_DIFF", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR",
		"GIT_PAGER", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_PROXY_COMMAND", "GIT_ALLOW_PROTOCOL", "GIT_TEMPLATE_DIR", "GIT_DIR", "GIT_COMMON_DIR",
		"GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_TRACE*",
	}},
	{"programs run it as a command", []string{
		"EDITOR", "VISUAL", "FCEDIT", "HGEDITOR", "SVN_EDITOR", "PAGER", "MANPAGER", "SYSTEMD_PAGER", "PSQL_PAGER", "LESSOPEN", "LESSCLOSE",
		"BROWSER", "SUDO_ASKPASS", "RSYNC_RSH", "SVN_SSH", "CVS_RSH", "TAR_OPTIONS", "RSH",
	}},
	{"go, make and compilers run what it names", []string{
		"GOFLAGS", "GOTOOLCHAIN", "GOTOOLDIR", "GOROOT", "GOPATH", "GOPROXY", "GOENV", "GOWORK", "GOCACHEPROG", "GOAUTH", "GOVCS", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GCCGO",
		"CC", "CXX", "CPP", "FC", "AR", "LD", "AS", "PKG_CONFIG*", "CGO_*", "GCC_EXEC_PREFIX", "COMPILER_PATH", "MAKEFLAGS", "GNUMAKEFLAGS", "MFLAGS", "MAKEFILES",
		"RUSTC*", "RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_*",
	}},
	{"a later step of the workflow obeys what is written where it leads, or it is the workflow's own credential", []string{
		"GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "GITHUB_ARTIFACTS", "GITHUB_EVENT_PATH",
		"GITHUB_ACTION_PATH", "GITHUB_TOKEN", "GH_TOKEN", "RUNNER_TEMP", "RUNNER_TOOL_CACHE", "ACTIONS_*",
	}},
	{"docker and cloud tools talk to what it names, or run what its file names", []string{
		"DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "BUILDKIT_*", "KUBECONFIG", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
	}},
}

// Dangerous tells whether a variable turns an allowed program into another
// one, and why. Such a variable needs a rule that names it in full.
func Dangerous(name string) (why string, ok bool) {
	for _, family := range dangerous {
		for _, n := range family.names {
			prefix, many := strings.CutSuffix(n, "*")
			if strings.EqualFold(name, n) || many && len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
				return family.why, true
			}
		}
	}
	return "", false
}
