package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// launch says how a helper is started.
type launch struct {
	name string
	// dir is the directory for compiled code, empty if the helper opens no files.
	dir   string
	space uint64
	// yields gives the helper the lowest priority.
	yields bool
	// copies is a directory of this user alone, in which a copy of the helper can be
	// executed. If it is empty, there is none.
	copies string
}

func (l launch) args() []string {
	return []string{l.dir, strconv.FormatUint(l.space, 10), strconv.FormatBool(l.yields)}
}

// process is a running helper.
type process struct {
	conn   *frame.Conn
	files  []io.Closer // of the connection
	logged int         // bytes of Log frames
	system

	mu     sync.Mutex
	ended  bool  // it has ended, and was waited for
	reason error // the first reason to end it, or nil
	// The errors if the kernel ends it for exceeding a limit.
	cpuLimit, memoryLimit error
	done                  chan struct{}
	ending                ending // valid after done is closed
}

// ending is how the helper ended.
type ending struct {
	// reason is why this program ended it, or the limit that it reached, or nil.
	reason error
	// text says in one line how it ended.
	text string
}

// end kills the process. The first reason that is not nil counts.
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

// wait waits until the process has ended, and closes the connection.
func (p *process) wait() ending {
	<-p.done
	for _, f := range p.files {
		// wait may be called again, and closing twice is an error.
		_ = f.Close()
	}
	return p.ending
}

// countLog refuses Log frames that the helper does not send unless it is exploited: many
// small ones cost the host much more time than the helper.
func (p *process) countLog(body []byte) error {
	if p.logged += len(body); len(body) == 0 || p.logged > frame.MaxLogs {
		return &frame.Error{Reason: fmt.Sprintf("empty log, or more than %d bytes of logs", frame.MaxLogs)}
	}
	return nil
}

// bound sets the limits of the next request.
func (p *process) bound(cpu time.Duration, cpuLimit, memoryLimit error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.limitKernelCPU(cpu)
	}
	p.cpuLimit, p.memoryLimit = cpuLimit, memoryLimit
}

// finish records the end of the process: status says how it ended, reached is the limit
// for which the kernel ended it, and printed is the output of Go's runtime.
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

// maxPrinted bounds the output of the helper's runtime that is kept, in bytes.
const maxPrinted = 16 << 10

// readPrinted reads to the end, and keeps the first maxPrinted bytes.
func readPrinted(r io.Reader) []byte {
	printed, _ := io.ReadAll(io.LimitReader(r, maxPrinted))
	_, _ = io.Copy(io.Discard, r)
	return printed
}

// ranOutOfMemory reports whether the kernel refused memory to Go's runtime.
func ranOutOfMemory(printed []byte) bool {
	for _, words := range []string{"out of memory", "cannot allocate memory"} {
		if bytes.Contains(printed, []byte(words)) {
			return true
		}
	}
	return false
}

// fatalLine is the line with which Go's runtime reports the end of the program.
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
