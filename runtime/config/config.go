// Package config reads stagecraft.yml. It checks the core's keys: the project, the
// engine, and that the selected provider exists. Everything below a provider's ID
// belongs to the provider, which gets it as JSON.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// FileName is the name of the configuration.
const FileName = "stagecraft.yml"

// Project describes the project. All fields may be empty.
type Project struct {
	// Name is the last part of the image's name.
	Name string
	// Registry is the prefix of the image's name: a host and maybe a path.
	Registry string
}

// Config is a checked configuration.
type Config struct {
	// File is the absolute path of the file.
	File string
	// Root is the project directory, the file's own, with links resolved.
	Root string
	// Digest is the SHA-256 of the file in hex.
	Digest  string
	Project Project
	// Engine is the value of build.engine as written, or empty.
	Engine string
	// Provider is the ID of the selected provider.
	Provider string

	engine, part *yamldoc.Node
}

// EnginePosition is the position of Engine.
func (c *Config) EnginePosition() yamldoc.Pos { return c.engine.Pos() }

// Part is the selected provider's own part, as JSON. In the values at the JSON
// pointers of texts, numbers and booleans are strings, as written.
func (c *Config) Part(texts []string) json.RawMessage {
	var nodes []*yamldoc.Node
	for _, pointer := range c.Expand(texts) {
		if node := c.part.At(pointer); node != nil {
			nodes = append(nodes, node)
		}
	}
	return c.part.JSON(nodes...)
}

// Expand returns the pointers that JSON pointers into the provider's part stand for, see
// [yamldoc.Node.Expand].
func (c *Config) Expand(pointers []string) []string {
	var all []string
	for _, pointer := range pointers {
		all = append(all, c.part.Expand(pointer)...)
	}
	return all
}

// Settings is the value at a key of the provider's part, nil if there is none.
func (c *Config) Settings(key string) *yamldoc.Node { return c.part.Get(key) }

// Position is the position of the value at a JSON pointer into the provider's part,
// or of the nearest value above it.
func (c *Config) Position(pointer string) yamldoc.Pos {
	node := c.part.At(pointer)
	for node == nil && pointer != "" {
		pointer = pointer[:max(0, strings.LastIndexByte(pointer, '/'))]
		node = c.part.At(pointer)
	}
	return node.Pos()
}

// KeyPosition is the position of the key that a JSON pointer ends in.
func (c *Config) KeyPosition(pointer string) yamldoc.Pos {
	value := c.part.At(pointer)
	for _, e := range c.part.At(pointer[:max(0, strings.LastIndexByte(pointer, '/'))]).Entries() {
		if e.Value == value {
			return e.KeyPos
		}
	}
	return c.Position(pointer)
}

// Providers knows which providers there are.
type Providers interface {
	Has(id string) bool
	// IDs are sorted.
	IDs() []string
}

// Load reads and checks a configuration.
//
// # Errors
//
// [yamldoc.Problems] with all problems of the file, and a [*NotFoundError] when it
// does not exist.
func Load(file string, known Providers) (*Config, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	data, err := ReadFile(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotFoundError{File: file, Near: nearest(abs, fs.FileMode.IsRegular)}
	}
	if err != nil {
		return nil, yamldoc.Problems{{Pos: yamldoc.Pos{File: file}, Message: err.Error()}}
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

// ReadFile reads a file of the user's, up to one byte over the size limit of a
// document. A pipe or device is an error: it could be endless, or block.
func ReadFile(file string) ([]byte, error) { return ReadRegular(file, yamldoc.MaxBytes+1) }

// ReadRegular is [ReadFile] for at most limit bytes.
func ReadRegular(file string, limit int64) ([]byte, error) {
	data, err := safefile.Read(file, limit)
	if err != nil {
		return nil, withoutPath(err)
	}
	return data, nil
}

// ReadPlanted is [ReadFile] for a file that was found and not named by the user. A
// file that another user put into a world-writable directory is an error.
func ReadPlanted(file string) ([]byte, error) {
	if err := safefile.CheckPlanted(file); err != nil {
		return nil, withoutPath(err)
	}
	return ReadFile(file)
}

// withoutPath removes the path, which the caller's message names.
func withoutPath(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
