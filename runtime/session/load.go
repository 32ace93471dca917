package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/replay"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// loaded is a module that can be called.
type loaded struct {
	provider.Module
	calls *replay.Module
	guest *backend.Guest
}

// load prepares a module, and has it describe itself. Whether it may be loaded was
// decided before. It is loaded unless a run in the file known is repeated; without a
// file it always is.
func load(ctx context.Context, m provider.Module, host sandbox.Host, opts Options, known string, ahead *sandbox.Ahead) (*loaded, error) {
	source := m.Source
	calls := replay.New(replay.Options{
		File: known, Key: fmt.Sprintf("%s %d %+v %s", m.Digest(), abi.Version, opts.Limits, program()), Host: host,
		Keep: func(data []byte) bool { return opts.Mask.Text(string(data)) == string(data) },
		Open: func(ctx context.Context, host replay.Host) (replay.Runner, error) {
			options := processOptions(m.Digest(), opts)
			options.Operations, options.Host, options.Ahead, options.Warn = abi.Operations(), host, ahead, opts.Reporter.Warn
			options.Log = func(line string) { opts.Reporter.Log(source.ID, abi.LevelDebug, line) }
			options.Waiting = func(compiled bool) { opts.Reporter.Waiting(source.ID, compiled) }
			wasm, err := m.Bytes()
			if err != nil {
				return nil, err
			}
			box, err := sandbox.Open(ctx, wasm, options)
			if err != nil {
				return nil, unusable(source, err)
			}
			return box, nil
		},
	})
	guest, err := backend.NewGuest(ctx, calls)
	if err == nil && source.ID != "" && guest.ID() != source.ID {
		err = &backend.ContractError{Export: abi.ExportDescribe, Reason: fmt.Sprintf(
			"its ID is %q, but the file is named for %q: rename it to %s%s", guest.ID(), source.ID, guest.ID(), provider.Extension)}
	}
	if err != nil {
		return nil, errors.Join(unusable(source, err), calls.Close(ctx))
	}
	return &loaded{m, calls, guest}, nil
}

// processOptions are those for a process of the module with a digest.
func processOptions(digest string, opts Options) sandbox.Options {
	return sandbox.Options{Limits: opts.Limits, Helper: opts.Helper, CacheDir: under(opts.CacheDir, "wasm"), Digest: digest}
}

// program identifies the program that runs, because another one may run a module in
// another way. It is empty if that is not known: then nothing is replayed. The build
// information is of the process and names its revision and GOARCH. It is the same for all
// builds of a changed working tree, so there is also the file, by its size, its time and
// its first bytes, where Go puts the build ID.
var program = sync.OnceValue(func() string {
	build, ok := debug.ReadBuildInfo()
	path, err := os.Executable()
	info, serr := os.Stat(path)
	start, rerr := safefile.Read(path, 32<<10)
	if !ok || errors.Join(err, serr, rerr) != nil {
		return ""
	}
	sum := sha256.Sum256(append(start, build.String()...))
	return fmt.Sprintf("%s %x %d %d", runtime.GOARCH, sum, info.Size(), info.ModTime().UnixNano())
})

// replayFile stores earlier runs of this kind. It is empty if the module must be loaded:
// for a record of what the module itself asks for, to ask the user about it, to preview
// effects, or if the program is not known.
func (r *run) replayFile() string {
	s := r.session
	learns, _ := r.mode.learns()
	if s.mustLoad() || r.mode.preview() != nil || learns || !s.agreed(s.selected) || program() == "" {
		return ""
	}
	name := sha256.Sum256([]byte(s.config.Root + "\x00" + s.selected.ID + "\x00" + r.operation))
	return under(s.opts.CacheDir, filepath.Join("replay", hex.EncodeToString(name[:])+".json"))
}

// mustLoad reports whether the options refuse to replay an earlier run.
func (s *Session) mustLoad() bool {
	return s.opts.NoReplay || s.opts.LoadModule || s.opts.Audit != ""
}

// loads reports whether the run will load its module without asking anybody: it may be
// loaded, and no earlier run is stored. A stored one may turn out to differ.
func (r *run) loads() bool {
	ask, err := r.session.admit(r.module, r.confinement.Missing())
	if ask || errors.Join(err, r.mode.admit(r)) != nil {
		return false
	}
	file := r.replayFile()
	if file == "" {
		return true
	}
	_, err = os.Lstat(file)
	return err != nil
}

// under is a path in a directory, empty if the directory is.
func under(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

// unusable names the file in an error about it. Limits and crashes are not about it.
func unusable(source provider.Source, err error) error {
	if e, ok := errors.AsType[*sandbox.LoadError](err); ok {
		return &provider.UnusableError{ID: source.ID, Path: source.Path, Reason: e.Reason}
	}
	if e, ok := errors.AsType[*backend.ContractError](err); ok {
		return &provider.UnusableError{ID: source.ID, Path: source.Path, Reason: e.Error()}
	}
	return err
}

func (l *loaded) close() {
	// What remains after an error ends with the process.
	_ = l.calls.Close(context.Background())
}
