package guard

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// Process is one entry of the system's list of processes.
type Process struct {
	PID, Parent, Group, Session int
	// Start tells processes apart that had the same PID, in clock ticks since boot.
	Start           uint64
	Zombie, Stopped bool
}

// Processes lists all processes that can be seen.
func Processes() []Process {
	var list []Process
	buf := make([]byte, 1024)
	for _, pid := range processIDs() {
		if p, ok := readStat(pid, buf); ok {
			list = append(list, p)
		}
	}
	return list
}

// Look returns one process.
func Look(pid int) (Process, bool) { return readStat(pid, make([]byte, 1024)) }

func processIDs() []int {
	dir, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	var names []string
	for buf := make([]byte, 32<<10); ; {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil || n <= 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func procFile(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

// readStat reads with bare system calls: the runtime's poller costs as much
// again for files that never block.
func readStat(pid int, buf []byte) (Process, bool) {
	fd, err := unix.Open(procFile(pid, "stat"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Process{}, false
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return Process{}, false
	}
	return ParseStat(buf[:n])
}

// ParseStat reads a line of /proc/PID/stat, see proc_pid_stat(5). The name of
// a program, in parentheses, may contain anything.
func ParseStat(line []byte) (Process, bool) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return Process{}, false
	}
	fields := bytes.Fields(line[end+1:])
	if len(fields) < 20 {
		return Process{}, false
	}
	state := string(fields[0])
	p := Process{Zombie: state == "Z" || state == "X", Stopped: state == "T"}
	ok := true
	number := func(field []byte) int {
		n, err := strconv.Atoi(string(field))
		ok = ok && err == nil
		return n
	}
	p.PID = number(bytes.TrimSpace(line[:open]))
	p.Parent, p.Group, p.Session = number(fields[1]), number(fields[2]), number(fields[3])
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	p.Start = start
	return p, ok && err == nil
}

// tasksOf counts the threads of a user's processes, which the system counts for a
// limit of processes. See proc_pid_status(5).
func tasksOf(user int) (count uint64) {
	for _, pid := range processIDs() {
		var owner, threads []byte
		for line := range bytes.Lines(readFile(procFile(pid, "status"))) {
			name, value, _ := bytes.Cut(line, []byte(":"))
			if fields := bytes.Fields(value); len(fields) > 0 {
				switch string(name) {
				case "Uid":
					owner = fields[0]
				case "Threads":
					threads = fields[0]
				}
			}
		}
		if n, err := strconv.ParseUint(string(threads), 10, 32); err == nil && string(owner) == strconv.Itoa(user) {
			count += n
		}
	}
	return count
}

// readFile is empty for a file that cannot be read.
func readFile(path string) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var data []byte
	for buf := make([]byte, 4096); ; {
		n, err := unix.Read(fd, buf)
		if err != nil || n <= 0 {
			return data
		}
		data = append(data, buf[:n]...)
	}
}

// Daemon is a program that may stay when its tree has ended. It is recognised by its
// file and all its arguments, and must lead a process group.
type Daemon struct {
	// Program is the file that must run, absolute.
	Program string
	// Args are all arguments without Argv[0].
	Args []string
}

// Matches reports whether a process is this daemon.
func (d Daemon) Matches(p Process) bool {
	if p.Group != p.PID {
		return false
	}
	_, args, ok := bytes.Cut(readFile(procFile(p.PID, "cmdline")), []byte{0})
	if !ok {
		return false
	}
	want := ""
	for _, arg := range d.Args {
		want += arg + "\x00"
	}
	if string(args) != want {
		return false
	}
	// The name that a process gives itself does not say which file it runs.
	var program, runs unix.Stat_t
	return unix.Stat(d.Program, &program) == nil && unix.Stat(procFile(p.PID, "exe"), &runs) == nil &&
		program.Dev == runs.Dev && program.Ino == runs.Ino
}
