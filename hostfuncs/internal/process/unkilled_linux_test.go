package process

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// TestRunReportsWhatItCouldNotEnd: the driver is the user nobody, and a process of its tree
// has become root.
func TestRunReportsWhatItCouldNotEnd(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a program that becomes root")
	}
	dir := t.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	if fs.Flags&unix.ST_NOSUID != 0 {
		t.Skipf("no program becomes root in %s, which is mounted with nosuid: set TMPDIR", dir)
	}
	plain, rooted := copySelf(t, dir, "plain", 0o755), copySelf(t, dir, "rooted", 0o755|os.ModeSetuid)
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: 0o755, fifo: 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	r, w := openPipe(t)
	script := helperVar + `=become "$0" >` + fifo + ` 3>&- & read ready <` + fifo + `; exit 3`
	cmd := exec.Command(plain, "0s", "/bin/sh", "-c", script, rooted)
	word := markVar + "=" + mark(t)
	cmd.Env, cmd.Dir, cmd.Stderr = []string{helperVar + "=drive", word}, dir, os.Stderr
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var d driven
	if err := json.NewDecoder(r).Decode(&d); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if d.Result.Left != 1 || !d.Result.Killed || d.Result.ExitCode != 3 || d.Err != "" {
		t.Errorf("got %+v", d)
	}
	for _, pid := range marked(word) {
		finish(pid)
	}
}

func copySelf(t *testing.T, dir, name string, mode os.FileMode) string {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	path := filepath.Join(dir, name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(file, self)
	if closeErr := file.Close(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}
