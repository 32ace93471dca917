package hostfuncs

import (
	"context"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

func statOp(w *World) Op[abi.StatRequest, place, abi.FileInfo] {
	return Op[abi.StatRequest, place, abi.FileInfo]{
		Name: abi.OpStat, Resolve: w.resolveStat, Claim: claimRead, Do: doStat, Looks: true,
	}
}

func (w *World) resolveStat(_ context.Context, q abi.StatRequest) (place, error) {
	if !q.Above {
		return w.locate(q.Path)
	}
	if q.Path != gitName {
		return place{}, &abi.Error{
			Code: abi.CodeInvalid, Message: "stat: cannot tell of " + quotePath(q.Path) + " above the project directory",
			Hint: "of what is above, only whether the nearest .git is a file is told",
		}
	}
	p := place{rel: gitName}
	if !gitFileAbove(w.Root) {
		p.missing = abi.Errorf(abi.CodeNotFound, "no .git above the project directory is a file")
	}
	return p, nil
}

func doStat(_ context.Context, p place) (abi.FileInfo, error) {
	switch {
	case p.missing != nil:
		return abi.FileInfo{}, p.missing
	case p.info == nil: // above the project, of which no more is told
		return abi.FileInfo{Name: p.rel}, nil
	}
	return fileInfo(p.info), nil
}

const gitName = ".git"

// gitFileAbove reports whether the nearest .git above a directory, up to the
// root, is a file. One that can't be looked at is none.
func gitFileAbove(dir string) bool {
	for {
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
		if info, err := os.Stat(filepath.Join(dir, gitName)); err == nil {
			return info.Mode().IsRegular()
		}
	}
}
