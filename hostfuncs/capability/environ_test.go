package capability_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

func TestPassedEnv(t *testing.T) {
	environ := []string{"PATH=/bin", "HOME=/root", "LC_ALL=C", "APP_A=1", "APP_A=2", "SECRET=x", "LD_PRELOAD=x", "NODE_OPTIONS=x", "=C:=C:\\", "broken", "NODE_ENV=dev", "SystemRoot=C"}
	inherit, err := capability.New("made", "generic", capability.InheritEnv())
	if err != nil {
		t.Fatal(err)
	}
	all := parse(t, "version: 1\nproviders: {generic: {env: {pass: ['*']}}}")
	open := capability.Open("learning", "APP_A", "LD_PRELOAD", "=broken")
	named := parse(t, "version: 1\nproviders: {generic: {env: {pass: {allow: [LD_PRELOAD, 'APP_*'], deny: [HOME]}}}}")
	for name, tt := range map[string]struct {
		policies []*capability.Policy
		want     string
	}{
		"no policy":     {nil, "HOME=/root LC_ALL=C PATH=/bin SystemRoot=C"},
		"inherit":       {[]*capability.Policy{inherit}, "APP_A=2 HOME=/root LC_ALL=C LD_PRELOAD=x NODE_ENV=dev NODE_OPTIONS=x PATH=/bin SECRET=x SystemRoot=C"},
		"file":          {[]*capability.Policy{shop(t)}, "APP_A=2 HOME=/root LC_ALL=C NODE_ENV=dev PATH=/bin SystemRoot=C"},
		"all":           {[]*capability.Policy{all}, "APP_A=2 HOME=/root LC_ALL=C NODE_ENV=dev PATH=/bin SECRET=x SystemRoot=C"},
		"named, denied": {[]*capability.Policy{named}, "APP_A=2 LC_ALL=C LD_PRELOAD=x PATH=/bin SystemRoot=C"},
		"learning":      {[]*capability.Policy{open}, "APP_A=2 HOME=/root LC_ALL=C LD_PRELOAD=x PATH=/bin SystemRoot=C"},
		"both":          {[]*capability.Policy{all, named}, "APP_A=2 LC_ALL=C PATH=/bin SystemRoot=C"},
	} {
		if got := strings.Join(capability.PassedEnv(tt.policies, "generic", environ), " "); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

// dangerous are variables that no pattern passes, in any case of their letters.
const dangerousNames = `
	LD_PRELOAD ld_preload DYLD_INSERT_LIBRARIES NODE_OPTIONS BASH_ENV BASH_FUNC_ls%% GIT_SSH_COMMAND GIT_CONFIG_KEY_0 npm_config_script_shell
	NPM_CONFIG_SCRIPT_SHELL PYTHONPATH PATH GOFLAGS DOCKER_HOST HOME OPENSSL_CONF GOCACHEPROG KUBECONFIG
	FEATURE_FLAGS CFLAGS LDFLAGS CGO_LDFLAGS RUSTFLAGS CARGO_ENCODED_RUSTFLAGS MAKEFLAGS ERL_AFLAGS MY_PAGER GH_PAGER DELTA_PAGER KUBE_EDITOR REACT_EDITOR
	ESBUILD_BINARY_PATH SASS_BINARY_PATH RUSTC_WRAPPER CMAKE_C_COMPILER_LAUNCHER CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER CARGO_TARGET_X_LINKER
	http_proxy HTTPS_PROXY all_proxy no_proxy GRPC_PROXY SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE AWS_CA_BUNDLE NODE_EXTRA_CA_CERTS
	GIT_SSL_CAINFO GRPC_DEFAULT_SSL_ROOTS_FILE_PATH PGSSLROOTCERT VAULT_CACERT NIX_SSL_CERT_FILE SSLKEYLOGFILE ENCORE_RUNTIMES_PATH ENCORE_GOROOT LESSKEY LESSKEYIN LESSKEY_CONTENT LESSOPEN
	LESSCLOSE CURL_HOME WGETRC NETRC PSQLRC PSQL_EDITOR PGSERVICEFILE INPUTRC VIMINIT EXINIT MYVIMRC TERMINFO TERMINFO_DIRS TERMCAP LOCPATH NLSPATH
	HOSTALIASES RES_OPTIONS LOCALDOMAIN RESOLV_HOST_CONF OPENSSL_MODULES TAR_OPTIONS RSYNC_RSH TEXINPUTS CHROME_PATH CHROME_BIN PUPPETEER_EXECUTABLE_PATH
	PLAYWRIGHT_BROWSERS_PATH ELECTRON_RUN_AS_NODE JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS SHOP_OPTS MAVEN_ARGS GRADLE_USER_HOME CLASSPATH PHPRC
	PHP_INI_SCAN_DIR LUA_PATH_5_4 LUA_INIT ERL_LIBS DOTNET_STARTUP_HOOKS CORECLR_PROFILER_PATH COR_PROFILER R_PROFILE_USER R_ENVIRON GHCRTS JULIA_LOAD_PATH
	PERL5LIB PERL5OPT PERLLIB RUBYOPT RUBYLIB BUNDLE_GEMFILE GEM_HOME PIP_INDEX_URL UV_INDEX_URL POETRY_HOME VIRTUAL_ENV CONDA_PREFIX PYTEST_ADDOPTS
	YARN_RC_FILENAME PNPM_HOME COREPACK_HOME BUN_OPTIONS DENO_DIR TF_CLI_ARGS_plan AWS_CONFIG_FILE DOCKER_CONFIG BUILDKIT_HOST CONTAINER_HOST SHELL
	CONFIG_SHELL CONFIG_SITE GIT_ASKPASS SSH_ASKPASS SSH_AUTH_SOCK SSH_SK_PROVIDER BROWSER EDITOR VISUAL PAGER MANPAGER SYSTEMD_LESS CC CXX AR LD CC_x86_64
	GCC_EXEC_PREFIX COMPILER_PATH CPATH LIBRARY_PATH C_INCLUDE_PATH PKG_CONFIG_PATH MAKEFILES GOTOOLCHAIN GOPROXY GOENV GODEBUG AWKPATH JQ_LIBRARY_PATH
	XDG_CONFIG_HOME GNUPGHOME PSModulePath GITHUB_ENV ACTIONS_RUNTIME_TOKEN APT_CONFIG AZURE_AUTH_LOCATION DJANGO_SETTINGS_MODULE LLVM_SYMBOLIZER_PATH LESSGLOBALTAGS BIBINPUTS LLVM_PROFILE_FILE MYSQL_HISTFILE GLIBC_TUNABLES GCONV_PATH MALLOC_CHECK_`

// harmlessNames are variables that patterns are for.
const harmlessNames = `
	NODE_ENV LDX APP_PATH GIT_AUTHOR_NAME TERM PORT HOST LANG LC_ALL TZ TMPDIR USER DEBUG LOG_LEVEL CI APP_ENV APP_CONFIG APP_NAME APP_SECRET APP_URL
	DATABASE_URL DB_HOST REDIS_URL PGHOST PGUSER PGPASSWORD MYSQL_DATABASE MYSQL_ROOT_PASSWORD LDAP_URL SMTP_HOST S3_BUCKET AWS_REGION AWS_ACCESS_KEY_ID
	GITHUB_SHA GITHUB_REF GIT_COMMIT VITE_API_URL NEXT_PUBLIC_URL REACT_APP_URL MIX_PUSHER_KEY DJANGO_SECRET_KEY FLASK_ENV RAILS_ENV RUST_LOG OTEL_SERVICE_NAME
	SPRING_DATASOURCE_URL KUBERNETES_SERVICE_HOST VAULT_ADDR SENTRY_DSN STRIPE_KEY LESSON_ID VIMEO_TOKEN GREETING DISABLE_ENCORE_TELEMETRY NO_COLOR`

func TestDangerous(t *testing.T) {
	for _, name := range strings.Fields(dangerousNames) {
		for _, name := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			if why, ok := capability.Dangerous(name); !ok || why == "" {
				t.Errorf("%s passes", name)
			}
		}
	}
	for _, name := range append(strings.Fields(harmlessNames), "") {
		if why, ok := capability.Dangerous(name); ok {
			t.Errorf("%s is refused: %s", name, why)
		}
	}
}

// TestFamiliesAreNamedInFull: no pattern passes or sets a variable of a family,
// its name does.
func TestFamiliesAreNamedInFull(t *testing.T) {
	for name, pattern := range map[string]string{
		"FEATURE_FLAGS": "FEATURE_*", "APP_PAGER": "APP_*", "APP_EDITOR": "*", "TOOL_BINARY_PATH": "TOOL_*", "X_LAUNCHER": "X_*", "http_proxy": "http_*", "ENCORE_GOROOT": "ENCORE_*", "LESSKEYIN": "LESS*",
	} {
		for _, use := range []capability.EnvKind{capability.Set, capability.Pass} {
			claim := capability.Claim{Operation: "exec", Provider: "generic", Env: []capability.EnvUse{{Name: name, Use: use}}}
			byPattern := parse(t, "version: 1\nproviders: {generic: {env: {pass: ['"+pattern+"']}}}")
			if d := capability.Decide([]*capability.Policy{byPattern}, claim); d.Allowed || !strings.Contains(d.Reason(), name+" must be named in full, since ") {
				t.Errorf("%s by %s: %s", name, pattern, d.Reason())
			}
			byName := parse(t, "version: 1\nproviders: {generic: {env: {pass: ["+name+"]}}}")
			if d := capability.Decide([]*capability.Policy{byName}, claim); !d.Allowed {
				t.Errorf("%s by its name: %s", name, d.Reason())
			}
		}
	}
}
