package capability

// variablesOfTools are those of single tools.
var variablesOfTools = []variableFamily{
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
