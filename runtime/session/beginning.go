package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/starter"
)

// Beginning is a project that gets its first files.
type Beginning struct {
	// File is the path of the configuration, Policy that of the project's policy, and
	// Schema that of the schema by which editors check the configuration.
	File, Policy, Schema string

	root    string // of the project, without links
	session *Session
	sources []provider.Source
}

// ExistsError says that a file of a project exists, which is never replaced.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string { return e.Path + " exists" }

// Begin prepares a project directory that has no configuration: its lock file and the
// policies are read.
//
// # Errors
//
// An [*ExistsError], problems of these files, and of a directory that does not exist.
func Begin(opts Options) (*Beginning, error) {
	opts = opts.withDefaults()
	opts.Limits.Calls = maxDetectCalls
	root, err := config.Directory(opts.Dir, opts.ConfigFile)
	if err != nil {
		return nil, err
	}
	b := &Beginning{File: filepath.Join(opts.Dir, config.FileName), root: root}
	if opts.ConfigFile != "" {
		b.File = opts.ConfigFile
	}
	b.Policy = filepath.Join(filepath.Dir(b.File), PolicyFile)
	b.Schema = filepath.Join(filepath.Dir(b.File), filepath.FromSlash(config.SchemaFile))
	if present(b.File) {
		return nil, &ExistsError{b.File}
	}
	b.session = &Session{opts: opts, config: &config.Config{Root: root}}
	if b.session.lock, err = loadLock(root); err != nil {
		return nil, err
	}
	if err := b.session.loadPolicies(); err != nil {
		return nil, err
	}
	sources, unusable, err := findProviders(opts, root)
	for _, problem := range unusable {
		opts.Reporter.Warn(problem)
	}
	b.sources = sources
	return b, err
}

// Again prepares a project that has a configuration and no policy.
//
// # Errors
//
// An [*ExistsError] for the policy, and those of [Open].
func Again(opts Options) (*Beginning, error) {
	s, err := Open(opts)
	if err != nil {
		return nil, err
	}
	s.opts.Limits.Calls = maxDetectCalls
	b := &Beginning{File: shortest(s.config.File), root: s.config.Root, session: s}
	b.Policy = filepath.Join(filepath.Dir(b.File), PolicyFile)
	if present(b.Policy) {
		return nil, &ExistsError{b.Policy}
	}
	b.sources = []provider.Source{s.selected}
	return b, nil
}

// shortest is a path as the user would write it: relative, if it is below the working
// directory.
func shortest(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// present reports whether anything is at a path, even a dangling link.
func present(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// HasPolicy reports whether the project has a policy already, which stays.
func (b *Beginning) HasPolicy() bool { return present(b.Policy) }

// Detect asks the provider with an ID, or all trusted ones. Without an ID, the error of a
// provider is a warning.
func (b *Beginning) Detect(ctx context.Context, id string) (Detection, error) {
	var d Detection
	existing := b.session.config.File != ""
	for _, source := range b.sources {
		if id != "" && source.ID != id {
			continue
		}
		b.session.selected = source
		err := b.session.detect(ctx, existing, &d)
		if _, untrusted := errors.AsType[*UntrustedError](err); untrusted && id != "" && b.session.opts.Confirm != nil && !b.session.opts.Locked {
			if err = b.trust(ctx, source); err == nil {
				err = b.session.detect(ctx, existing, &d)
			}
		}
		if ctx.Err() != nil {
			return d, context.Cause(ctx)
		}
		if err != nil {
			err = &ProviderError{Provider: source.ID, Operation: abi.ExportDetect, Err: err}
		}
		_, untrusted := errors.AsType[*UntrustedError](err)
		switch {
		case err != nil && (id != "" || existing):
			return d, err
		case untrusted:
			d.Untrusted = append(d.Untrusted, source.ID)
		case err != nil:
			b.session.opts.Reporter.Warn(err)
		}
	}
	slices.SortStableFunc(d.Found, prefer)
	return d, nil
}

// trust asks the user whether to trust the provider that the user named.
func (b *Beginning) trust(ctx context.Context, source provider.Source) error {
	l := &Locked{Root: b.root, file: b.session.lock, opts: b.session.opts}
	review, err := l.Review(ctx, source)
	if err != nil {
		return err
	}
	agreed := false
	if review.Found.Loaded {
		if agreed, err = b.session.opts.Confirm(review); err != nil {
			return err
		}
	}
	if !agreed {
		return &UntrustedError{ID: source.ID, Declined: true}
	}
	err = l.Trust(ctx, review)
	b.session.lock = l.file
	return err
}

// Files are the contents of a project's first files; nil is not written.
type Files struct{ Config, Policy []byte }

// Files writes the files for a candidate.
func (b *Beginning) Files(found Detected) (f Files, err error) {
	p := starter.Proposal{
		Provider: found.Provider.ID, Project: b.session.config.Project.Name, EditorLine: config.SchemaLine, Candidate: found.Candidate,
	}
	if p.Project == "" {
		p.Project = imageName(filepath.Base(b.root))
	}
	if b.session.config.File == "" {
		if f.Config, err = starter.Config(p); err != nil {
			return f, err
		}
	}
	f.Policy, err = starter.Policy(p)
	return f, err
}

// Write writes the files, or none of them. The policy is written first, so that no run is
// without it.
//
// # Errors
//
// An [*ExistsError] for a file that exists, also if another process has just written it.
func (b *Beginning) Write(ctx context.Context, f Files) error {
	release, err := lockDirectory(ctx, b.session.opts.Reporter.Warn, b.root)
	if err != nil {
		return err
	}
	defer release()
	if f.Policy != nil {
		if err := writeNew(b.Policy, f.Policy); err != nil {
			return err
		}
	}
	if f.Config == nil {
		return nil
	}
	err = writeNew(b.File, f.Config)
	if err != nil && f.Policy != nil {
		err = errors.Join(err, os.Remove(b.Policy))
	}
	if err == nil {
		b.writeSchema(ctx)
	}
	return err
}

// writeSchema writes the schema by which editors check the configuration, unless there is
// one. The project works without it, so a failure is a warning.
func (b *Beginning) writeSchema(ctx context.Context) {
	if present(b.Schema) {
		return
	}
	dir := filepath.Dir(b.Schema)
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		// A link could lead out of the project.
		b.session.opts.Reporter.Warn(fmt.Errorf("editors have no schema of %s: %s is not a directory", config.FileName, dir))
		return
	}
	// Providers that are not trusted have been named already.
	schema, err := configSchema(ctx, b.session.opts, func(error) {})
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = writeNew(b.Schema, schema)
	}
	if err != nil {
		b.session.opts.Reporter.Warn(fmt.Errorf("editors have no schema of %s: %w", config.FileName, err))
	}
}

func writeNew(path string, data []byte) error {
	err := atomicfile.WriteNew(path, data)
	if errors.Is(err, fs.ErrExist) {
		return &ExistsError{path}
	}
	if err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	return nil
}
