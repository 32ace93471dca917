package image

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestLeave leaves out what no instruction takes, by whatever way, and else tells
// its line.
func TestLeave(t *testing.T) {
	dir := imagetest.Dir(t)
	imagetest.Write(t, dir, map[string]string{"Dockerfile": "", "real/odd": ""})
	for name, target := range map[string]string{
		"link": "real", "to-odd": "real/odd", "absolute": "/real", "up": "../../real", "chain": "link", "loop": "loop", "real/back": "../real",
	} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Skip(err)
		}
	}
	why := errors.New("it is odd")
	for path, taken := range map[string]bool{
		"real": true, "link": true, "to-odd": true, "absolute": true, "up": true, "chain/o*": true, "link/back/back/odd": true, ".": true,
		"loop": false, "Dockerfile": false, "link/other": false, "none/odd": false, "real/even*": false,
	} {
		c, err := Open(Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), Takes: []dockerfile.Take{
			{Name: "ADD", Line: 2, Path: "elsewhere"}, {Name: "COPY", Line: 3, Path: path},
		}})
		check(t, err)
		err = c.Leave("real/odd", false, why)
		check(t, c.Close())
		e, ok := errors.AsType[*Error](err)
		if !taken && err != nil || taken && (!ok || e.Line != 3 || !strings.HasPrefix(e.Message, "COPY: build context: ") || !errors.Is(err, why)) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// TestLeaveUnknown leaves nothing out where nobody knows what is taken.
func TestLeaveUnknown(t *testing.T) {
	dir := imagetest.Dir(t)
	imagetest.Write(t, dir, map[string]string{"Dockerfile": ""})
	for _, takes := range [][]dockerfile.Take{nil, {{Name: "COPY", Line: 2, Any: true}}} {
		c, err := Open(Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), Takes: takes})
		check(t, err)
		if err := c.Leave("odd", false, errors.New("it is odd")); err == nil || !strings.Contains(err.Error(), "odd: it is odd") {
			t.Errorf("%+v: got %v", takes, err)
		}
		check(t, c.Close())
	}
}
