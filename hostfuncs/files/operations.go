package files

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Operations are read_file, stat and list.
func (p *Project) Operations() []hostfuncs.Operation {
	locate := func(_ context.Context, q abi.PathRequest) (Place, error) { return p.Locate(q.Path) }
	return []hostfuncs.Operation{
		hostfuncs.Op[abi.PathRequest, Place, abi.ReadFileResult]{
			Name: abi.OpReadFile, Resolve: locate, Claim: claimRead, Do: p.readFile, Looks: true,
		},
		hostfuncs.Op[abi.StatRequest, Place, abi.FileInfo]{
			Name: abi.OpStat, Resolve: p.resolveStat, Claim: claimRead, Do: stat, Looks: true,
		},
		hostfuncs.Op[abi.PathRequest, Place, abi.ListResult]{
			Name: abi.OpList, Resolve: locate, Claim: claimRead, Do: p.list, Looks: true,
		},
	}
}

func claimRead(at Place) capability.Claim {
	return capability.Claim{Files: []capability.FileUse{{Path: at.Rel, Use: capability.Read}}}
}

func (p *Project) readFile(_ context.Context, at Place) (abi.ReadFileResult, error) {
	data, err := p.Read(at, abi.MaxFile)
	return abi.ReadFileResult{Data: data}, err
}

func (p *Project) list(_ context.Context, at Place) (abi.ListResult, error) {
	if at.Missing != nil {
		return abi.ListResult{}, at.Missing
	}
	if !at.Info.IsDir() {
		return abi.ListResult{}, abi.Errorf(abi.CodeInvalid, "%q is not a directory", at.Rel)
	}
	f, err := p.open(at)
	if err != nil {
		return abi.ListResult{}, err
	}
	defer f.Close()
	entries, err := f.ReadDir(abi.MaxEntries + 1)
	if err != nil && err != io.EOF {
		return abi.ListResult{}, abi.Errorf(abi.CodeFailed, "%q: %v", at.Rel, err)
	}
	if len(entries) > abi.MaxEntries {
		return abi.ListResult{}, abi.Errorf(abi.CodeTooLarge, "%q has more than %d entries", at.Rel, abi.MaxEntries)
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	result := abi.ListResult{Entries: make([]abi.FileInfo, 0, len(entries))}
	for _, entry := range entries {
		// An entry that was removed meanwhile is left out.
		if info, err := entry.Info(); err == nil {
			result.Entries = append(result.Entries, fileInfo(info))
		}
	}
	return result, nil
}

func fileInfo(info os.FileInfo) abi.FileInfo {
	return abi.FileInfo{Name: info.Name(), Size: info.Size(), Dir: info.IsDir()}
}

func (p *Project) resolveStat(_ context.Context, q abi.StatRequest) (Place, error) {
	if !q.Above {
		return p.Locate(q.Path)
	}
	if q.Path != gitName {
		return Place{}, &abi.Error{
			Code: abi.CodeInvalid, Message: "stat: cannot examine " + strconv.Quote(q.Path) + " above the project directory",
			Hint: "above the project directory, stat reports only whether the nearest .git is a file",
		}
	}
	at := Place{Rel: gitName}
	if !gitFileAbove(p.root) {
		at.Missing = abi.Errorf(abi.CodeNotFound, "no .git above the project directory is a file")
	}
	return at, nil
}

func stat(_ context.Context, at Place) (abi.FileInfo, error) {
	switch {
	case at.Missing != nil:
		return abi.FileInfo{}, at.Missing
	case at.Info == nil: // above the project, only the name is reported
		return abi.FileInfo{Name: at.Rel}, nil
	}
	return fileInfo(at.Info), nil
}

const gitName = ".git"

// gitFileAbove reports whether the nearest .git above a directory, up to the
// root, is a file. It skips those that it cannot examine.
func gitFileAbove(dir string) bool {
	for dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		if info, err := os.Stat(filepath.Join(dir, gitName)); err == nil {
			return info.Mode().IsRegular()
		}
	}
	return false
}

// AskedRules returns rules for the files that a provider asks to read.
func AskedRules(a *asks.Asks) []capability.Rule {
	var rules []capability.Rule
	for _, pattern := range a.Files {
		rules = append(rules, capability.AllowRead(pattern, yamldoc.Pos{}))
	}
	for _, pointer := range a.FilesFrom {
		a.Each(pointer, func(pattern string, pos yamldoc.Pos) { rules = append(rules, capability.AllowRead(pattern, pos)) })
	}
	return rules
}
