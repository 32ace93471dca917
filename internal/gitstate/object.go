package gitstate

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// maxObject is the most bytes of a commit or a tree.
const maxObject = 64 << 20

var errObject = errors.New("not a readable object")

// newHash returns the hash function with sums of that many bytes.
func newHash(size int) hash.Hash {
	if size == sha256.Size {
		return sha256.New()
	}
	// Git names objects by it; nothing depends on its security.
	return sha1.New()
}

// nameOf returns the name of an object.
func nameOf(size int, kind string, content []byte) []byte {
	h := newHash(size)
	fmt.Fprintf(h, "%s %d\x00", kind, len(content))
	h.Write(content)
	return h.Sum(nil)
}

// objects are the directories with a repository's objects: its own, and its
// alternates.
func (r Repository) objects() []string {
	all := []string{filepath.Join(r.common, "objects")}
	for i := 0; i < len(all) && len(all) < 16; i++ {
		for line := range strings.Lines(readGit(filepath.Join(all[i], "info", "alternates"), maxGitLine)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				all = append(all, join(all[i], line))
			}
		}
	}
	return all
}

// object reads a commit or a tree and checks its name.
func (r Repository) object(name []byte, kind string) ([]byte, error) {
	for _, dir := range r.objects() {
		content, found, err := loose(dir, name)
		if err != nil {
			content, found, err = packed(dir, name)
		}
		if err == nil && found == kind && bytes.Equal(nameOf(len(name), kind, content), name) {
			return content, nil
		}
	}
	return nil, errObject
}

// loose reads an object from a file of its own.
func loose(dir string, name []byte) (content []byte, kind string, err error) {
	text := hex.EncodeToString(name)
	f, err := safefile.Open(filepath.Join(dir, text[:2], text[2:]), os.O_RDONLY)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	data, err := inflate(f, maxObject)
	if err != nil {
		return nil, "", err
	}
	header, content, ok := bytes.Cut(data, []byte{0})
	kind, _, spaced := strings.Cut(string(header), " ")
	if !ok || !spaced {
		return nil, "", errObject
	}
	return content, kind, nil
}

// inflate decompresses at most limit bytes.
func inflate(r io.Reader, limit int64) ([]byte, error) {
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	data, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errObject
	}
	return data, err
}

// treeOf returns the tree of a directory in a commit, by its path from the root.
func (r Repository) treeOf(commit []byte, dir string) ([]byte, error) {
	content, err := r.object(commit, "commit")
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	text, ok := strings.CutPrefix(line, "tree ")
	tree, err := hex.DecodeString(text)
	if !ok || err != nil || len(tree) != len(commit) {
		return nil, errObject
	}
	if dir == "." {
		return tree, nil
	}
	for name := range strings.SplitSeq(dir, "/") {
		content, err := r.object(tree, "tree")
		if err != nil {
			return nil, err
		}
		if tree = inTree(content, name, len(commit)); tree == nil {
			return nil, errObject
		}
	}
	return tree, nil
}

// inTree finds a directory in a tree; nil if there is none of that name.
func inTree(content []byte, name string, size int) []byte {
	for len(content) > 0 {
		head, rest, ok := bytes.Cut(content, []byte{0})
		if !ok || len(rest) < size {
			return nil
		}
		if string(head) == "40000 "+name {
			return rest[:size]
		}
		content = rest[size:]
	}
	return nil
}
