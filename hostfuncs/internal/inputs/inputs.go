// Package inputs remembers the input with which a command last succeeded. It writes only
// hashes with the user's key: without the key, an input cannot be guessed.
package inputs

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Store is a private directory with a key, and a file for each name. An empty Store
// remembers nothing.
type Store string

// Same reports whether this is the last input of a name. An unreadable file counts as
// missing.
func (s Store) Same(name, input []string) bool {
	key, err := s.key()
	if err != nil {
		return false
	}
	kept, err := s.read(s.file(key, name), sha256.Size)
	return err == nil && hmac.Equal(kept, sum(key, "input", name, input))
}

// Keep remembers the last input of a name.
func (s Store) Keep(name, input []string) error {
	if s == "" {
		return nil
	}
	key, err := s.key()
	if err != nil {
		key, err = s.makeKey()
	}
	if err != nil {
		return err
	}
	return atomicfile.WritePrivate(s.file(key, name), sum(key, "input", name, input))
}

// Forget removes the input of a name.
func (s Store) Forget(name []string) error {
	key, err := s.key()
	if err != nil {
		return nil // without the key, all inputs are unreadable
	}
	if err := os.Remove(s.file(key, name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// file returns the file of a name, which is hashed too.
func (s Store) file(key []byte, name []string) string {
	return filepath.Join(string(s), hex.EncodeToString(sum(key, "name", name)))
}

// keySize is that of a key, in bytes.
const keySize = 32

func (s Store) keyFile() string { return filepath.Join(string(s), "key") }

func (s Store) key() ([]byte, error) {
	if s == "" {
		return nil, fs.ErrNotExist
	}
	return s.read(s.keyFile(), keySize)
}

// makeKey makes a key. If two processes do so at once, both use the last one.
func (s Store) makeKey() ([]byte, error) {
	if err := privatedir.Make(string(s)); err != nil {
		return nil, err
	}
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	if err := atomicfile.WritePrivate(s.keyFile(), key); err != nil {
		return nil, err
	}
	return s.key()
}

// read reads a file that the user owns and that has exactly this size.
func (s Store) read(path string, size int) ([]byte, error) {
	f, err := safefile.OpenOwn(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(size)+1))
	if err == nil && len(data) != size {
		err = errors.New("not a whole file")
	}
	return data, err
}

// sum hashes lists of words. Different lists have different hashes.
func sum(key []byte, kind string, lists ...[]string) []byte {
	h := hmac.New(sha256.New, key)
	write := func(text string) {
		_ = binary.Write(h, binary.BigEndian, uint64(len(text)))
		_, _ = io.WriteString(h, text)
	}
	write(kind)
	for _, list := range lists {
		_ = binary.Write(h, binary.BigEndian, uint64(len(list)))
		for _, text := range list {
			write(text)
		}
	}
	return h.Sum(nil)
}
