package embedded

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// TestCan has what needs an engine. That it is found before anything is read or
// pulled is seen by a base that cannot be asked, and a context that is not there.
func TestCan(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"RUN", "FROM a\nCOPY x /\nRUN make\n", "Dockerfile:3: RUN needs an engine: start Docker, or use --engine buildkit+tcp://HOST:PORT"},
		{"RUN of a stage that is needed", "FROM a AS b\nRUN make\nFROM scratch\nCOPY --from=b / /\n", "Dockerfile:2: RUN needs"},
		{"ONBUILD", "FROM a\nONBUILD COPY . /\n", "Dockerfile:2: ONBUILD needs an engine"},
		{"ADD of a URL", "FROM a\nARG V=1\nADD https://example.com/$V /x\n", "Dockerfile:3: ADD of https://example.com/1 needs an engine"},
		{"ADD of a repository", "FROM a\nADD git@example.com:a/b.git /x\n", "Dockerfile:2: ADD of git@example.com:a/b.git needs an engine"},
		{"ADD with a checksum", "FROM a\nADD --checksum=sha256:0 ./$X /x\n", "Dockerfile:2: ADD --checksum needs"},
		{"ADD with .git", "FROM a\nADD --keep-git-dir=true x /x\n", "Dockerfile:2: ADD --keep-git-dir needs"},
		{"parents", "FROM a\nCOPY --parents x /x\n", "Dockerfile:2: COPY --parents needs"},
		{"a mode in letters", "FROM a\nCOPY --chmod=u+x x /x\n", "Dockerfile:2: --chmod=u+x needs"},
		{"another language", "# syntax=example.com/lang:1\nFROM a\n", "Dockerfile:1: the Dockerfile has a frontend of its own, example.com/lang:1, which needs an engine"},
		{"what no engine could", "FROM a\nFOO\n", "Dockerfile:2: unknown instruction"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := aBuild(t, map[string]string{"Dockerfile": tt.text})
			o := options(t, b)
			o.Base = func(context.Context, string, v1.Platform) (Found, error) {
				t.Error("a base was asked for")
				return Found{}, errors.New("none")
			}
			if err := os.RemoveAll(b.Context); err != nil {
				t.Fatal(err)
			}
			_, err := Build(t.Context(), b, o)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("Build: got %v, want %s", err, tt.want)
			}
			f, err := dockerfile.Parse("Dockerfile", o.Text)
			if err == nil {
				err = Can(f, dockerfile.Options{})
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("Can: got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestCanSayYes(t *testing.T) {
	for _, text := range []string{
		"# syntax=docker/dockerfile:1\nFROM a\nADD x.tgz /",
		"FROM a AS unused\nRUN make\nFROM scratch\nCOPY . /",
		"FROM --platform=$BUILDPLATFORM a\nCOPY --link --chown=1 --exclude=*.md <<E . /\nx\nE",
	} {
		f, err := dockerfile.Parse("Dockerfile", []byte(text))
		if err == nil {
			err = Can(f, dockerfile.Options{})
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	f, err := dockerfile.Parse("Dockerfile", []byte("FROM scratch"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Can(f, dockerfile.Options{Platform: "windows/amd64"}); !errors.Is(err, errNotLinux) {
		t.Errorf("Windows: %v", err)
	}
}
