package learn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// kind is a kind of sensitive files: what they are, for the user, and the patterns of
// their paths, as in policies.
type kind struct {
	what     string
	patterns []string
}

// sensitive are files that are learnt only if the user names them: otherwise a dependency
// that reads one while a policy is learnt would keep that right. Outside the project, they
// are reported first.
var sensitive = []kind{
	{"a dotenv file", []string{"**/.env", "**/.env.*", "**/*.env", "**/.envrc", "**/.dev.vars", "**/.flaskenv"}},
	{"a key", []string{
		"**/*.pem", "**/*.key", "**/*.p12", "**/*.pfx", "**/*.jks", "**/*.keystore", "**/*.ppk", "**/*.agekey", "**/*.kdbx",
		"**/id_rsa*", "**/id_dsa*", "**/id_ecdsa*", "**/id_ed25519*", "**/.ssh/**", "**/.gnupg/**", "**/.password-store/**", "etc/ssl/private/**",
	}},
	{"credentials", []string{
		"**/.npmrc", "**/.yarnrc", "**/.yarnrc.yml", "**/.pypirc", "**/.netrc", "**/_netrc", "**/.git-credentials", "**/.config/git/credentials",
		"**/.aws/**", "**/.azure/**", "**/.config/gcloud/**", "**/.boto", "**/.s3cfg", "**/.oci/**", "**/.kube/**", "**/kubeconfig", "**/kubeconfig.*", "**/*.kubeconfig",
		"**/.docker/**", "**/.dockercfg", "**/.config/containers/auth.json", "**/.terraform.d/**", "**/.terraformrc", "**/*.tfvars", "**/*.tfstate", "**/*.tfstate.*",
		"**/.pgpass", "**/.my.cnf", "**/.gem/credentials", "**/.bundle/config", "**/.cargo/credentials*", "**/auth.json", "**/.m2/settings.xml",
		"**/.gradle/gradle.properties", "**/.config/gh/**", "**/.config/hub", "**/.config/encore/**", "**/.vercel/**", "**/.netlify/**", "**/.sentryclirc",
		"**/.vault-token", "**/.vault_pass*", "**/.htpasswd", "**/credentials.json", "**/client_secret*.json", "**/service-account*.json", "**/serviceAccount*.json",
		"**/secrets.yml", "**/secrets.yaml", "**/secrets.json", "etc/shadow*", "etc/gshadow*",
	}},
	{"a shell history", []string{"**/.bash_history", "**/.zsh_history", "**/.python_history", "**/.node_repl_history", "**/.psql_history"}},
	{"version control: every version of every file, and hooks that run later", []string{"**/.git/*/**", "**/.hg/*/**", "**/.svn/*/**"}},
}

// writable are files that may be read. Whoever writes them has something run later, or
// with more rights.
var writable = []kind{
	{"a file of Stagecraft", []string{"**/stagecraft.yml", "**/stagecraft.yaml", "**/stagecraft.policy.yml", "**/stagecraft.lock", "**/.stagecraft/**"}},
	{"read or run by version control", []string{"**/.git", "**/.hg", "**/.svn", "**/.husky/**", "**/.githooks/**", "**/.pre-commit-config.yaml", "**/lefthook.yml", "**/.gitattributes", "**/.gitmodules"}},
	{"run by a CI system", []string{"**/.github/**", "**/.gitlab-ci.yml", "**/.circleci/**", "**/.buildkite/**", "**/Jenkinsfile", "**/azure-pipelines.yml"}},
	{"run by an editor", []string{"**/.vscode/**", "**/.idea/**", "**/.devcontainer/**", "**/.vimrc", "**/.exrc"}},
	{"run by a shell", []string{"**/.bashrc", "**/.bash_profile", "**/.profile", "**/.zshrc", "**/.zshenv", "**/.zprofile"}},
}

// harmless are files that match a sensitive pattern and are made to be shared.
var harmless = []string{"**/.env.example", "**/.env.sample", "**/.env.template", "**/.env.dist", "**/id_*.pub"}

// homes are directories in which sensitive files are usual, whether any exists or not.
var homes = []string{"config/**", "conf/**", "**/secret/**", "**/secrets/**", "**/cert/**", "**/certs/**", "**/keys/**", "**/credentials/**", "**/private/**"}

// manifests are files beside which dotenv files are usual.
var manifests = []string{
	"package.json", "deno.json", "deno.jsonc", "bunfig.toml", "go.mod", "pyproject.toml", "requirements.txt", "Pipfile", "manage.py", "Cargo.toml", "Gemfile",
	"composer.json", "pom.xml", "build.gradle", "build.gradle.kts", "mix.exs", "Dockerfile", "compose.yml", "compose.yaml", "docker-compose.yml",
	"docker-compose.yaml", "encore.app", "wrangler.toml",
}

// installed are directories of dependencies: what looks like a key there is test data, and
// a manifest is the dependency's.
var installed = []string{"node_modules", "vendor", ".venv", "venv", "site-packages", ".pnpm-store", "bower_components"}

const socketWhat = "the Docker engine: anyone who can use it has root's rights on this machine"

// list is a policy that denies patterns, to compare paths with them like a policy.
func list(kinds []kind) (*capability.Policy, map[string]string, error) {
	what := make(map[string]string)
	var patterns []string
	for _, k := range kinds {
		for _, p := range k.patterns {
			what[p] = k.what
			patterns = append(patterns, p)
		}
	}
	p, err := capability.Parse("a list of paths", []byte("version: 1\nproviders: {\"*\": {files: {read: {allow: [], deny: ["+quoted(patterns)+"]}}}}\n"))
	return p, what, err
}

// allowed is a policy that allows reading patterns.
func allowed(patterns []string) (*capability.Policy, error) {
	return capability.Parse("a list of paths", []byte("version: 1\nproviders: {\"*\": {files: {read: ["+quoted(patterns)+"]}}}\n"))
}

func quoted(words []string) string {
	var list []string
	for _, word := range words {
		list = append(list, yamldoc.Quote(word))
	}
	return strings.Join(list, ", ")
}

// Named checks the patterns that the user names as sensitive.
func Named(patterns []string) error {
	_, err := named(patterns)
	return err
}

// named is a policy of the user's patterns, each for a path and all below it. A path
// outside the project begins with /.
func named(patterns []string) (*capability.Policy, error) {
	var all []string
	for _, pattern := range patterns {
		clean := strings.TrimPrefix(strings.TrimSuffix(pattern, "/"), "/")
		if pattern == "." {
			clean = "**"
		}
		each := []string{clean}
		if !strings.HasSuffix(clean, "**") {
			each = append(each, clean+"/**")
		}
		if _, err := allowed(each); err != nil || clean == "" {
			return nil, fmt.Errorf("%q is not a path or pattern of paths in the project", pattern)
		}
		all = append(all, each...)
	}
	slices.Sort(all)
	return allowed(slices.Compact(all))
}
