package exec

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// run runs a command within the limits of time and output; asked is a further limit of
// time, 0 for none.
//
// # Errors
//
// Those of [process.Run], and an [*abi.Error] if a limit ended the command.
func (c *Confinement) run(ctx context.Context, cmd process.Command, asked time.Duration) (process.Result, error) {
	limit := asked
	var output *budget
	if c != nil {
		if c.opts.Limits.Time != 0 && (asked == 0 || c.opts.Limits.Time < asked) {
			limit = c.opts.Limits.Time
		}
		ctx, output = c.limitOutput(ctx, &cmd)
	}
	if limit > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, limit)
		defer stop()
	}
	singles := c.watchSingles()
	res, err := process.Run(ctx, cmd)
	singles.close()
	if over := output.spent(cmd.Argv[0]); over != nil {
		return res, over
	}
	if res.TimedOut {
		return res, abi.Errorf(abi.CodeTimeout, "%s did not end within %v", cmd.Argv[0], limit)
	}
	if cmd.Confine != nil && err == nil && res.ExitCode != 0 && !res.Interrupted {
		c.failed.Store(true)
	}
	return res, err
}

// budget is how much a command may still print, to both streams together.
type budget struct {
	mu   sync.Mutex
	most uint64 // bytes
	left uint64 // bytes
	end  context.CancelCauseFunc
	over bool
}

// limitOutput ends a command that prints more than policies allow. Its output then
// passes through us to be counted, so it does not get a terminal. The budget is nil
// without a limit.
func (c *Confinement) limitOutput(ctx context.Context, cmd *process.Command) (context.Context, *budget) {
	if c.opts.Limits.Output == 0 {
		return ctx, nil
	}
	b := &budget{most: c.opts.Limits.Output, left: c.opts.Limits.Output}
	ctx, b.end = context.WithCancelCause(ctx)
	wrapOutput(cmd, func(w io.Writer) *counted { return &counted{b, w} })
	return ctx, b
}

// spent returns an error if a command was ended for its output, and releases its
// context.
func (b *budget) spent(name string) error {
	if b == nil {
		return nil
	}
	b.end(nil)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		return nil
	}
	return abi.Errorf(abi.CodeTooLarge, "%s printed more than a policy's limits.output, which is %d bytes", name, b.most)
}

// take returns how many of n bytes may be printed.
func (b *budget) take(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if uint64(n) > b.left {
		n, b.over = int(b.left), true
		b.end(fmt.Errorf("more than %d bytes were printed", b.most))
	}
	b.left -= uint64(n)
	return n
}

// counted prints what is within a budget. The rest is discarded while the command ends.
type counted struct {
	budget *budget
	to     io.Writer
}

func (c *counted) Write(p []byte) (int, error) {
	if n := c.budget.take(len(p)); n > 0 {
		if _, err := c.to.Write(p[:n]); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
