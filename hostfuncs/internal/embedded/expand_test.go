package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestBombs has archives and layers that come to more than a build may unpack,
// by one and together.
func TestBombs(t *testing.T) {
	small := imagetest.Bomb(t, "zstd", 160)
	for _, tt := range []struct {
		name, text string
		files      map[string][]byte
		want       string
	}{
		{"two together", "FROM scratch\nADD x /a/\nADD y /b/\n", map[string][]byte{"x": small, "y": small}, "Dockerfile:3: /y: it unpacks to more"},
		{"a base image", "FROM a\nCOPY Dockerfile /\nCOPY --from=a /zeros /\n", nil, "Dockerfile:2: docker.io/library/a:latest: layer sha256:"},
		{"headers without a file", "FROM scratch\nADD x /\n", map[string][]byte{"x": endlessHead(t)}, "Dockerfile:2: /x: it has more than 16 MiB before its first file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := aBuild(t, map[string]string{"Dockerfile": tt.text})
			for name, data := range tt.files {
				write(t, filepath.Join(b.Context, name), data)
			}
			o := options(t, b)
			o.Base = imageOf(t, imagetest.Bomb(t, "zstd", 320))
			_, err := Build(t.Context(), b, o)
			if _, ok := errors.AsType[*dockerfile.Error](err); !ok || !strings.HasPrefix(err.Error(), tt.want) || strings.HasSuffix(err.Error(), "…") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// endlessHead is a packed archive of headers about headers.
func endlessHead(t *testing.T) []byte {
	t.Helper()
	head := imagetest.Sparse(t, "x", 1<<20)[:1024]
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for range headLimit/len(head) + 1 {
		if _, err := w.Write(head); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// TestExpandWritesNoMore looks at what is on the disk when the limit is reached,
// and when all is just below it.
func TestExpandWritesNoMore(t *testing.T) {
	const whole = 512 + 3<<20 // of Bomb with 3 MiB
	for name, tt := range map[string]struct {
		packed []byte
		limit  int64
		want   error
	}{
		"all of it":       {imagetest.Bomb(t, "gzip", 3), whole, nil},
		"a byte too much": {imagetest.Bomb(t, "gzip", 3), whole - 1, errExpands},
		"gzip":            {imagetest.Bomb(t, "gzip", 320), 5 << 20, errExpands},
		"zstd":            {imagetest.Bomb(t, "zstd", 320), 5 << 20, errExpands},
		"bzip2":           {imagetest.Bomb(t, "bzip2", 320), 5 << 20, errExpands},
	} {
		s := storeThatExpands(t, tt.limit, tt.packed)
		if _, _, err := s.expand(bytes.NewReader(tt.packed), int64(len(tt.packed))); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
		if info, err := os.Stat(filepath.Join(s.dir, "1")); err != nil || info.Size() != tt.limit {
			t.Errorf("%s: %v was written, %v, want %d bytes", name, info, err, tt.limit)
		}
	}
}

// TestHoleExpands has an archive whose file is a hole, which is written.
func TestHoleExpands(t *testing.T) {
	data := imagetest.Sparse(t, "hole", 1<<50)
	s := storeThatExpands(t, 1<<20, data)
	archive := &file{size: int64(len(data)), content: text(data)}
	err := s.unpack(archive, &unpacker{to: newTree(new(int))})
	if !errors.Is(err, errExpands) || !strings.HasPrefix(err.Error(), "hole: ") {
		t.Errorf("got %v", err)
	}
	if info, err := os.Stat(filepath.Join(s.dir, "2")); err != nil || info.Size() != 1<<20-int64(len(data)) {
		t.Errorf("%v was written, %v", info, err)
	}
}

// TestPackedSizes has files that say that they have more than a number of bytes
// can be multiplied by.
func TestPackedSizes(t *testing.T) {
	s := &store{expandable: expandFree}
	for range 3 {
		s.packed(math.MaxInt64)
		if s.expandable != bytesLimit {
			t.Errorf("%d bytes may be unpacked, want %d", s.expandable, int64(bytesLimit))
		}
	}
}

// storeThatExpands has a limit for what these packed bytes come to.
func storeThatExpands(t *testing.T, limit int64, packed []byte) *store {
	t.Helper()
	s, err := newStore(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.expandable = limit - expandRatio*int64(len(packed))
	return s
}

// TestLargeDescriptions has files of which more would be kept in memory than a
// kernel takes.
func TestLargeDescriptions(t *testing.T) {
	large := func(size int) tar.Header {
		h := reg("x", "x")
		h.PAXRecords = map[string]string{"SCHILY.xattr.user.a": strings.Repeat("a", size)}
		return h
	}
	for _, tt := range []struct {
		name   string
		header tar.Header
		spent  int
		want   error
	}{
		{"a link", sym("x", strings.Repeat("a/", pathLimit)), 0, errLink},
		{"a hard link", hard("x", strings.Repeat("a/", pathLimit)), 0, errLink},
		{"attributes", large(attributesOfFile), 0, errXattrs},
		{"attributes of all files", large(1000), attributesOfBuild - 1000, errXattrAll},
		{"what is just small enough", large(1000), attributesOfBuild - 2000, nil},
	} {
		s, err := newStore(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		s.attributes = tt.spent
		path := filepath.Join(t.TempDir(), "x.tar")
		write(t, path, tarOf(t, tt.header))
		if err := s.archive(path, func(*tar.Header, *file) error { return nil }); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestHoleOfTheContext has a file that is larger than all that a build may
// write, of which nothing is on the disk.
func TestHoleOfTheContext(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY hole /\n", "hole": ""})
	if err := os.Truncate(filepath.Join(b.Context, "hole"), bytesLimit+1); err != nil {
		t.Skipf("the file system has no file of that size: %v", err)
	}
	if _, err := Build(t.Context(), b, options(t, b)); !errors.Is(err, errTooLarge) || !strings.HasPrefix(err.Error(), "Dockerfile:2: ") {
		t.Errorf("got %v", err)
	}
}
