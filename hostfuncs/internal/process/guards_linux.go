package process

import (
	"bufio"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
	"github.com/stagecraft-dev/stagecraft/internal/memfile"
)

// Guards starts the guards of commands, and keeps idle ones. Nil Guards start each from
// our own program, for one command.
type Guards struct {
	// program is the program of package guard, empty for our own. file is a sealed memory
	// file with it, nil until it is needed.
	program []byte
	file    *os.File
	// idle are guards without a command: started ahead of it, or left by an earlier one.
	idle   []*guardProcess
	closed bool
}

// NewGuards returns guards that are started from the program of package guard, or from
// our own program if that is empty. They have to be closed.
func NewGuards(program []byte) *Guards { return &Guards{program: program} }

// Guard runs this process as a guard, and does not return, if it was started as one.
func Guard() {
	if len(os.Args) > 0 && os.Args[0] == guard.Name {
		os.Exit(guard.Main())
	}
}

// Our own program must start fast as a guard, and the rest of it takes a hundred times as
// long to initialise, so this runs first. See RATIONALE.md, "Why is the guard a program of
// its own?".
func init() { Guard() }

// guardProcess is our side of a guard.
type guardProcess struct {
	process *os.Process
	line    *os.File
	from    *received
	in      *bufio.Reader // reads from it
}

// Ahead starts a guard for the next command, unless one is idle.
func (g *Guards) Ahead() {
	if g == nil {
		return
	}
	orphans.mu.Lock()
	defer orphans.mu.Unlock()
	if len(g.idle) > 0 || g.closed {
		return
	}
	orphans.begin()
	// The next command reports an error.
	if p, err := g.start(false); err == nil {
		g.idle = append(g.idle, p)
		orphans.children[p.process.Pid] = true
	}
}

// Close ends the idle guards.
func (g *Guards) Close() {
	orphans.mu.Lock()
	defer orphans.mu.Unlock()
	for _, p := range g.idle {
		p.end()
	}
	if g.file != nil {
		g.file.Close()
	}
	g.idle, g.file, g.program, g.closed = nil, nil, nil, true
}

// end ends a guard that has no command. The lock of the orphans is held. The guard is
// killed first: when its line ends, it looks for processes of a command.
func (p *guardProcess) end() {
	_ = p.process.Kill()
	p.line.Close()
	_, _ = p.process.Wait()
	delete(orphans.children, p.process.Pid)
}

// leave keeps a guard that has nothing left of its command for the next one, and
// reports whether it did.
func (g *Guards) leave(p *guardProcess) bool {
	if g == nil {
		return false
	}
	orphans.mu.Lock()
	defer orphans.mu.Unlock()
	if !g.closed {
		g.idle = append(g.idle, p)
	}
	return !g.closed
}

// take returns a guard for a command. The lock of the orphans is held.
func (g *Guards) take() (*guardProcess, error) {
	for g != nil && len(g.idle) > 0 {
		last := len(g.idle) - 1
		p := g.idle[last]
		g.idle = g.idle[:last]
		if pid, err := peek(unix.P_PID, p.process.Pid, unix.WEXITED); err == nil && pid == 0 {
			return p, nil
		}
		p.end() // it was killed
	}
	return g.start(false)
}

// start starts a guard from the memory file, or from our own program. With leads it
// leads a session, which can get a terminal. The lock of the orphans is held.
func (g *Guards) start(leads bool) (*guardProcess, error) {
	if g == nil {
		g = new(Guards)
	}
	if len(g.program) > 0 && g.file == nil {
		var err error
		if g.file, err = memfile.New(guard.Name, g.program); err != nil {
			g.program = nil // an old kernel, or vm.memfd_noexec=2
		}
	}
	if g.file != nil {
		if p, err := startGuard(memfile.Path(guard.Line+1), g.file, leads); err == nil {
			return p, nil
		}
		// Memory files may not be executed here.
		g.file.Close()
		g.file, g.program = nil, nil
	}
	return startGuard("/proc/self/exe", nil, leads)
}

// startGuard starts the program at a path, which may be that of the memory file in the
// child.
func startGuard(path string, memory *os.File, leads bool) (*guardProcess, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	line, far, err := openLine()
	if err != nil {
		return nil, err
	}
	defer far.Close()
	// With our PID a list of processes shows whose guard it is.
	process, err := os.StartProcess(path, []string{guard.Name, strconv.Itoa(os.Getpid())}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{null, null, null, far, memory},
		// Neither the terminal nor a kill of our group may reach it.
		Sys: &syscall.SysProcAttr{Setpgid: !leads, Setsid: leads},
	})
	if err != nil {
		line.Close()
		return nil, err
	}
	from := &received{line: line}
	return &guardProcess{process, line, from, bufio.NewReader(from)}, nil
}

// openLine returns both ends of a connection: ours, which can be closed while it is
// read, and the guard's.
func openLine() (near, far *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	if err := unix.SetNonblock(ends[0], true); err != nil {
		_ = unix.Close(ends[0])
		_ = unix.Close(ends[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(ends[0]), "guard"), os.NewFile(uintptr(ends[1]), "line"), nil
}
