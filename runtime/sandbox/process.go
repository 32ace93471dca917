package sandbox

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// launch says how the helper is started.
type launch struct {
	name string
	// dir is the directory for compiled code, empty if the helper needs none.
	dir   string
	space uint64
	// yields has it run only while no other process wants to.
	yields bool
	// copies is a directory of ours alone, in which a copy of the helper can be executed;
	// empty is none.
	copies string
}

func (l launch) args() []string {
	return []string{l.dir, strconv.FormatUint(l.space, 10), strconv.FormatBool(l.yields)}
}

// process is the helper.
type process struct {
	conn  *frame.Conn
	files []io.Closer // of the connection
	system

	mu     sync.Mutex
	ended  bool  // and was waited for
	reason error // why it was ended first, if it was
	// What is said if the kernel ends it for using more.
	cpuLimit, memoryLimit error
	done                  chan struct{}
	ending                ending // once done is closed
}

// ending is how the helper ended.
type ending struct {
	// reason is why we ended it, or which bound it reached; nil if neither.
	reason error
	// text says how it ended, in a line.
	text string
}

// end kills the process. The first reason counts; nil is none.
func (p *process) end(reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	if p.reason == nil {
		p.reason = reason
	}
	p.kill()
}

// wait waits until the process has ended, and closes the connection, from which
// what it sent last has been read.
func (p *process) wait() ending {
	<-p.done
	for _, f := range p.files {
		// Closing it twice is an error of no account.
		_ = f.Close()
	}
	return p.ending
}

// bound says what the process may use now, of memory and of processor time.
func (p *process) bound(cpu time.Duration, cpuLimit, memoryLimit error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.limitKernelCPU(cpu)
	}
	p.cpuLimit, p.memoryLimit = cpuLimit, memoryLimit
}

// finish is called once, when the process has ended: status says how, reached is
// the bound that the kernel says it reached, and printed is what its runtime
// printed.
func (p *process) finish(status string, reached error, printed []byte) {
	if fatal := fatalLine(printed); fatal != "" {
		status += ", " + fatal
	}
	p.mu.Lock()
	p.ended = true
	if reached == nil && ranOutOfMemory(printed) {
		reached = p.memoryLimit
	}
	if p.reason == nil {
		p.reason = reached
	}
	p.ending = ending{reason: p.reason, text: status}
	p.mu.Unlock()
	close(p.done)
}

// maxPrinted is how much is kept of what the helper's runtime prints.
const maxPrinted = 16 << 10

// readPrinted reads to the end.
func readPrinted(r io.Reader) []byte {
	printed, _ := io.ReadAll(io.LimitReader(r, maxPrinted))
	_, _ = io.Copy(io.Discard, r)
	return printed
}

// ranOutOfMemory reports whether Go's runtime got no memory from the kernel.
func ranOutOfMemory(printed []byte) bool {
	for _, words := range []string{"out of memory", "cannot allocate memory"} {
		if bytes.Contains(printed, []byte(words)) {
			return true
		}
	}
	return false
}

// fatalLine is the line by which Go's runtime gives up.
func fatalLine(printed []byte) string {
	for line := range strings.Lines(string(printed)) {
		for _, start := range []string{"fatal error: ", "panic: ", "runtime/cgo: "} {
			if strings.HasPrefix(line, start) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}
