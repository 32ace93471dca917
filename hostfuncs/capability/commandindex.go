package capability

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// execIndex finds rules for commands. Their first word says what kind of
// program they mean: a name that is searched in PATH, a file anywhere, or a
// file of the project's.
type execIndex struct {
	byName, byFile, byProjectFile tree
}

// execAllow finds rules that allow. It is strict: a bare name means what PATH
// has, never a path that ends in it, and a word that begins with - is only
// matched by one that does too.
type execAllow struct {
	execIndex
	// pinned are rules for one file of a program alone, by its digest; pins
	// are the same rules, whatever the file.
	pinned map[string]*execIndex
	pins   execIndex
}

// execDeny finds rules that deny. It is generous: a name is the program's by
// whatever way it was called, and folded, since there are file systems on which
// CURL is curl.
type execDeny struct{ execIndex }

func (x *execAllow) add(r *Rule) error {
	if r.sha256 == "" {
		return x.insert(slices.Clone(r.words), r)
	}
	if x.pinned == nil {
		x.pinned = make(map[string]*execIndex)
	}
	if x.pinned[r.sha256] == nil {
		x.pinned[r.sha256] = new(execIndex)
	}
	if err := x.pins.insert(slices.Clone(r.words), r); err != nil {
		return err
	}
	return x.pinned[r.sha256].insert(slices.Clone(r.words), r)
}

func (x *execDeny) add(r *Rule) error {
	if r.sha256 != "" {
		return errors.New("denies one file of a program: with a byte more it would be another file")
	}
	words := slices.Clone(r.words)
	if len(words) > 0 {
		words[0] = fold(words[0])
	}
	return x.insert(words, r)
}

func (x *execIndex) insert(words []string, r *Rule) error {
	if err := checkWords(words); err != nil {
		return err
	}
	name := cleanFile(words[0])
	switch {
	case !strings.Contains(name, "/"):
		x.byName.insert(words, r)
	case isAbs(name):
		words[0] = name
		x.byFile.insert(words, r)
	case strings.HasPrefix(name, "../"):
		return errors.New("leaves the project directory: a program outside is named by its absolute path")
	default:
		words[0] = path.Clean(name)
		x.byProjectFile.insert(words, r)
	}
	return nil
}

func checkWords(words []string) error {
	if len(words) == 0 || words[0] == "" {
		return errors.New("names no program")
	}
	for i, word := range words {
		if word == deep && i != len(words)-1 {
			return errors.New("has ** before its end; only a last ** matches any number of words")
		}
		if word != deep && strings.Contains(word, deep) {
			return errors.New("has ** within a word: * is enough there")
		}
	}
	return nil
}

func (x *execAllow) find(e *Exec) *Rule {
	found := x.findStrict(e)
	// What commands may write is a file of no one digest.
	if pinned := x.pinned[e.SHA256]; pinned != nil && !e.Writable {
		found = first(found, pinned.findStrict(e))
	}
	return found
}

func (x *execIndex) findStrict(e *Exec) *Rule {
	var found *Rule
	if isBare(e.Argv[0]) {
		found = x.byName.find(e.Argv, strictWord)
	}
	file, inside := e.files()
	return first(found, x.findFiles(file, inside, e.Argv[1:], strictWord))
}

func (x *execDeny) find(e *Exec) *Rule {
	if x.byName.empty() && x.byFile.empty() && x.byProjectFile.empty() {
		return nil
	}
	file, inside := e.files()
	called := fold(e.Argv[0])
	file, inside = fold(file), fold(inside)
	rest := e.Argv[1:]
	found := x.findFiles(file, inside, rest, glob)
	if asked := cleanFile(called); !isBare(asked) {
		found = first(found, x.findFiles(asked, path.Clean(asked), rest, glob))
	}
	resolved := fold(cleanFile(e.Resolved))
	found = first(found, x.findFiles(resolved, "", rest, glob))
	if x.byName.deep != nil {
		found = first(found, x.byName.deep.end)
	}
	for _, name := range [...]string{called, base(called), base(file), base(inside), base(resolved)} {
		found = first(found, x.byName.findAs(name, rest, glob, glob))
		if bare := stem(name); bare != name {
			found = first(found, x.byName.findAs(bare, rest, glob, glob))
		}
	}
	return found
}

func (x *execIndex) findFiles(file, inside string, rest []string, match matcher) *Rule {
	var found *Rule
	if file != "" {
		found = x.byFile.findAs(file, rest, globPath, match)
	}
	if inside != "" {
		found = first(found, x.byProjectFile.findAs(inside, rest, globPath, match))
	}
	return found
}

// strictWord keeps options out of where a policy's author saw a plain word.
func strictWord(pattern, word string) bool {
	if strings.HasPrefix(word, "-") && !strings.HasPrefix(pattern, "-") {
		return false
	}
	return glob(pattern, word)
}

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

// isBare reports whether a program is searched in PATH.
func isBare(name string) bool { return !strings.ContainsAny(name, `/\`) && !hasDrive(name) }

func isAbs(p string) bool { return path.IsAbs(p) || (hasDrive(p) && strings.HasPrefix(p[2:], "/")) }

// hasDrive reports whether a path begins as one of Windows, with a letter and :.
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
