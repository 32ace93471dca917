package confine

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watchRole starts its arguments as a watched program, and prints what that used of its
// own directory, of the one beside it, and of ports.
func watchRole() int {
	_ = os.Setenv(roleVar, "confined")
	restrictions, err := PrepareWatch()
	if err != nil {
		fmt.Println("watch:", err)
		return 90
	}
	// Reported before the program goes on, so before it has ended.
	var mu sync.Mutex
	var uses []string
	code := startRestricted(restrictions, nil, func(listener *os.File) {
		NewWatch(listener).Serve(func(u Use) {
			mu.Lock()
			defer mu.Unlock()
			uses = append(uses, shown(u))
		}, func() {})
	})
	mu.Lock()
	defer mu.Unlock()
	uses = slices.DeleteFunc(uses, func(u string) bool { return u == "" })
	fmt.Println("used: " + strings.Join(uses, ", "))
	return code
}

// shown is a use without the place that a test has, empty for one of what every
// program uses.
func shown(u Use) string {
	if u.Path == "" {
		return fmt.Sprintf("%c %d", u.Kind, u.Port)
	}
	dir, _ := os.Getwd()
	rel, err := filepath.Rel(filepath.Dir(dir), u.Path)
	if err != nil || rel != "in" && rel != "out" && !strings.HasPrefix(rel, "in/") && !strings.HasPrefix(rel, "out/") {
		return ""
	}
	return fmt.Sprintf("%c %s", u.Kind, rel)
}

// tryRaw makes a system call. Of its arguments, @TEXT is a pointer to a text, and
// #NUMBER one to three numbers of which it is the first.
func tryRaw(a []string) error {
	var args [6]uintptr
	var kept []any
	for i, s := range a[1:] {
		switch s[0] {
		case '@':
			text := append([]byte(s[1:]), 0)
			args[i], kept = uintptr(unsafe.Pointer(&text[0])), append(kept, text)
		case '#':
			numbers := []uint64{uint64(number(s[1:])), 0, 0}
			args[i], kept = uintptr(unsafe.Pointer(&numbers[0])), append(kept, numbers)
		default:
			args[i] = uintptr(number(s))
		}
	}
	_, _, errno := unix.Syscall6(uintptr(number(a[0])), args[0], args[1], args[2], args[3], args[4], args[5])
	runtime.KeepAlive(kept)
	if errno != 0 {
		return errno
	}
	return nil
}

// raw is what tryRaw takes.
func raw(call uintptr, args ...any) []string {
	words := []string{"raw", strconv.Itoa(int(call))}
	for _, a := range args {
		words = append(words, fmt.Sprint(a))
	}
	return words
}

// watchedCase is a call, and what a watch reports of it.
type watchedCase struct {
	name string
	argv []string
	want string
}

const here = unix.AT_FDCWD

var watchedCases = []watchedCase{
	{"openat", raw(unix.SYS_OPENAT, here, "@mine", unix.O_RDONLY), "r in/mine"},
	{"openat to write", raw(unix.SYS_OPENAT, here, "@mine", unix.O_WRONLY), "w in/mine"},
	{"openat to read and write", raw(unix.SYS_OPENAT, here, "@mine", unix.O_RDWR), "w in/mine"},
	{"openat to cut off", raw(unix.SYS_OPENAT, here, "@mine", unix.O_TRUNC), "w in/mine"},
	{"openat to make, where there is one", raw(unix.SYS_OPENAT, here, "@mine", unix.O_CREAT|unix.O_WRONLY, 0o600), "w in/mine"},
	{"openat to make", raw(unix.SYS_OPENAT, here, "@sub/new", unix.O_CREAT|unix.O_WRONLY, 0o600), "m in/sub"},
	{"openat of a directory", raw(unix.SYS_OPENAT, here, "@sub", unix.O_RDONLY), "l in/sub"},
	{"openat of a name in a directory that is a file", raw(unix.SYS_OPENAT, here, "@mine/x", unix.O_CREAT), ""},
	{"openat of a missing file", raw(unix.SYS_OPENAT, here, "@gone", unix.O_RDONLY), ""},
	{"openat in a missing directory", raw(unix.SYS_OPENAT, here, "@gone/x", unix.O_CREAT|unix.O_WRONLY, 0o600), ""},
	{"openat of a place alone", raw(unix.SYS_OPENAT, here, "@mine", unix.O_PATH), ""},
	{"openat of nothing", raw(unix.SYS_OPENAT, here, "@", unix.O_RDONLY), ""},
	{"openat of unmapped memory", raw(unix.SYS_OPENAT, here, 1, unix.O_RDONLY), ""},
	{"openat by a way", raw(unix.SYS_OPENAT, here, "@sub/.././/../in/mine", unix.O_RDONLY), "r in/mine"},
	{"openat by a link", raw(unix.SYS_OPENAT, here, "@link/secret", unix.O_RDONLY), "r out/secret"},
	{"openat of a link", raw(unix.SYS_OPENAT, here, "@link", unix.O_RDONLY|unix.O_NOFOLLOW), ""},
	{"openat to make what a link leads to", raw(unix.SYS_OPENAT, here, "@dangling", unix.O_CREAT|unix.O_WRONLY, 0o600), "m out"},
	{"openat of a link to itself", raw(unix.SYS_OPENAT, here, "@loop", unix.O_CREAT|unix.O_WRONLY, 0o600), ""},
	{"openat by one's own directory", raw(unix.SYS_OPENAT, here, "@/proc/self/cwd/mine", unix.O_RDONLY), "r in/mine"},
	{"openat by one's own thread", raw(unix.SYS_OPENAT, here, "@/proc/thread-self/cwd/mine", unix.O_RDONLY), "r in/mine"},
	{"openat of a stream", raw(unix.SYS_OPENAT, here, "@/dev/stdout", unix.O_WRONLY), ""},
	{"openat of a nameless file", raw(unix.SYS_OPENAT, here, "@sub", unix.O_TMPFILE|unix.O_WRONLY, 0o600), "m in/sub"},
	{"openat seen from a directory", []string{"seen-from", "sub", "../mine"}, "l in/sub, r in/mine"},
	{"openat2", raw(unix.SYS_OPENAT2, here, "@mine", fmt.Sprintf("#%d", unix.O_WRONLY), 24), "w in/mine"},
	{"execve", raw(unix.SYS_EXECVE, "@../out/tool", 0, 0), "r out/tool"},
	{"execveat", raw(unix.SYS_EXECVEAT, here, "@../out/tool", 0, 0, 0), "r out/tool"},
	{"execve of a directory", raw(unix.SYS_EXECVE, "@sub", 0, 0), ""},
	{"execve of a script", raw(unix.SYS_EXECVE, "@script", 0, 0), "r in/script, r in/mine"},
	{"truncate", raw(unix.SYS_TRUNCATE, "@mine", 0), "w in/mine"},
	{"mkdirat", raw(unix.SYS_MKDIRAT, here, "@sub/new", 0o700), "d in/sub/new"},
	{"mkdirat, where there is one", raw(unix.SYS_MKDIRAT, here, "@sub", 0o700), ""},
	{"mknodat", raw(unix.SYS_MKNODAT, here, "@sub/new", unix.S_IFIFO|0o600, 0), "m in/sub"},
	{"symlinkat", raw(unix.SYS_SYMLINKAT, "@x", here, "@sub/new"), "m in/sub"},
	{"unlinkat", raw(unix.SYS_UNLINKAT, here, "@../out/secret", 0), "m out"},
	{"unlinkat of a directory", raw(unix.SYS_UNLINKAT, here, "@sub", unix.AT_REMOVEDIR), "m in"},
	{"unlinkat of a link", raw(unix.SYS_UNLINKAT, here, "@link", 0), "m in"},
	{"unlinkat of nothing", raw(unix.SYS_UNLINKAT, here, "@gone", 0), ""},
	{"linkat", raw(unix.SYS_LINKAT, here, "@mine", here, "@sub/new", 0), "m in/sub, m in"},
	{"linkat in one directory", raw(unix.SYS_LINKAT, here, "@mine", here, "@new", 0), "m in"},
	{"renameat2", raw(unix.SYS_RENAMEAT2, here, "@mine", here, "@sub/new", 0), "m in, m in/sub"},
	{"renameat2 of nothing", raw(unix.SYS_RENAMEAT2, here, "@gone", here, "@sub/new", 0), ""},
	{"connect", []string{"tcp", "9"}, "c 9"},
	{"bind", []string{"bind", "0"}, "b 0"},
	{"connect by UDP", []string{"udp", "53"}, "u 53"},
	{"connect by UDP to oneself", []string{"udp", "9"}, ""},
	{"connect to a missing socket", []string{"unix", "gone"}, ""},
	{"connect to a file", []string{"unix", "mine"}, ""},
	{"twice", []string{"twice", "mine"}, "r in/mine"},
	{"a thread's", []string{"by-thread", "mine"}, "r in/mine"},
}

// TestWatch: each use is reported once, before the call is made.
func TestWatch(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		for _, tt := range slices.Concat(watchedCases, archWatchedCases) {
			t.Run(tt.name, func(t *testing.T) {
				p.lay(t)
				p.write(t, filepath.Join(p.in, "script"), "#! "+filepath.Join(p.in, "mine")+" -x\n", 0o755)
				for name, target := range map[string]string{"link": "../out", "dangling": "../out/new", "loop": "loop"} {
					must(t, os.Symlink(target, filepath.Join(p.in, name)))
				}
				cmd := p.command(t, Rules{}, guards{}, append([]string{p.self}, tt.argv...)...)
				cmd.Env = append(cmd.Env, roleVar+"=watch")
				out, err := cmd.Output()
				lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
				if got := lines[len(lines)-1]; got != "used: "+tt.want {
					t.Errorf("got %q, %v, want %s", out, err, tt.want)
				}
			})
		}
	})
}

// TestWatchAll: no watched call is without a test.
func TestWatchAll(t *testing.T) {
	tested := map[uintptr]bool{unix.SYS_CONNECT: true, unix.SYS_BIND: true}
	for _, tt := range slices.Concat(watchedCases, archWatchedCases) {
		if tt.argv[0] == "raw" {
			tested[uintptr(number(tt.argv[1]))] = true
		}
	}
	for call := range watched {
		if !tested[call] {
			t.Errorf("call %d has no test", call)
		}
	}
}

// TestWatchBound: the number of reported uses is bounded, and more is called once.
func TestWatchBound(t *testing.T) {
	w := Watch{seen: make(map[Use]bool)}
	reported, more := 0, 0
	for i := range MaxUses + 3 {
		for range 2 {
			w.report(Use{Kind: UseRead, Path: strconv.Itoa(i)}, func(Use) { reported++ }, func() { more++ })
		}
	}
	if reported != MaxUses || more != 1 {
		t.Errorf("reported %d uses, and %d times more", reported, more)
	}
}
