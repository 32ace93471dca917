package embedded

import (
	"path"
	"strings"
)

// matches returns the paths of a source: itself, or those that match its pattern, in
// order. Nothing inside a matching directory is matched.
func (t *tree) matches(source string) ([]string, error) {
	fixed, pattern := splitPattern(source)
	if pattern == "" {
		return []string{fixed}, nil
	}
	at, dir, err := t.resolve(fixed, true)
	if err != nil {
		return nil, err
	}
	if dir == nil {
		return nil, &notFoundError{fixed}
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	return dir.matches(at, "", pattern, nil), nil
}

func (n *node) matches(at, below, pattern string, found []string) []string {
	for _, name := range n.names() {
		rel := path.Join(below, name)
		if ok, _ := path.Match(pattern, rel); ok {
			found = append(found, path.Join(at, rel))
			continue
		}
		found = n.below[name].matches(at, rel, pattern, found)
	}
	return found
}

// splitPattern splits a path before the first name that is a pattern.
func splitPattern(source string) (fixed, pattern string) {
	parts := strings.Split(path.Join("/", source), "/")
	for i, part := range parts {
		if hasPattern(part) {
			return path.Join("/", path.Join(parts[:i]...)), path.Join(parts[i:]...)
		}
	}
	return path.Join("/", source), ""
}

func hasPattern(name string) bool {
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '*', '?', '[':
			return true
		case '\\':
			i++
		}
	}
	return false
}
