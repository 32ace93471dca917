package explain

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

func TestWritable(t *testing.T) {
	for rule, want := range map[string]string{
		`"**"`:                     "stagecraft.yml, stagecraft.policy.yml, stagecraft.lock, .stagecraft and ",
		`"./**"`:                   "stagecraft.yml, ",
		`".git/**"`:                "write .git,",
		`.git/hooks/pre-commit`:    "write .git,",
		`".git/hooks/**"`:          "write .git,",
		`".GIT/**"`:                "write .git,",
		`".github/workflows/**"`:   "write .github,",
		`.gitlab-ci.yml`:           "write .gitlab-ci.yml,",
		`stagecraft.policy.yml`:    "write stagecraft.policy.yml,",
		`./stagecraft.lock`:        "write stagecraft.lock,",
		`".stagecraft/**"`:         "write .stagecraft,",
		`.stagecraft/cache/x`:      "write .stagecraft,",
		`Dockerfile`:               "write Dockerfile,",
		`"stagecraft.yml/**"`:      "write stagecraft.yml,",
		`tools/Dockerfile`:         "write tools/Dockerfile,",
		`tools/prod.Dockerfile`:    "write tools/prod.Dockerfile,",
		`"backend/**"`:             "write backend/Dockerfile, backend/Containerfile, backend/.dockerignore,",
		`"backend/dist/**"`:        "",
		`"dist/**"`:                "",
		`dist/out`:                 "",
		`"*.yml"`:                  "", // no command gets anything by it
		`"**/Dockerfile"`:          "",
		`.gitignore`:               "",
		`".git-cache/**"`:          "",
		`"frontend/**"`:            "",
		`".github-pages/**"`:       "",
		`node_modules/.bin/docker`: "",
	} {
		policy, err := capability.Parse("p.yml", []byte("version: 1\nproviders:\n  a:\n    files: {write: ["+rule+"]}\n    build: {contexts: [backend]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, f := range Check(policy, nil) {
			if f.Name == capability.ProtectedWrite {
				got += f.Message
			}
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", rule, got, want)
		}
	}
}

func TestWritableOfLists(t *testing.T) {
	policy, err := capability.Parse("p.yml", []byte(`version: 1
providers:
  "*": {build: {contexts: [all]}, files: {write: [a, "one/**"]}}
  x: {build: {contexts: [one]}, files: {read: ["**"], write: ["all/**"]}}
  y: {files: {write: {allow: ["all/**"], deny: ["**"]}}}
  z: {files: {write: ["one/x/**", "two/**"]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range Check(policy, nil) {
		if f.Name == capability.ProtectedWrite {
			got = append(got, f.Provider+" "+f.Rule)
		}
	}
	if strings.Join(got, "; ") != "* one/**; x all/**" {
		t.Errorf("got %q", got)
	}
}
