package capability

import "strings"

// dangerous are the variables that turn a program into another one: they make
// it load code, read other configuration, or run a command that the variable
// names. A name that ends in * is a prefix. Names are compared without regard
// to case, since some programs do so as well.
var dangerous = []struct {
	why   string
	names []string
}{
	{"the loader runs code that it names", []string{"LD_*", "DYLD_*", "GCONV_PATH", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES", "MALLOC_*"}},
	{"a shell runs what it names", []string{"BASH_ENV", "ENV", "ZDOTDIR", "SHELLOPTS", "BASHOPTS", "BASH_FUNC_*", "PS4", "PROMPT_COMMAND", "IFS", "CDPATH", "GLOBIGNORE"}},
	{"it decides which program a name means", []string{"PATH", "PATHEXT", "COMSPEC"}},
	{"node loads code that it names", []string{"NODE_OPTIONS", "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED"}},
	{"npm takes its settings from it, the shell for scripts among them", []string{"npm_config_*", "YARN_*", "COREPACK_*", "PNPM_*"}},
	{"python loads code that it names", []string{"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT", "PYTHONWARNINGS", "PYTHONUSERBASE", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR", "PYTHONCASEOK", "PIP_*"}},
	{"perl loads code that it names", []string{"PERL5OPT", "PERL5LIB", "PERL5DB", "PERLLIB"}},
	{"ruby loads code that it names", []string{"RUBYOPT", "RUBYLIB", "GEM_HOME", "GEM_PATH", "BUNDLE_*"}},
	{"java loads code that it names", []string{"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "MAVEN_OPTS", "GRADLE_OPTS"}},
	{"php, lua and .NET load code that they name", []string{"PHPRC", "PHP_INI_SCAN_DIR", "LUA_INIT*", "LUA_PATH*", "LUA_CPATH*", "DOTNET_STARTUP_HOOKS", "COR_PROFILER*", "CORECLR_*"}},
	{"git runs what it names, or takes settings from it", []string{
		"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_EXEC_PATH", "GIT_CONFIG*", "GIT_EXTERNAL_DIFF", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR",
		"GIT_PAGER", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_PROXY_COMMAND", "GIT_TEMPLATE_DIR", "GIT_DIR", "GIT_WORK_TREE", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
	}},
	{"programs run it as a command", []string{"EDITOR", "VISUAL", "PAGER", "MANPAGER", "LESSOPEN", "LESSCLOSE", "BROWSER", "TAR_OPTIONS", "TMUX_TMPDIR"}},
	{"go and compilers run what it names", []string{"GOFLAGS", "GOTOOLCHAIN", "GOTOOLDIR", "GOROOT", "GOPROXY", "GOENV", "CC", "CXX", "CGO_*", "MAKEFLAGS", "MFLAGS", "MAKEFILES", "RUSTC_WRAPPER", "RUSTC", "RUSTFLAGS", "CARGO_*"}},
	{"docker talks to what it names", []string{"DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "BUILDKIT_*"}},
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
