package backendtest

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// file answers an operation on Files. Any other succeeds with an empty result.
func (h *Host) file(operation string, request []byte) abi.Reply {
	var q abi.PathRequest
	if h.Files == nil || json.Unmarshal(request, &q) != nil {
		return abi.Reply{OK: abi.JSON(`{}`)}
	}
	name := path.Clean(q.Path)
	text, isFile := h.Files[name]
	entries := h.entries(name)
	missing := !isFile && len(entries) == 0 && name != "."
	switch operation {
	case abi.OpReadFile:
		if !isFile {
			return failure(abi.CodeNotFound, name)
		}
		return success(abi.ReadFileResult{Data: []byte(text)})
	case abi.OpStat:
		if missing {
			return failure(abi.CodeNotFound, name)
		}
		return success(abi.FileInfo{Name: path.Base(name), Size: int64(len(text)), Dir: !isFile})
	case abi.OpList:
		if missing || isFile {
			return failure(abi.CodeNotFound, name)
		}
		return success(abi.ListResult{Entries: entries})
	}
	return abi.Reply{OK: abi.JSON(`{}`)}
}

// entries lists a directory, sorted by name.
func (h *Host) entries(dir string) []abi.FileInfo {
	found := make(map[string]abi.FileInfo)
	for name, text := range h.Files {
		rest, inside := strings.CutPrefix(name, dir+"/")
		if dir == "." {
			rest, inside = name, true
		}
		if !inside {
			continue
		}
		first, _, below := strings.Cut(rest, "/")
		info := abi.FileInfo{Name: first, Dir: below}
		if !below {
			info.Size = int64(len(text))
		}
		found[first] = info
	}
	var list []abi.FileInfo
	for _, name := range slices.Sorted(maps.Keys(found)) {
		list = append(list, found[name])
	}
	return list
}

func success(result any) abi.Reply {
	data, err := json.Marshal(result)
	if err != nil {
		panic(err)
	}
	return abi.Reply{OK: data}
}

func failure(code abi.Code, message string) abi.Reply {
	return abi.Reply{Error: abi.NewError(code, message)}
}
