package capability

import (
	"io/fs"
	"path"
	"strings"
)

// files are the paths by which rules know the program: absolute, and in the
// project. Where there is no such file, they are those that were tried.
func (x *Exec) files() (file, inside string) {
	if x.Program != "" {
		return cleanFile(x.Program), x.ProgramInProject
	}
	called := cleanFile(x.Argv[0])
	switch {
	case isBare(x.Argv[0]):
		return "", ""
	case isAbs(called):
		return called, ""
	}
	if inside = path.Join(x.Dir, called); !fs.ValidPath(inside) {
		return "", ""
	}
	return "", inside
}

// isBare tells whether a program is searched in PATH.
func isBare(name string) bool { return !strings.ContainsAny(name, `/\`) && !hasDrive(name) }

func isAbs(p string) bool { return path.IsAbs(p) || (hasDrive(p) && strings.HasPrefix(p[2:], "/")) }

// hasDrive tells whether a path begins as one of Windows, with a letter and :.
func hasDrive(p string) bool {
	return len(p) > 1 && p[1] == ':' && ('a' <= p[0]|0x20 && p[0]|0x20 <= 'z')
}

// cleanFile writes a program's path in the one way that rules are kept in.
// Windows' paths get slashes; in others a backslash is a letter like any.
func cleanFile(p string) string {
	share := strings.HasPrefix(p, `\\`)
	if share || hasDrive(p) || strings.HasPrefix(p, `.\`) || strings.HasPrefix(p, `..\`) {
		p = strings.ReplaceAll(p, `\`, "/")
	}
	switch {
	case share:
		// Two slashes keep a share from being taken for a directory here.
		return "/" + path.Clean(p)
	case isAbs(p):
		return path.Clean(p)
	case strings.Contains(p, "/"):
		// A name with a slash stays one: ./npm is not what PATH has.
		if p = path.Clean(p); !strings.Contains(p, "/") {
			return "./" + p
		}
	}
	return p
}

// base is a path's last part, on any system.
func base(p string) string { return p[strings.LastIndexAny(p, `/\`)+1:] }

// stem is a name without the extension by which Windows knows a program.
func stem(name string) string {
	switch ext := path.Ext(name); ext {
	case ".exe", ".cmd", ".bat", ".com", ".ps1":
		return strings.TrimSuffix(name, ext)
	}
	return name
}

// globPath matches segment by segment, so that no * crosses a slash.
func globPath(pattern, p string) bool {
	for {
		pattern1, patternRest, more := strings.Cut(pattern, "/")
		segment, rest, moreOfPath := strings.Cut(p, "/")
		if more != moreOfPath || !glob(pattern1, segment) {
			return false
		}
		if !more {
			return true
		}
		pattern, p = patternRest, rest
	}
}
