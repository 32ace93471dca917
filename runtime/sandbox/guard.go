package sandbox

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero/sys"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// stopWait is how long a module has to stop once it is told to. wazero looks
// for that at loops and returns only in code that it compiled so; shapes of
// code without either go on.
const stopWait = 2 * time.Second

// errStuck marks a module that did not stop: its goroutine is lost, and only
// the end of the process ends it.
var errStuck = errors.New("the module does not stop")

// stuckError has the reason why a module was stopped; that it did not stop is
// no news to a user whose run ends all the same.
type stuckError struct{ cause error }

func (e *stuckError) Error() string   { return e.cause.Error() }
func (e *stuckError) Unwrap() []error { return []error{e.cause, errStuck} }

// guarded runs the module under the meter and turns what comes of it into the
// errors of this package.
func (m *Module) guarded(ctx context.Context, run func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m.meter = startMeter(m.limits, cancel)

	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	select {
	case err := <-done:
		m.meter.pause()
		return m.settle(ctx, err)
	case <-ctx.Done():
	}
	wait := time.NewTimer(stopWait)
	defer wait.Stop()
	select {
	case err := <-done:
		m.meter.pause()
		return m.settle(ctx, err)
	case <-wait.C:
		// It computes on, so the collector stays off.
		m.dead = errStuck
		return &stuckError{context.Cause(ctx)}
	}
}

func (m *Module) settle(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		m.dead = cause
		return cause
	}
	m.dead = &CrashError{Reason: m.crashReason(err)}
	return m.dead
}

// crashReason says in a line why a module ended. Traces are for nobody here.
func (m *Module) crashReason(err error) string {
	if said := m.crash.headline(); said != "" {
		return said
	}
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return "it ended itself with status " + strconv.Itoa(int(exit.ExitCode()))
	}
	line := strings.TrimPrefix(firstLine(err), "instantiating module: ")
	if strings.Contains(line, "`plugin` key not found") {
		// Extism's word for it.
		return "it asked for something while it was being loaded"
	}
	return strings.TrimPrefix(line, "wasm error: ")
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	line, _, _ = strings.Cut(line, " (recovered by wazero)")
	return termtext.Line(line, 300)
}

// crashOutput keeps the beginning of what a guest's language runtime writes
// when it gives up. No one reads it but crashReason.
type crashOutput struct {
	mu   sync.Mutex
	text []byte
}

const crashLimit = 4 << 10

func (c *crashOutput) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, p[:min(len(p), crashLimit-len(c.text))]...)
	return len(p), nil
}

func (c *crashOutput) headline() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for line := range strings.Lines(string(c.text)) {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return termtext.Line(line, 300)
		}
	}
	return ""
}

func compilationWorkers() int { return runtime.GOMAXPROCS(0) }
