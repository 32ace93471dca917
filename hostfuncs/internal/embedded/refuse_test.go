package embedded

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

func TestBuildRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"what isn't there", "FROM scratch\n\nCOPY none /\n", "Dockerfile:3: none: no such file, or .dockerignore names it"},
		{"what is ignored", "FROM scratch\nCOPY secret /\n", "Dockerfile:2: secret: no such file, or .dockerignore names it"},
		{"a directory of none", "FROM scratch\nCOPY none/* /\n", "Dockerfile:2: none: no such file"},
		{"a bad pattern", "FROM scratch\nCOPY d/[ /\n", "Dockerfile:2: syntax error in pattern"},
		{"a file over a directory", "FROM scratch\nCOPY a /d/x/y\nCOPY d/x /d/\n", "Dockerfile:3: /d/x is a directory and cannot be replaced by a file"},
		{"a directory over a file", "FROM scratch\nCOPY a /a\nCOPY d /a\n", "Dockerfile:3: /a is not a directory"},
		{"a directory over a file below", "FROM scratch\nCOPY a /e/d\nCOPY . /e\n", "Dockerfile:3: /e/d exists and is not a directory"},
		{"through a file", "FROM scratch\nCOPY a /a\nCOPY a /a/b/\n", "Dockerfile:3: /a is not a directory"},
		{"a loop of links", "FROM scratch\nCOPY loop/x /\n", "Dockerfile:2: /loop/x: too many levels of links"},
		{"a link that leads out", "FROM scratch\nCOPY out /x\n", "Dockerfile:2: out: no such file"},
		{"a mode", "FROM scratch\nCOPY --chmod=8 a /\n", "Dockerfile:2: invalid chmod parameter: '8'"},
		{"a mode by variable", "FROM scratch\nARG M=u+x\nCOPY --chmod=$M a /\n", "Dockerfile:3: --chmod=u+x needs an engine"},
		{"a name with --link", "FROM scratch\nCOPY --link --chown=app a /\n", "Dockerfile:2: --chown=app: user and group names can't be resolved when used with --link"},
		{"a name for what is gone", "FROM scratch\nCOPY a /.wh.a\n", `Dockerfile:2: the file name ".wh.a" removes another file in an image`},
		{"a long name", "FROM scratch\nCOPY a /" + strings.Repeat("x", 256) + "\n", "Dockerfile:2: the file name"},
		{"a long path", "FROM scratch\nCOPY a " + strings.Repeat("/x", 2100) + "\n", "Dockerfile:2: the path"},
		{"a port", "FROM scratch\nEXPOSE 70000\n", `Dockerfile:2: EXPOSE 70000: "70000" is not a port`},
		{"a protocol", "FROM scratch\nEXPOSE 1/icmp\n", `Dockerfile:2: EXPOSE 1/icmp: unknown protocol "icmp"`},
		{"a range", "FROM scratch\nEXPOSE 2-1\n", "Dockerfile:2: EXPOSE 2-1: 2-1 ends before it begins"},
		{"too many ports", "FROM scratch\nEXPOSE 1-15000/tcp\nEXPOSE 1-15000/udp\n", "Dockerfile:3: the image has 30000 ports"},
		{"too many ports at once", "FROM scratch\nEXPOSE 1-15000/tcp 1-15000/udp\n", "Dockerfile:2: the image has more than 20000 ports"},
		{"too many variables", "FROM scratch\nENV" + numbered(1100) + "\n", "Dockerfile:2: the image has 1101 variables"},
		{"too many labels", "FROM scratch\nLABEL" + numbered(1100) + "\n", "Dockerfile:2: the image has 1100 labels"},
		{"too many volumes", "FROM scratch\nVOLUME" + numbered(1100) + "\n", "Dockerfile:2: the image has 1100 volumes"},
		{"a signal", "FROM scratch\nSTOPSIGNAL SIGNO\n", "Dockerfile:2: invalid signal: SIGNO"},
		{"no volume", "FROM scratch\nVOLUME $X\n", "Dockerfile:2: VOLUME specified can not be an empty string"},
		{"WORKDIR through a file", "FROM scratch\nCOPY a /a\nWORKDIR /a/b\n", "Dockerfile:3: WORKDIR: /a is not a directory"},
		{"a heredoc in a directory", "FROM scratch\nCOPY <<x/y /\nz\nx/y\n", "Dockerfile:2: <<x/y has a name with directories"},
		{"an xz archive", "FROM scratch\nADD xz /\n", "Dockerfile:2: /xz: it is compressed with xz, which needs an engine"},
		{"half an archive", "FROM scratch\nADD half.tar /\n", "Dockerfile:2: /half.tar: "},
		{"an image without a base", "FROM a\n", "Dockerfile:1: docker.io/library/a:latest: cannot pull images"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := aBuild(t, map[string]string{
				"Dockerfile": tt.text, "a": "a", "d/x": "x", "secret": "", ".dockerignore": "secret\n",
				"xz": "\xfd7zXZ\x00", "half.tar": halfArchive(t),
			})
			link(t, "loop", filepath.Join(b.Context, "loop"))
			link(t, "/etc/passwd", filepath.Join(b.Context, "out"))
			_, err := Build(t.Context(), b, options(t, b))
			if _, ok := errors.AsType[*dockerfile.Error](err); !ok || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// numbered is n words such as a1=x, with a blank before each.
func numbered(n int) string {
	var words strings.Builder
	for i := range n {
		fmt.Fprintf(&words, " a%d=x", i)
	}
	return words.String()
}

func link(t testing.TB, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skip(err)
	}
}

func halfArchive(t *testing.T) string {
	t.Helper()
	var all bytes.Buffer
	w := tar.NewWriter(&all)
	if err := w.WriteHeader(&tar.Header{Name: "x", Size: 4, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	return all.String() + "xx"
}

func TestBuildEndsWithItsContext(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": strings.Repeat("a", 1<<20)})
	ctx, cancel := context.WithCancel(t.Context())
	o := options(t, b)
	o.Step = func(step string) {
		if step == "[2/2] COPY a /" {
			cancel()
		}
	}
	if _, err := Build(ctx, b, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBuildFileThatChanges(t *testing.T) {
	for name, change := range map[string]func(string) error{
		"shrinks":  func(p string) error { return os.Truncate(p, 5) },
		"grows":    func(p string) error { return os.Truncate(p, 50) },
		"vanishes": os.Remove,
	} {
		b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\nCOPY b /\n", "a": "a", "b": "0123456789"})
		o := options(t, b)
		o.Step = func(step string) {
			if step == "[3/3] COPY b /" {
				if err := change(filepath.Join(b.Context, "b")); err != nil {
					t.Error(err)
				}
			}
		}
		if _, err := Build(t.Context(), b, o); err == nil || !strings.HasPrefix(err.Error(), "Dockerfile:3: build context: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
