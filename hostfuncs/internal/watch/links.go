package watch

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
)

// maxHops is the most links that a link may lead through, as on Linux.
const maxHops = 40

// resolve returns the links that a link of the project leads through, and where it leads
// to, even if nothing is there. It returns nothing if that is not in the project.
func (t *tree) resolve(real string) (way []string) {
	at, rest := path.Dir(real), []string{path.Base(real)}
	for len(rest) > 0 {
		element := rest[0]
		rest = rest[1:]
		if element == ".." && at == "." {
			return nil
		}
		at = path.Join(at, element)
		text, err := os.Readlink(t.abs(at))
		if err != nil {
			continue // a directory, the target, or nothing
		}
		if way = append(way, at); len(way) > maxHops {
			return nil
		}
		at = path.Dir(at)
		if filepath.IsAbs(text) {
			// The path of the project directory may have links in it.
			abs, err := files.ResolveLinks(text)
			if err != nil {
				abs = filepath.Clean(text)
			}
			rel, inside := t.opts.Project.Rel(abs)
			if !inside {
				return nil
			}
			at, text = ".", rel
		}
		rest = append(strings.Split(filepath.ToSlash(text), "/"), rest...)
	}
	return append(way, at)
}

// last is the target at the end of a way, empty if there is none.
func last(way []string) string {
	if len(way) == 0 {
		return ""
	}
	return way[len(way)-1]
}

func (t *tree) abs(real string) string {
	return filepath.Join(t.opts.Project.Root(), filepath.FromSlash(real))
}

// setLink notes the way of a link, nil if there is none.
func (t *tree) setLink(at place, way []string) {
	was := t.links[at]
	if slices.Equal(was, way) || way != nil && was == nil && len(t.links) >= maxLinks {
		return
	}
	if delete(t.links, at); way != nil {
		t.links[at] = way
	}
	for _, real := range way {
		t.watchAbove(real)
	}
	for _, real := range was {
		t.unwatchAbove(real)
	}
}

// lookAt looks at one entry.
func (t *tree) lookAt(at place, written bool) {
	if at.in.dropped {
		return
	}
	dir, err := t.open(at.in.real)
	if err != nil {
		return
	}
	if dir != nil {
		defer dir.Close()
	}
	t.look(dir, at, written)
}

// watchAbove watches all directories above a path, up to the project's.
func (t *tree) watchAbove(real string) {
	for real != "." {
		real = path.Dir(real)
		t.watch(real)
	}
}

func (t *tree) unwatchAbove(real string) {
	for real != "." {
		real = path.Dir(real)
		t.unwatch(real)
	}
}
