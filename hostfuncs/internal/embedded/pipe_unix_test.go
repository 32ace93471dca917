//go:build unix

package embedded

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

func TestBuildRefusesAPipe(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n"})
	if err := syscall.Mkfifo(filepath.Join(b.Context, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := Build(t.Context(), b, options(t, b)); err == nil || !strings.Contains(err.Error(), "Dockerfile:2: COPY: build context: ") {
		t.Errorf("got %v", err)
	}
	imagetest.Write(t, b.Context, map[string]string{".dockerignore": "pipe\n"})
	mustBuild(t, b, options(t, b))
}
