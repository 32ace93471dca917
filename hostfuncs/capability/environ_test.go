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
		"both":          {[]*capability.Policy{all, named}, "APP_A=2 LC_ALL=C PATH=/bin SystemRoot=C"},
	} {
		if got := strings.Join(capability.PassedEnv(tt.policies, "generic", environ), " "); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

func TestDangerous(t *testing.T) {
	for _, name := range []string{"LD_PRELOAD", "ld_preload", "DYLD_INSERT_LIBRARIES", "NODE_OPTIONS", "BASH_ENV", "BASH_FUNC_ls%%", "GIT_SSH_COMMAND", "GIT_CONFIG_KEY_0", "npm_config_script_shell", "NPM_CONFIG_SCRIPT_SHELL", "PYTHONPATH", "PATH", "GOFLAGS", "DOCKER_HOST", "HOME", "OPENSSL_CONF", "GOCACHEPROG", "KUBECONFIG"} {
		if why, ok := capability.Dangerous(name); !ok || why == "" {
			t.Errorf("%s passes", name)
		}
	}
	for _, name := range []string{"NODE_ENV", "LDX", "APP_PATH", "GIT_AUTHOR_NAME", "TERM", "PORT", ""} {
		if _, ok := capability.Dangerous(name); ok {
			t.Errorf("%s is refused", name)
		}
	}
}
