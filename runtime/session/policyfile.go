package session

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
)

// ChangePolicy changes a policy file, one process at a time: what another one put
// there meanwhile is not lost. change gets the text that is there, nil for none, and
// gives the new one. An error of it leaves the file as it is. The end of ctx ends a
// wait for another process; warn is told of one that takes long.
func ChangePolicy(ctx context.Context, warn func(error), file string, change func(before []byte) ([]byte, error)) error {
	dir := filepath.Dir(file)
	if resolved, err := filepath.EvalSymlinks(file); err == nil {
		dir = filepath.Dir(resolved)
	}
	release, err := patience{ctx, warn}.alone(dir)
	if err != nil {
		return err
	}
	defer release()
	var before []byte
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		if before, err = config.ReadFile(file); err != nil {
			return err
		}
	}
	after, err := change(before)
	if err != nil || before != nil && bytes.Equal(before, after) {
		return err
	}
	return atomicfile.Write(file, after)
}

// Policy is the project's policy, nil for none.
func (s *Session) Policy() *capability.Policy { return s.project }
