package capability

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// FilePattern is a pattern of paths in the project, in the language of rules of files. A
// path without * is a file or a directory with all that is in it.
type FilePattern struct {
	words []string
	plain bool // written without the ** at the end
}

// ParseFilePattern reads a pattern.
//
// # Errors
//
// A pattern that no rule of files could have; braces, which have a meaning in other
// languages of patterns and none here.
func ParseFilePattern(text string) (FilePattern, error) {
	if err := new(paths).add(&Rule{Text: text}); err != nil {
		return FilePattern{}, fmt.Errorf("pattern %q %w", text, err)
	}
	if strings.ContainsAny(text, "{}") {
		return FilePattern{}, fmt.Errorf("pattern %q has braces, which mean nothing here: write one pattern for each alternative", text)
	}
	p := FilePattern{words: pathWords(path.Clean(text)), plain: !strings.Contains(text, "*")}
	if p.plain {
		p.words = append(p.words, deep)
	}
	return p, nil
}

// String is the pattern as it is written.
func (p FilePattern) String() string {
	if p.plain {
		return path.Join(append([]string{"."}, p.words[:len(p.words)-1]...)...)
	}
	return path.Join(p.words...)
}

// Matches reports whether a path is one of the pattern.
func (p FilePattern) Matches(name string) bool {
	return listCovers(p.words, pathWords(name), globCovers)
}

// Reaches reports whether the pattern may match a directory, or something in it.
func (p FilePattern) Reaches(dir string) bool { return reachesBelow(p.words, pathWords(dir)) }

// Whole reports whether the pattern matches all that is in a directory.
func (p FilePattern) Whole(dir string) bool {
	return listCovers(p.words, append(pathWords(dir), deep), globCovers)
}

// Names reports whether an element of the pattern is exactly this name.
func (p FilePattern) Names(name string) bool { return slices.Contains(p.words, name) }

// Base is the directory before the first element with a *, or the whole path if there is
// none.
func (p FilePattern) Base() string {
	return path.Join(append([]string{"."}, p.words[:p.base()]...)...)
}

func (p FilePattern) base() int {
	return slices.IndexFunc(p.words, func(word string) bool { return strings.Contains(word, "*") })
}

// At is the pattern with another base: the same one with its links resolved.
func (p FilePattern) At(base string) FilePattern {
	p.words = append(pathWords(base), p.words[p.base():]...)
	return p
}

func isFilePattern(text string) bool {
	_, err := ParseFilePattern(text)
	return err == nil
}

// watched looks for one rule that matches all that a pattern does, or a rule that denies
// all of it. What rules deny in part is not reported.
func (e *evaluation) watched(use FileUse) {
	key := use.keys()[0]
	allow, deny := e.find(func(s *section) (*Rule, *Rule) { return s.watched(key, use.Path) })
	e.settle(allow, deny, func() Grant {
		words := pathWords(use.Path)
		if !strings.Contains(use.Path, "*") && path.Ext(strings.TrimPrefix(path.Base(use.Path), ".")) == "" {
			words = append(words, deep) // a directory: as a rule, only a file has an extension
		}
		for i, word := range words {
			if word != deep {
				words[i] = asPattern(word)
			}
		}
		return Grant{Key: key, Rule: yamldoc.Quote(strings.Join(words, "/")), Pattern: true}
	})
}

func (s *section) watched(key, pattern string) (allow, deny *Rule) {
	of := s.lists[key]
	if of == nil {
		return nil, nil
	}
	return of.allow.(*paths).watch(pattern), of.deny.(*paths).deniesAll(pattern)
}

// watch finds a rule that matches all that a pattern does. A path without * may be that
// of a file.
func (p *paths) watch(pattern string) *Rule {
	if strings.Contains(pattern, "*") {
		return p.tree.find(pathWords(pattern), globWithin)
	}
	return first(p.allows(pattern), p.tree.find(append(pathWords(pattern), deep), globWithin))
}

// deniesAll finds a rule for all that a pattern matches, however the paths are written.
func (p *paths) deniesAll(pattern string) *Rule {
	return p.folded.find(foldedWords(pathWords(pattern)), globWithin)
}

// globWithin is glob for a word of a pattern: only ** matches all that ** does.
func globWithin(pattern, word string) bool { return word != deep && glob(pattern, word) }
