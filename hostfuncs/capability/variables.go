package capability

// variableFamily are variables that turn a program into another one for the
// same reason: by them it loads code, reads other settings, runs a command,
// trusts somebody else, or writes to a file. In a name, * stands for any
// characters.
type variableFamily struct {
	names  []string
	why    string
	source string
}

// variablesByEnding are known by what their names end in, whatever program they
// are of.
var variablesByEnding = []variableFamily{
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
var variablesOfSystem = []variableFamily{
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
