package bench_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memory measures the memory of all processes of ours together. It does so in runs of its
// own, since to look takes time from the processes.
func (m *measurement) memory() {
	dir := m.project("true")
	m.t.Logf("memory, %d runs", 1+rounds)
	var most shares
	var looks int
	var took time.Duration
	for round := range 1 + rounds {
		start := time.Now()
		peak, n := m.peak(dir, "dev", "--no-replay")
		if round == 0 { // compiles the module
			continue
		}
		looks, took = looks+n, took+time.Since(start)
		if peak.sum() > most.sum() {
			most = peak
		}
	}
	m.atMost("peak memory, all our processes together, warm", float64(most.sum())/1e6, 100, "%.0f MB",
		fmt.Sprintf("(%s; looked at every %s)", most, (took/time.Duration(looks)).Round(100*time.Microsecond)))
}

// shares are the bytes of each process at one moment, by the name of its program.
type shares map[string]int64

func (s shares) sum() (sum int64) {
	for _, bytes := range s {
		sum += bytes
	}
	return sum
}

func (s shares) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, fmt.Sprintf("%s %.0f", name, float64(s[name])/1e6))
	}
	return strings.Join(parts, ", ")
}

// peak runs stagecraft, and looks at its memory and that of its helpers as often as it
// can. It returns the most, and how often it looked.
func (m *measurement) peak(dir string, args ...string) (most shares, looks int) {
	cmd := m.command(dir, m.cache, m.program, args...)
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				m.t.Fatal(err)
			}
			return most, looks
		default:
			now, err := memoryOf(cmd.Process.Pid)
			if err != nil {
				m.t.Fatal(err)
			}
			if looks++; now.sum() > most.sum() {
				most = now
			}
		}
	}
}

// memoryOf looks at a process and at its descendants that execute from memory, which are
// our helpers. Of each it takes what the process has alone and its part of what it shares
// with others, and of each memory file all.
func memoryOf(root int) (shares, error) {
	used, counted := shares{}, map[uint64]bool{} // the inodes of memory files
	for _, pid := range append([]int{root}, descendants(root)...) {
		proc := fmt.Sprintf("/proc/%d/", pid)
		program, _ := os.Readlink(proc + "exe")
		if pid != root && !strings.HasPrefix(program, memoryFile) {
			continue
		}
		own, err := mapped(proc + "smaps_rollup")
		if err != nil {
			return nil, err
		}
		used[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(program), "memfd:"), " (deleted)")] += own
		open, _ := filepath.Glob(proc + "fd/*")
		for _, file := range append(open, proc+"exe") {
			var stat syscall.Stat_t
			if target, _ := os.Readlink(file); strings.HasPrefix(target, memoryFile) && syscall.Stat(file, &stat) == nil && !counted[stat.Ino] {
				counted[stat.Ino] = true
				used["memory files"] += stat.Blocks * 512
			}
		}
	}
	return used, nil
}

// memoryFile begins the name of each memory file.
const memoryFile = "/memfd:"

// descendants returns the processes below another one, as far as they still run.
func descendants(pid int) (all []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(append(all, child), descendants(child)...)
			}
		}
	}
	return all
}

// mapped reads the memory of a process, without that of memory files; zero if the
// process has ended.
func mapped(rollup string) (used int64, err error) {
	text, err := os.ReadFile(rollup)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if fields[0] != "Pss:" && fields[0] != "Pss_Shmem:" {
			continue
		}
		kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0, err
		}
		if fields[0] == "Pss:" {
			used += kilobytes << 10
		} else {
			used -= kilobytes << 10
		}
	}
	return used, nil
}
