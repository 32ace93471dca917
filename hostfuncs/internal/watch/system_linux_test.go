package watch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestLimits: where a limit of inotify is reached, files are compared from time to time,
// and one warning names the limit.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		limit, value, warns string
	}{
		{"max_inotify_watches", "5", "fs.inotify.max_user_watches"},
		{"max_inotify_instances", "0", "fs.inotify.max_user_instances"},
		{"max_inotify_watches", "12", "fs.inotify.max_user_watches"}, // later, by a new directory
	} {
		t.Run(tt.limit+tt.value, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe", "-test.run", "^TestWithLimit$", "-test.v")
			cmd.Env = append(os.Environ(), limitVariable+"="+tt.limit+" "+tt.value+" "+tt.warns)
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  unix.CLONE_NEWUSER,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
			}
			out, err := cmd.CombinedOutput()
			switch {
			case strings.Contains(string(out), "--- SKIP") || err != nil && len(out) == 0:
				t.Skipf("no user namespace with its own limits: %v %s", err, out)
			case err != nil || !strings.Contains(string(out), "--- PASS"):
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

const limitVariable = "STAGECRAFT_TEST_INOTIFY_LIMIT"

// TestWithLimit is run by TestLimits in a user namespace of its own.
func TestWithLimit(t *testing.T) {
	limit := strings.Fields(os.Getenv(limitVariable))
	if len(limit) == 0 {
		return
	}
	if err := os.WriteFile("/proc/sys/user/"+limit[0], []byte(limit[1]), 0); err != nil {
		t.Skip(err)
	}
	p := newProject(t)
	for i := range 9 {
		p.mkdir(fmt.Sprintf("src/%d", i))
	}
	w := p.watch("src/**")
	p.write("src/1/a", "new")
	p.write("src/new/b/c", "new")
	p.want(w, "src/1/a", "src/new/b/c")
	p.remove("src/new")
	p.rename("src/1", "src/2/1")
	p.want(w, "src/1/a", "src/2/1/a", "src/new/b/c")
	if got := p.warned(); len(got) != 1 || !strings.Contains(got[0], limit[2]) {
		t.Errorf("warned %q", got)
	}
	w.Close()
	if got := notifiers(t); len(got) > 0 {
		t.Errorf("open: %q", got)
	}
}

// notifiers lists our descriptors of inotify.
func notifiers(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(descriptors(t), func(what string) bool { return !strings.Contains(what, "inotify") })
}

func descriptors(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			all = append(all, to)
		}
	}
	return all
}

// TestCloseLeavesNothing counts descriptors, also of a watch that fell back.
func TestCloseLeavesNothing(t *testing.T) {
	p := newProject(t, "src/a/b", "src/c", "lib/d")
	p.link("../lib", "src/l")
	before := len(descriptors(t))
	for range 20 {
		w := p.watch("src/**")
		if len(notifiers(t)) != 1 {
			t.Fatal("no inotify descriptor is open, so none can be left")
		}
		p.write("src/e/f", "")
		p.changes(w)
		p.remove("src/e")
		w.Close()
		w.Close()
	}
	if after := descriptors(t); len(after) > before {
		t.Errorf("%d descriptors were open, now %q", before, after)
	}
}

// TestSwappedForALink exchanges a directory for a link to one outside, again and again,
// while it is added: nothing outside is reported, or watched in the end.
func TestSwappedForALink(t *testing.T) {
	p := newProject(t, "src/dir/inside/file")
	dir := outside(t)
	p.must(os.MkdirAll(filepath.Join(dir, "inside"), 0o755))
	w := p.still("src/**")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 2000 {
			p.rename("src/dir", "moved")
			p.link(dir, "src/dir")
			p.must(os.WriteFile(filepath.Join(dir, "inside", fmt.Sprint("outside", i)), nil, 0o600))
			p.remove("src/dir")
			p.rename("moved", "src/dir")
		}
	}()
	check := func() {
		for name := range w.tree.changes {
			if strings.Contains(name, "outside") || strings.Contains(name, "secret") {
				t.Fatalf("reported %s", name)
			}
		}
	}
	for running := true; running; {
		select {
		case <-w.tree.events.wake:
			w.tree.follow()
			check()
		case <-done:
			running = false
		}
	}
	p.follow(w)
	check()
	want, got := 5, inotifyWatches(t)
	if len(got) != want {
		t.Errorf("%d directories are watched, want %d: %q", len(got), want, got)
	}
	for _, in := range []string{dir, filepath.Join(dir, "inside")} {
		var s unix.Stat_t
		p.must(unix.Stat(in, &s))
		if slices.Contains(got, fmt.Sprintf("ino:%x", s.Ino)) {
			t.Errorf("%s is watched", in)
		}
	}
	p.write("src/dir/inside/file", "new")
	if got := p.reported(w); !slices.Contains(got.Paths, "src/dir/inside/file") {
		t.Errorf("got %q", got.Paths)
	}
}

// inotifyWatches lists what the only descriptor of inotify watches, by inode.
// https://man7.org/linux/man-pages/man5/proc_pid_fdinfo.5.html
func inotifyWatches(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		data, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
		if err != nil {
			continue // the descriptor of the listing
		}
		for line := range strings.Lines(string(data)) {
			if strings.HasPrefix(line, "inotify ") {
				all = append(all, strings.Fields(line)[2])
			}
		}
	}
	return all
}

// TestPipes: a pipe or socket is not a file, and nobody waits for its other end.
func TestPipes(t *testing.T) {
	p := newProject(t, "src/a", "src/dir/b")
	p.must(unix.Mkfifo(p.abs("src/pipe"), 0o600))
	p.link("pipe", "src/link")
	w := p.still("src/**")
	p.must(unix.Mkfifo(p.abs("src/other"), 0o600))
	p.remove("src/pipe")
	if got := p.reported(w); len(got.Paths) > 0 && !slices.Equal(got.Paths, []string{"src/link"}) {
		t.Errorf("got %q", got.Paths)
	}
	p.remove("src/dir")
	p.must(unix.Mkfifo(p.abs("src/dir"), 0o600))
	p.remove("src/a")
	p.must(unix.Mkfifo(p.abs("src/a"), 0o600))
	if got := p.reported(w); !slices.Equal(got.Paths, []string{"src/a", "src/dir/b"}) {
		t.Errorf("got %q", got.Paths)
	}
}

// TestRemote: file systems of other machines report no changes made there.
func TestRemote(t *testing.T) {
	if name := remote("/proc"); name != "" {
		t.Errorf("/proc is %q", name)
	}
	if remotes[unix.NFS_SUPER_MAGIC] != "nfs" {
		t.Error("nfs is not remote")
	}
}

// TestOverflow: if more happens than the system queues, all files are looked at.
func TestOverflow(t *testing.T) {
	p := newProject(t, "src/a")
	w := p.still("src/**")
	p.must(os.WriteFile(p.abs("src/a"), []byte("new"), 0o600))
	<-w.tree.events.wake
	e := w.tree.events
	e.mu.Lock()
	clear(e.hints.written)
	e.hints.lost = true
	e.mu.Unlock()
	w.tree.follow()
	if w.tree.changes["src/a"] == nil {
		t.Error("not found")
	}
}

// TestManyFiles watches 50,000 files.
func TestManyFiles(t *testing.T) {
	providertest.Long(t)
	p := newProject(t)
	for i := range 50_000 {
		p.write(fmt.Sprintf("src/%03d/%02d/%02d.js", i/500, i/25%20, i%25), "")
	}
	w := p.watch("src/**")
	p.write("src/070/07/07.js", "new")
	p.rename("src/099", "src/100")
	p.remove("src/100")
	p.write("src/099/new", "")
	all := p.changes(w)
	for _, want := range []string{"src/070/07/07.js", "src/099/00/00.js"} {
		if !slices.Contains(all, want) {
			t.Errorf("got %q", all)
		}
	}
	if got := p.warned(); len(got) > 0 {
		t.Errorf("warned %q", got)
	}
}
