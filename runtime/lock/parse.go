package lock

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/settings"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Parse reads a lock file; name is its name in messages.
//
// # Errors
//
// yamldoc.Problems: all problems of the file, each with its position.
func Parse(name string, data []byte) (*File, error) {
	if line := conflict(data); line > 0 {
		return nil, yamldoc.Problems{{
			Pos: yamldoc.Pos{File: name, Line: line, Column: 1}, Message: "the file has merge conflict markers",
			Hint: "keep one side, then run: stagecraft provider trust ID",
		}}
	}
	root, err := yamldoc.Parse(name, data)
	if err != nil {
		return nil, err
	}
	r := reader{file: &File{at: make(map[string]yamldoc.Pos)}}
	r.document(root)
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	return r.file, nil
}

// conflict is the first line that a merge left behind, 0 when there is none.
func conflict(data []byte) int {
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if strings.HasPrefix(line, "<<<<<<< ") || strings.HasPrefix(line, ">>>>>>> ") {
			return n
		}
	}
	return 0
}

// reader collects all problems.
type reader struct {
	file     *File
	problems yamldoc.Problems
}

// mapping requires a mapping with exactly these keys.
func (r *reader) mapping(n *yamldoc.Node, keys ...string) bool {
	before := len(r.problems)
	if !r.problems.KnownKeys(n, keys) {
		return false
	}
	for _, key := range keys {
		if n.Get(key) == nil {
			r.problems.Wrong(n, key+" is missing", "")
		}
	}
	return len(r.problems) == before
}

func (r *reader) document(root *yamldoc.Node) {
	if !r.mapping(root, "version", "providers") {
		return
	}
	if v := root.Get("version"); v.Kind() != yamldoc.KindInt || v.Text() != fmt.Sprint(Version) {
		r.problems.Wrong(v, fmt.Sprintf("%q is not known, this stagecraft reads version %d", v.Text(), Version), "")
		return
	}
	providers := root.Get("providers")
	if providers.Kind() != yamldoc.KindMap {
		r.problems.Expected(providers, "a mapping of provider IDs")
		return
	}
	for _, e := range providers.Entries() {
		if !validID().MatchString(e.Key) {
			r.problems.Add(e.KeyPos, providers.Field(), fmt.Sprintf("%q is not a provider ID", e.Key), "")
			continue
		}
		r.file.at[e.Key] = e.KeyPos
		r.entry(e.Key, e.Value)
	}
}

var (
	validID   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`) })
	hexDigest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })
	sources   = []string{"project", "user", "file"}
)

func (r *reader) entry(id string, n *yamldoc.Node) {
	if !r.mapping(n, "version", "sha256", "abi", "source", "path", "imports", "asked", "granted") {
		return
	}
	e := Entry{ID: id}
	if !r.decode(n, &e) {
		return
	}
	if !hexDigest().MatchString(e.SHA256) {
		r.problems.Wrong(n.Get("sha256"), fmt.Sprintf("%q is not a SHA-256 digest", e.SHA256), "")
	}
	if !slices.Contains(sources, e.Source) {
		r.problems.Wrong(n.Get("source"), fmt.Sprintf("unknown source %q, expected one of %s", e.Source, strings.Join(sources, ", ")), "")
	}
	asked := asks(e.Asked)
	for _, granted := range asks(e.Granted) {
		if !slices.Contains(asked, granted) {
			r.problems.Wrong(n.Get("granted"), "grants more than the provider asks for: "+granted, "remove it, or allow it in a policy")
		}
	}
	r.file.Set(e)
}

// decode reads an entry strictly, and gives each problem its position.
func (r *reader) decode(n *yamldoc.Node, e *Entry) bool {
	err := settings.Decode(n.JSON(), e)
	if err == nil {
		return true
	}
	wrong, ok := errors.AsType[*abi.Error](err)
	if !ok || len(wrong.Problems) == 0 {
		r.problems.Wrong(n, err.Error(), "")
		return false
	}
	for _, p := range wrong.Problems {
		at := n.At(p.Pointer)
		if at == nil {
			at = n
		}
		r.problems.Wrong(at, p.Message, p.Hint)
	}
	return false
}
