package hostfuncs

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

func readFileOp(w *World) Op[abi.PathRequest, place, abi.ReadFileResult] {
	return Op[abi.PathRequest, place, abi.ReadFileResult]{
		Name: abi.OpReadFile, Resolve: w.resolvePath, Claim: claimRead, Do: w.doReadFile, Looks: true,
	}
}

func listOp(w *World) Op[abi.PathRequest, place, abi.ListResult] {
	return Op[abi.PathRequest, place, abi.ListResult]{
		Name: abi.OpList, Resolve: w.resolvePath, Claim: claimRead, Do: w.doList, Looks: true,
	}
}

func (w *World) resolvePath(_ context.Context, q abi.PathRequest) (place, error) {
	return w.locate(q.Path)
}

func claimRead(p place) capability.Claim {
	return capability.Claim{Files: []capability.FileUse{{Path: p.rel, Use: capability.Read}}}
}

func (w *World) doReadFile(_ context.Context, p place) (abi.ReadFileResult, error) {
	data, err := w.readRegular(p, abi.MaxFile)
	return abi.ReadFileResult{Data: data}, err
}

// readRegular reads a file of at most limit bytes.
func (w *World) readRegular(p place, limit int64) ([]byte, error) {
	if p.missing != nil {
		return nil, p.missing
	}
	if !p.info.Mode().IsRegular() {
		return nil, abi.Errorf(abi.CodeInvalid, "%s is no regular file", quotePath(p.rel))
	}
	f, err := w.openSame(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, abi.Errorf(abi.CodeFailed, "%s: %v", quotePath(p.rel), err)
	}
	if int64(len(data)) > limit {
		return nil, abi.Errorf(abi.CodeTooLarge, "%s has more than %d bytes", quotePath(p.rel), limit)
	}
	return data, nil
}

func (w *World) doList(_ context.Context, p place) (abi.ListResult, error) {
	if p.missing != nil {
		return abi.ListResult{}, p.missing
	}
	if !p.info.IsDir() {
		return abi.ListResult{}, abi.Errorf(abi.CodeInvalid, "%s is no directory", quotePath(p.rel))
	}
	f, err := w.openSame(p)
	if err != nil {
		return abi.ListResult{}, err
	}
	defer f.Close()
	entries, err := f.ReadDir(abi.MaxEntries + 1)
	if err != nil && err != io.EOF {
		return abi.ListResult{}, abi.Errorf(abi.CodeFailed, "%s: %v", quotePath(p.rel), err)
	}
	if len(entries) > abi.MaxEntries {
		return abi.ListResult{}, abi.Errorf(abi.CodeTooLarge, "%s has more than %d entries", quotePath(p.rel), abi.MaxEntries)
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	result := abi.ListResult{Entries: make([]abi.FileInfo, 0, len(entries))}
	for _, entry := range entries {
		// One that has gone since is no entry any more.
		if info, err := entry.Info(); err == nil {
			result.Entries = append(result.Entries, fileInfo(info))
		}
	}
	return result, nil
}

// openSame opens what was decided on: a file that was put in its place since
// is another one, and refused.
func (w *World) openSame(p place) (*os.File, error) {
	root, err := os.OpenRoot(w.Root)
	if err != nil {
		return nil, abi.Errorf(abi.CodeFailed, "the project directory: %v", err)
	}
	defer root.Close()
	// A pipe that took the file's place must not make us wait for a writer.
	f, err := root.OpenFile(filepath.FromSlash(p.rel), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, abi.Errorf(abi.CodeFailed, "%v", err)
	}
	info, err := f.Stat()
	if err != nil || !os.SameFile(info, p.info) {
		f.Close()
		return nil, abi.Errorf(abi.CodeFailed, "%s was replaced while it was looked at", quotePath(p.rel))
	}
	return f, nil
}

func fileInfo(info os.FileInfo) abi.FileInfo {
	return abi.FileInfo{Name: info.Name(), Size: info.Size(), Dir: info.IsDir()}
}

func quotePath(path string) string { return strconv.Quote(path) }
