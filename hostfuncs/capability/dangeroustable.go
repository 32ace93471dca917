package capability

// variableGroup are variables that turn a program into another one for the
// same reason: by them it loads code, reads other settings, runs a command,
// trusts somebody else, or writes to a file. In a name, * matches any
// characters.
type variableGroup struct {
	names  []string
	why    string
	source string
}

// variablesByEnding are known by what their names end in, whatever program they
// are of.
var variablesByEnding = []variableGroup{
	{
		[]string{"*FLAGS", "*OPTIONS", "*OPTS", "*_OPT", "*_ARGS", "*_ADDOPTS"},
		"programs take it as further arguments", "https://www.gnu.org/software/make/manual/html_node/Options_002fRecursion.html",
	},
	{[]string{"*PAGER"}, "programs run it as a command to show what they print", "https://git-scm.com/docs/git-var"},
	{[]string{"*EDITOR", "VISUAL", "FCEDIT"}, "programs run it as a command to edit a file", "https://git-scm.com/docs/git-var"},
	{[]string{"*BROWSER"}, "programs run it as a command to show a page", "https://docs.python.org/3/library/webbrowser.html"},
	{[]string{"*ASKPASS"}, "programs run it as a command to ask for a password", "https://man.openbsd.org/ssh.1#SSH_ASKPASS"},
	{[]string{"*SHELL"}, "programs run it as their shell", "https://www.gnu.org/software/make/manual/html_node/Choosing-the-Shell.html"},
	{
		[]string{"*_BINARY_PATH", "*_BINARY", "*_BIN", "*_EXECUTABLE", "*_EXECUTABLE_PATH", "*EXECPATH", "*_PROG", "*SYMBOLIZER_PATH", "*_COMMAND", "*_CMD", "*_EXEC", "*_RSH", "*_PYTHON", "*_PERL", "*_RUBY"},
		"it names the program that is run", "https://github.com/evanw/esbuild/blob/main/lib/npm/node-platform.ts",
	},
	{[]string{"*_LAUNCHER", "*WRAPPER", "*_RUNNER"}, "it names a program that others are run by", "https://doc.rust-lang.org/cargo/reference/config.html#buildrustc-wrapper"},
	{[]string{"HOST_CC", "TARGET_CC", "BUILD_CC", "*_CXX", "*_LD", "HOST_AR", "TARGET_AR", "*_LINKER", "*_COMPILER", "CC_*", "CXX_*", "AR_*"}, "it names a compiler or linker, with arguments", "https://docs.rs/cc/latest/cc/#external-configuration-via-environment-variables"},
	{[]string{"*_PRELOAD", "*_PRELOADS", "*_CONFIG_MODULE", "*SETTINGS_MODULE", "*_STARTUP_HOOKS"}, "programs load code that it names before their own", "https://man7.org/linux/man-pages/man8/ld.so.8.html"},
	{
		[]string{"*LIBRARY_PATH", "*INCLUDE_PATH", "*PLUGIN_PATH", "*_PLUGINS", "*_PLUGIN_DIR", "*PLUGINS_DIR", "*_MODULE_PATH", "*_MODULES_PATH", "*_DRIVERS_PATH", "*_ENGINE_LIBRARY", "*CLASSPATH"},
		"programs load code from where it leads", "https://gcc.gnu.org/onlinedocs/gcc/Environment-Variables.html",
	},
	{
		[]string{"*HOME", "*_CONFIG_DIR", "*CONFIGDIR", "*_CONFIG_FILE", "*_CONFIG_PATH", "*_CONFIG_LOCATION", "*_CONFIGURATION_FILE", "*RCFILE", "*_RC", "*RCPATH", "*_ENV_FILE", "*_ENVFILE", "*_CREDENTIALS_FILE", "*_AUTH_FILE"},
		"programs read their settings from where it leads, commands among them", "https://docs.aws.amazon.com/cli/v1/userguide/cli-configure-sourcing-external.html",
	},
	{
		[]string{"*_MIRROR", "*_CDNURL", "*_BINARY_SITE", "*_BINARY_HOST", "*_DOWNLOAD_HOST", "*_DOWNLOAD_BASE_URL", "*_INDEX_URL"},
		"programs that are run are fetched from where it leads", "https://www.electronjs.org/docs/latest/tutorial/installation",
	},
	{[]string{"*PROXY"}, "whom it names sees and answers what is sent", "https://curl.se/libcurl/c/libcurl-env.html"},
	{
		[]string{"*_CA_BUNDLE", "*_CA_CERT*", "*CACERT*", "*_CAFILE", "*_CA_FILE", "*_CAPATH", "*_CA_PATH", "*_CAINFO", "*CERT_FILE", "*CERT_DIR", "*CERT_PATH", "*ROOTCERT", "*ROOTS_FILE*", "*ROOT_CERT*", "*CERTIFICATE_PATH"},
		"it says whose certificates are trusted", "https://docs.openssl.org/master/man3/SSL_CTX_load_verify_locations/",
	},
	{
		[]string{"*_NO_VERIFY", "*SSL_VERIFY*", "*TLS_VERIFY*", "*_INSECURE", "*REJECT_UNAUTHORIZED", "*STRICT_SSL"},
		"it says that no certificate is checked", "https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue",
	},
	{
		[]string{"*HISTFILE", "*_HISTORY", "*KEYLOGFILE", "*_TRACE_FILE", "*PROFILE_FILE", "GCOV_*", "GMON_OUT_PREFIX", "SEGFAULT_*"},
		"programs write to the file that it names", "https://clang.llvm.org/docs/SourceBasedCodeCoverage.html#running-the-instrumented-program",
	},
}

// variablesOfSystem are those of loaders, libraries, shells and the system.
var variablesOfSystem = []variableGroup{
	{
		[]string{"LD_*", "DYLD_*", "LDR_*", "_RLD*", "LIBPATH", "SHLIB_PATH"},
		"the loader runs code that it names", "https://man7.org/linux/man-pages/man8/ld.so.8.html",
	},
	{
		[]string{"GCONV_PATH", "GETCONF_DIR", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES", "MALLOC_*", "TZDIR", "NIS_PATH", "DATEMSK"},
		"the C library loads code or data that it names", "https://sourceware.org/git/?p=glibc.git;a=blob;f=sysdeps/generic/unsecvars.h",
	},
	{
		[]string{"HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "RESOLV_*"},
		"it says which machine a name means", "https://man7.org/linux/man-pages/man5/resolv.conf.5.html",
	},
	{
		[]string{"OPENSSL_*", "GNUTLS_*", "NSS_*", "SASL_*", "KRB5*", "LDAPRC", "LDAPCONF", "LDAPNOINIT", "LDAPTLS_*", "LDAPSASL_*", "P11_KIT_*", "PKCS11_*", "SOFTHSM2_CONF", "ODBC*"},
		"a library loads code or settings that it names", "https://docs.openssl.org/master/man7/openssl-env/",
	},
	{
		[]string{"GTK*", "GDK_*", "GIO_*", "GI_TYPELIB_PATH", "GSETTINGS_*", "QT_*", "QML*", "GST_*", "VK_*", "LIBGL_*", "LIBVA_*", "MESA_*", "FONTCONFIG_*", "DBUS_*", "VLC_*", "LADSPA_PATH", "BABL_PATH", "GEGL_PATH", "MAGICK_*", "OCL_ICD_*", "CUDA_INJECTION*", "OMP_TOOL_LIBRARIES", "OMPI_*", "PMIX_*", "I_MPI_*", "ALSA_CONFIG*", "WINE*"},
		"a library loads code that it names", "https://docs.gtk.org/gtk3/running.html",
	},
	{
		[]string{
			"BASH_ENV", "ENV", "FPATH", "MODULE_PATH", "ZDOTDIR", "SHELLOPTS", "BASHOPTS", "BASH_FUNC_*", "BASH_XTRACEFD", "BASH_LOADABLES_PATH", "BASH_COMPAT",
			"PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT", "RPROMPT", "PROMPT_*", "IFS", "CDPATH", "GLOBIGNORE", "EXECIGNORE", "INPUTRC", "NULLCMD", "READNULLCMD",
			"MAILPATH", "POSIXLY_CORRECT", "PSMODULEPATH", "PSEXECUTIONPOLICYPREFERENCE", "FISH_*", "__FISH_*",
		},
		"a shell runs what it names, or reads words in another way", "https://www.gnu.org/software/bash/manual/html_node/Bash-Variables.html",
	},
	{
		[]string{"PATH", "PATHEXT", "COMSPEC", "SYSTEMROOT", "WINDIR", "NODEFAULTCURRENTDIRECTORYINEXEPATH", "__COMPAT_LAYER"},
		"it decides which program a name means", "https://learn.microsoft.com/windows-server/administration/windows-commands/path",
	},
	{
		[]string{"XDG_*", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "ALLUSERSPROFILE", "HOMEDRIVE", "HOMEPATH", "PUBLIC"},
		"programs read their settings from the directory that it names", "https://specifications.freedesktop.org/basedir-spec/latest/",
	},
	{
		[]string{"TERMINFO*", "TERMCAP", "TERMPATH", "NCURSES_*"},
		"it says what is written to the terminal", "https://man7.org/linux/man-pages/man3/ncurses.3x.html",
	},
	{
		[]string{"SYSTEMD_*", "SUDO_*", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"},
		"the system's own tools run what it names, or talk to it", "https://www.freedesktop.org/software/systemd/man/latest/systemctl.html",
	},
	{
		[]string{
			"GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "GITHUB_ARTIFACTS", "GITHUB_EVENT_PATH",
			"GITHUB_ACTION_PATH", "GITHUB_TOKEN", "GH_*", "RUNNER_TEMP", "RUNNER_TOOL_CACHE", "ACTIONS_*", "BUILDKITE_*", "CI_JOB_TOKEN",
		},
		"a later step of the workflow obeys what is written where it leads, or it is the workflow's own credential", "https://docs.github.com/actions/reference/workflows-and-actions/variables",
	},
}

// variablesOfTools are those of single tools.
var variablesOfTools = []variableGroup{
	{
		[]string{
			"GIT_SSH*", "GIT_EXEC_PATH", "GIT_CONFIG*", "GIT_EXTERNAL_DIFF", "GIT_DIFF_*", "GIT_MERGE_*", "GIT_PROXY_*", "GIT_ALLOW_PROTOCOL", "GIT_PROTOCOL*",
			"GIT_TEMPLATE_DIR", "GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_*",
			"GIT_TRACE*", "GIT_TR2_*", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_*", "GIT_SSL_*", "GIT_CURL_*", "GIT_HTTP_*", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
			"GIT_REPLACE_REF_BASE", "GIT_ATTR_*", "GIT_LFS_*", "GIT_CREDENTIAL_*", "GCM_*",
		},
		"git runs what it names, takes settings from it, or writes to it", "https://git-scm.com/docs/git#_environment_variables",
	},
	{
		[]string{"HG*", "SVN_*", "CVS*", "BZR*", "BRZ_*", "P4*", "JJ_*", "GLAB_*"},
		"a tool for versions runs what it names, or takes settings from it", "https://www.mercurial-scm.org/doc/hg.1.html#environment-variables",
	},
	{
		[]string{"SSH_*", "RSH", "RSYNC_*", "CURL_*", "WGETRC", "NETRC", "LFTP_*", "LYNX_*", "WWW_*", "W3M_*", "TAPE", "MAILCAPS", "MAILRC", "GNUPG*", "GPG_*", "SQLPATH", "TNS_ADMIN"},
		"it runs what it names, or reads settings or keys from it", "https://man.openbsd.org/ssh.1#ENVIRONMENT",
	},
	{
		[]string{"LESS", "LESSOPEN", "LESSCLOSE", "LESSKEY*", "LESSSECURE*", "LESSEDIT", "LESSECHO", "LESSGLOBALTAGS", "LESSUNSUPPORT", "LESSCHARDEF", "LESS_*", "MORE", "LV", "MOST_*", "BAT_*", "MANPATH", "MANOPT", "MANROFFOPT", "MANROFFSEQ", "MANLESS", "GROFF_*"},
		"less and its like run what it names, or take commands from it", "https://man7.org/linux/man-pages/man1/less.1.html",
	},
	{
		[]string{"VIM", "VIMRUNTIME", "VIMINIT", "VIM_*", "GVIMINIT", "MYVIMRC", "MYGVIMRC", "EXINIT", "NVIM_*", "EMACS*", "NANORC", "SCREENRC", "SYSSCREENRC", "TMUX*", "AWKPATH", "AWKLIBPATH", "GAWK_*", "FZF_*", "ACKRC", "ACK_*", "GREP_*", "XZ_*", "GZIP", "BZIP", "BZIP2", "ZIPOPT", "UNZIP", "ZIPINFO", "ZSTD_*"},
		"it is commands or arguments of the program", "https://vimhelp.org/starting.txt.html#VIMINIT",
	},
	{
		[]string{"TEXMF*", "TEXINPUTS*", "*INPUTS", "KPATHSEA_*", "OPENOUT_ANY", "OPENIN_ANY", "SHELL_ESCAPE*", "GS_*"},
		"tex and its like load code that it names, or run commands by it", "https://www.tug.org/texinfohtml/kpathsea.html",
	},
	{
		[]string{"PSQL*", "PGSERVICE*", "PGSYSCONFDIR", "PGPASSFILE", "PGSSL*", "PGGSS*", "PGKRB*", "MYSQL_TEST_LOGIN_FILE", "MYSQL_PS1", "LIBMYSQL_*", "MARIADB_PLUGIN*", "REDISCLI_*"},
		"a database's client reads commands or settings from it, or trusts whom it names", "https://www.postgresql.org/docs/current/libpq-envars.html",
	},
	{
		[]string{"DOCKER_*", "BUILDKIT_*", "BUILDX_*", "COMPOSE_*", "CONTAINER_*", "CONTAINERS_*", "CONTAINERD_*", "PODMAN_*", "TESTCONTAINERS_*", "LIBVIRT_*", "QEMU_*", "VAGRANT_*"},
		"docker and its like talk to what it names, or run what its file names", "https://docs.docker.com/reference/cli/docker/#environment-variables",
	},
	{
		[]string{"KUBECONFIG", "KUBE_*", "KUBECTL_*", "KREW_*", "HELM_*", "MINIKUBE_*", "TF_*", "TERRAGRUNT_*", "TG_TF_PATH", "TG_PROVIDER_*", "PULUMI_*", "ANSIBLE_*", "PACKER_*"},
		"a tool of the cluster runs what it or its file names, or talks to it", "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins",
	},
	{
		[]string{"AWS_CONFIG*", "AWS_SHARED_*", "AWS_ENDPOINT_*", "AWS_WEB_IDENTITY_*", "AWS_CONTAINER_*", "BOTO_*", "CLOUDSDK_*", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_EXTERNAL_ACCOUNT_*", "AZURE_EXTENSION_*", "AZURE_AUTH_*"},
		"a tool of the cloud talks to what it names, or runs what its file names", "https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html",
	},
	{
		[]string{"ENCORE_*"},
		"encore takes its compilers, its settings and whom it talks to from it", "https://github.com/encoredev/encore/blob/main/internal/env/env.go",
	},
	{
		[]string{"PUPPETEER_*", "PLAYWRIGHT_*", "CYPRESS_*", "CHROME_*", "CHROMIUM_*", "FIREFOX_*", "MOZ_*", "SE_DRIVER*", "ELECTRON_*", "ESBUILD_*", "SASS_*", "SWC_*", "PRISMA_*", "NAPI_RS_*", "SHARP_*", "SENTRYCLI_*"},
		"it says which browser, compiler or library is run, or where it is fetched from", "https://pptr.dev/guides/configuration",
	},
	{
		[]string{"DIRENV_*", "DOTENV_*", "ASDF_*", "MISE_*", "RTX_*", "NIX_*", "GUIX_*", "HOMEBREW_*", "APT_*", "DPKG_*", "RPM_*", "DEBUGINFOD_*", "VALGRIND_*", "STRACE_*"},
		"it says which programs and settings there are", "https://mise.jdx.dev/configuration.html#environment-variables",
	},
}

// variablesOfLanguages are those of languages, their package managers and their
// build tools.
var variablesOfLanguages = []variableGroup{
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
