// Package config reads stagecraft.yml. It checks what is the core's: which
// provider is meant, and that it is there. What stands below a provider's ID is
// the provider's own; it goes to it as JSON.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

// FileName is the name of the configuration.
const FileName = "stagecraft.yml"

// Project is what the configuration says of the project; all of it may be
// empty.
type Project struct {
	// Name is the last part of the image's name.
	Name string
	// Registry is what stands before it: a host, and maybe a path.
	Registry string
}

// Config is a checked configuration.
type Config struct {
	// File is the absolute path of the file.
	File string
	// Root is the project folder, the file's own, with links resolved.
	Root string
	// Digest is the SHA-256 of the file in hex.
	Digest  string
	Project Project
	// Provider is the ID of the selected provider.
	Provider string

	part *yamldoc.Node
}

// Part is the selected provider's own part, as JSON.
func (c *Config) Part() json.RawMessage { return c.part.JSON() }

// Position is where a JSON pointer into the provider's part stands: the value
// itself, or what is nearest above it.
func (c *Config) Position(pointer string) yamldoc.Pos {
	for {
		if node := c.part.At(pointer); node != nil {
			return node.Pos()
		}
		pointer = pointer[:max(0, lastSlash(pointer))]
	}
}

func lastSlash(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '/' {
			return i
		}
	}
	return -1
}

// Providers knows which providers there are.
type Providers interface {
	Has(id string) bool
	// IDs are sorted.
	IDs() []string
}

// NotFoundError says that there is no configuration.
type NotFoundError struct {
	// Dir is where the search began; File the file that was named, if one was.
	Dir, File string
}

func (e *NotFoundError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("there is no file %s", e.File)
	}
	return fmt.Sprintf("there is no %s in %s or any folder above it", FileName, e.Dir)
}

// Hint says what to do.
func (e *NotFoundError) Hint() string {
	return "create one:\n" + smallest + "or name one with -c FILE, or its folder with -C DIR"
}

const smallest = `  backend:
    provider: generic
    providers:
      generic:
        dev: {command: ["npm", "run", "dev"]}
`

// Find looks for the configuration in dir, then upward, and returns its
// absolute path.
//
// # Errors
//
// A [*NotFoundError] when there is none; a folder of that name is an error and
// not passed over.
func Find(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(start); err != nil || !info.IsDir() {
		return "", &NotFoundError{Dir: start}
	}
	for at := start; ; at = filepath.Dir(at) {
		file := filepath.Join(at, FileName)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if at == filepath.Dir(at) {
			return "", &NotFoundError{Dir: start}
		}
	}
}

// Load reads and checks a configuration.
//
// # Errors
//
// [yamldoc.Problems] for what is wrong in it, all together, and a
// [*NotFoundError] when the file isn't there.
func Load(file string, known Providers) (*Config, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	data, err := read(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotFoundError{File: file}
	}
	if err != nil {
		return nil, yamldoc.Problems{{Pos: yamldoc.Pos{File: file}, Message: reason(err)}}
	}
	c, err := parse(file, data, known)
	if err != nil {
		return nil, err
	}
	if c.Root, err = filepath.EvalSymlinks(filepath.Dir(abs)); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	c.File, c.Digest = abs, hex.EncodeToString(sum[:])
	return c, nil
}

// read stops where a document can't be one any more.
func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("it is a folder, a file is expected")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, yamldoc.MaxBytes+1))
}

func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
