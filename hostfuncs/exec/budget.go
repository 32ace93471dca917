package exec

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// budget is how much a command may still print, on both streams together.
type budget struct {
	mu   sync.Mutex
	most uint64
	left uint64
	end  context.CancelCauseFunc
	over bool
}

// bound has a command end when it prints more than policies let it. What it
// prints then passes through us, so that it can be counted: a terminal isn't
// handed over. The result is nil where there is no bound.
func (c *Confinement) bound(ctx context.Context, cmd *process.Command) (context.Context, *budget) {
	if c.output == 0 {
		return ctx, nil
	}
	b := &budget{most: c.output, left: c.output}
	ctx, b.end = context.WithCancelCause(ctx)
	stdout := &counted{b, cmd.Stdout}
	stderr := stdout
	if cmd.Stderr != cmd.Stdout {
		stderr = &counted{b, cmd.Stderr}
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return ctx, b
}

// spent says that a command was ended for what it printed, and lets go of its
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

// take gives how much of n bytes may be printed.
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

// counted passes on what is within a budget. The rest is thrown away, while the
// command ends.
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
