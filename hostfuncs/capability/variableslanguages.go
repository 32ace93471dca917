package capability

// variablesOfLanguages are those of languages, their package managers and their
// build tools.
var variablesOfLanguages = []variableFamily{
	{
		[]string{
			"NODE_PATH", "NODE_REPL_*", "NODE_EXTRA_*", "NODE_V8_COVERAGE", "NODE_REDIRECT_WARNINGS", "NODE_ICU_DATA", "NODE_COMPILE_CACHE", "NODE_PENDING_*",
			"NODE_CHANNEL_*", "NODE_GYP_*", "NODE_USE_*", "NODE_INSPECT*", "TS_NODE_*", "TSX_*", "JITI_*", "BABEL_*", "NYC_*", "BUN_*", "DENO_*",
		},
		"node and its like load code that it names, trust whom it names, or write to it", "https://nodejs.org/api/cli.html#environment-variables",
	},
	{
		[]string{"NPM_CONFIG_*", "YARN_*", "PNPM_*", "COREPACK_*", "NVM_*", "FNM_*", "VOLTA_*", "N_PREFIX", "NODENV_*"},
		"npm and its like take settings from it, the shell for scripts among them", "https://docs.npmjs.com/cli/using-npm/config#environment-variables",
	},
	{
		[]string{
			"PYTHON*", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "PYENV_*", "PYTEST_*", "PYLINTRC", "MYPYPATH", "COVERAGE_*", "IPYTHON*", "JUPYTER_*", "PYDEVD_*", "PEX_*",
			"FLASK_APP", "MPLBACKEND", "PYSPARK_*", "UWSGI_*", "NUMBA_*", "SETUPTOOLS_*", "DISTUTILS_*",
		},
		"python loads code that it names", "https://docs.python.org/3/using/cmdline.html#environment-variables",
	},
	{
		[]string{"PIP_*", "PIPX_*", "PIPENV_*", "UV_*", "POETRY_*", "PDM_*", "HATCH_*", "RYE_*", "CONDA_*", "MAMBA_*", "PIXI_*", "TOX_*", "NOX_*"},
		"pip and its like fetch and run code from where it leads", "https://pip.pypa.io/en/stable/topics/configuration/#environment-variables",
	},
	{[]string{"PERL*", "HARNESS_*"}, "perl loads code that it names", "https://perldoc.perl.org/perlrun#ENVIRONMENT"},
	{
		[]string{"RUBY*", "GEM_*", "GEMRC", "BUNDLE_*", "BUNDLER_*", "RBENV_*", "JRUBY_*", "TRUFFLERUBY*", "IRBRC", "RAKEOPT"},
		"ruby loads code that it names", "https://docs.ruby-lang.org/en/master/ruby/options_md.html",
	},
	{
		[]string{
			"JAVA_*", "_JAVA_*", "JDK_*", "JRE_*", "JVM_*", "JAVACMD", "MAVEN_*", "M2_*", "MVNW_*", "GRADLE_*", "ORG_GRADLE_*", "SBT_*", "ANT_*", "KOTLIN_*", "SCALA_*",
			"GROOVY_*", "LEIN_*", "CLJ_*", "JBANG_*", "CATALINA_*", "JPDA_*", "LOADER_PATH", "SPRING_CONFIG_*", "LOG4J_*",
		},
		"java loads code that it names", "https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html#using-the-jdk_java_options-launcher-environment-variable",
	},
	{
		[]string{"PHP_*", "PHPRC", "XDEBUG_*", "COMPOSER", "COMPOSER_*"},
		"php loads code that it names", "https://www.php.net/manual/en/configuration.file.php",
	},
	{[]string{"LUA_*", "LUAROCKS_*"}, "lua loads code that it names", "https://www.lua.org/manual/5.4/lua.html"},
	{
		[]string{"ERL_*", "ERLANG_*", "ELIXIR_*", "IEX_*", "MIX_EXS", "MIX_PATH", "MIX_ARCHIVES", "MIX_DEPS_PATH", "MIX_BUILD_*", "MIX_INSTALL_*", "HEX_*", "REBAR_*"},
		"erlang loads code that it names", "https://www.erlang.org/doc/apps/erts/erl_cmd.html#environment-variables",
	},
	{
		[]string{"DOTNET_*", "CORECLR_*", "COR_*", "COMPLUS_*", "MONO_*", "MSBUILD*", "NUGET_*", "ASPNETCORE_HOSTINGSTARTUP*", "ASPNETCORE_PREVENTHOSTINGSTARTUP"},
		".NET loads code that it names", "https://learn.microsoft.com/dotnet/core/tools/dotnet-environment-variables",
	},
	{
		[]string{
			"R_*", "JULIA_*", "OCTAVE_*", "MATLABPATH", "GHC*", "CABAL_*", "STACK_ROOT", "STACK_YAML", "OCAML*", "CAML*", "OPAM*", "TCLLIBPATH", "TCL_LIBRARY", "TK_LIBRARY", "GUILE_*", "SWIFT_*", "DART_*",
			"FLUTTER_*", "PUB_CACHE", "PUB_HOSTED_URL", "ZIG_*", "CRYSTAL_*", "NIMBLE_*",
		},
		"an interpreter or compiler loads code that it names", "https://stat.ethz.ch/R-manual/R-devel/library/base/html/EnvVar.html",
	},
	{
		[]string{
			"GOTOOLCHAIN", "GOTOOLDIR", "GOROOT*", "GOPATH", "GOBIN", "GOENV", "GOWORK", "GOCACHE*", "GOAUTH", "GOVCS", "GOSUMDB", "GONOSUM*", "GOPRIVATE", "GOINSECURE",
			"GODEBUG", "GOEXPERIMENT", "GOMODCACHE", "GOTMPDIR", "GOCOVERDIR", "GO111MODULE", "GO_*", "GCCGO*", "CGO_*", "GOLANGCI_*", "GOTESTSUM_*",
		},
		"go runs what it names, or takes code from where it leads", "https://pkg.go.dev/cmd/go#hdr-Environment_variables",
	},
	{
		[]string{"RUSTC*", "RUSTDOC*", "RUSTUP_*", "CARGO", "CARGO_*"},
		"cargo runs what it names", "https://doc.rust-lang.org/cargo/reference/environment-variables.html",
	},
	{
		[]string{
			"CC", "CXX", "CPP", "FC", "F77", "OBJC", "PC", "CO", "GET", "AR", "AS", "LD", "NM", "RANLIB", "STRIP", "OBJCOPY", "OBJDUMP", "LEX", "YACC", "LINT", "M2C", "RM", "TEX",
			"MAKEINFO", "TEXI2DVI", "TANGLE", "CTANGLE", "WEAVE", "CWEAVE", "COMPILE.*", "LINK.*", "PREPROCESS.*", "LEX.*", "YACC.*", "LINT.*", "LDLIBS", "LOADLIBES",
			"OUTPUT_OPTION", "TARGET_ARCH", "TARGET_MACH", "MAKE", "MAKEFILES", "MAKEOVERRIDES", "MAKE_*", "GNUMAKE*", "JUST_*", "MAGEFILE_*", "NINJA_*",
		},
		"make runs it as a command, or reads rules from it", "https://www.gnu.org/software/make/manual/html_node/Implicit-Variables.html",
	},
	{
		[]string{
			"HOSTCC", "HOSTCXX", "CROSS_COMPILE", "GCC_*", "COMPILER_PATH", "CPATH", "CCC_*", "COLLECT_*", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES",
			"LDEMULATION", "GNUTARGET", "CCACHE_*", "SCCACHE_*", "DISTCC_*", "ICECC_*", "PKG_CONFIG*", "INCLUDE", "LIB", "CL", "_CL_", "LINK", "_LINK_", "VCTOOLS*",
		},
		"compilers run what it names, or write to it", "https://gcc.gnu.org/onlinedocs/gcc/Environment-Variables.html",
	},
	{
		[]string{"CMAKE_*", "CTEST_*", "MESON_*", "BAZEL*", "CONFIG_SITE", "AUTOCONF", "AUTOMAKE", "AUTOHEADER", "AUTOM4TE", "ACLOCAL*", "LIBTOOL*", "M4", "M4PATH"},
		"a build tool runs what it names, or reads settings from it", "https://cmake.org/cmake/help/latest/manual/cmake-env-variables.7.html",
	},
}
