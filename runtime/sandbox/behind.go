package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/filelock"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// Compile compiles a module, and keeps the code in [Options.CacheDir] for later runs.
//
// # Errors
//
// Those of [Open], and why the code could not be kept.
func Compile(ctx context.Context, wasm []byte, opts Options) error {
	m, unusable, err := newModule(ctx, wasm, opts, frame.ProgramName)
	if err := errors.Join(err, unusable); err != nil {
		return err
	}
	return m.compile(ctx, false)
}

// compile compiles the module for later runs, unless another run does, and ends.
func (m *Module) compile(ctx context.Context, yields bool) error {
	release, err := claim(m.dir)
	if errors.Is(err, filelock.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	loaded, err := m.loadAndKeep(ctx, yields)
	if err == nil && loaded.Warning != "" {
		err = errors.New(loaded.Warning)
	}
	return errors.Join(err, m.Close(ctx))
}

// loadCompiled loads compiled code for this run, and keeps it if it can.
func (m *Module) loadCompiled(ctx context.Context) (loaded frame.LoadedBody, err error) {
	if m.dir == "" {
		return m.load(ctx, "", true, false)
	}
	release, unusable := claim(m.dir)
	if unusable == nil {
		defer release()
		return m.loadAndKeep(ctx, false)
	}
	loaded, err = m.load(ctx, "", true, false)
	if !errors.Is(unusable, filelock.ErrLocked) {
		loaded.Warning = unusable.Error()
	}
	return loaded, err
}

// loadAndKeep loads compiled code and keeps it in the module's directory, which this run
// has claimed.
func (m *Module) loadAndKeep(ctx context.Context, yields bool) (loaded frame.LoadedBody, err error) {
	loaded, err = m.load(ctx, m.dir, true, yields)
	if err == nil && loaded.Warning == "" && !isComplete(m.dir) {
		if err := os.Mkdir(filepath.Join(m.dir, complete), 0o700); err != nil {
			loaded.Warning = err.Error()
		}
	}
	return loaded, err
}

// lastsAfter is how long the host works for a module before its run counts as one that
// lasts. Tests shorten it.
var lastsAfter = time.Second

// compileBehind compiles the module for the next run once the host has worked for it for
// a while, so that the start of what it runs is not disturbed. stop is called when the
// host has replied.
func (m *Module) compileBehind() (stop func() bool) {
	if m.compiled || m.dir == "" {
		return func() bool { return false }
	}
	return time.AfterFunc(lastsAfter, func() {
		m.behind.begin(func(ctx context.Context) {
			c := &Module{
				name: m.name, wasm: m.wasm, dir: m.dir, copies: m.copies, limits: m.limits, helper: m.helper,
				operations: m.operations, log: new(logLines),
			}
			if err := c.compile(ctx, true); err != nil && ctx.Err() == nil && m.log.show != nil {
				m.log.show(fmt.Sprintf("it could not be compiled for the next run: %v", err))
			}
		})
	}).Stop
}

// behind is work that is done once at most, and ends with the module.
type behind struct {
	mu     sync.Mutex
	ended  bool
	cancel context.CancelFunc
	done   chan struct{}
}

func (b *behind) begin(work func(context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended || b.done != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel, b.done = cancel, make(chan struct{})
	go func() {
		defer close(b.done)
		work(ctx)
	}()
}

// end ends the work and waits for that.
func (b *behind) end() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	if b.done != nil {
		b.cancel()
		<-b.done
	}
}
