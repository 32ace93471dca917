package process

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// open opens a command's program and directory, as they are decided on.
func (c *Command) open(t *testing.T) {
	t.Helper()
	x, err := OpenExecutable(c.Program)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := OpenDirectory(c.Dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = x.Close(), dir.Close() })
	c.Executable, c.Directory = x, dir
}

// writeFile makes a program of the text.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// exchange exchanges two names, where the file system can.
func exchange(t *testing.T, one, two string) {
	t.Helper()
	err := unix.Renameat2(unix.AT_FDCWD, one, unix.AT_FDCWD, two, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) {
		t.Skipf("the file system of %s exchanges no names: set TMPDIR", filepath.Dir(one))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSwappedProgram puts another file in the place of a script that was decided
// on, in all the ways that there are, and wants the other never to run.
func TestSwappedProgram(t *testing.T) {
	for name, swap := range map[string]string{
		"another file":      `cp "$0" other; echo 'touch ran' >>other; mv other "$0"`,
		"another link":      `cp "$0" other; echo 'touch ran' >>other; ln -sf other link`,
		"written to":        `echo 'touch ran' >>"$0"`,
		"of the same size":  `sed -i s/true/false/ "$0"; printf '#!/bin/sh\ntouch ran\n' >"$0"`,
		"with its old time": `cp -p "$0" other; echo 'touch ran' >"$0"; touch -r other "$0"`,
		"gone":              `rm "$0"`,
	} {
		for _, pinned := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				c := shell(t, "")
				real := filepath.Join(c.Dir, "program")
				c.Program, c.Argv, c.Pinned = filepath.Join(c.Dir, "link"), []string{"program"}, pinned
				writeFile(t, real, "#!/bin/sh\ntrue\n")
				if err := os.Symlink("program", c.Program); err != nil {
					t.Fatal(err)
				}
				c.open(t)
				other := shell(t, "")
				other.Dir, other.Argv = c.Dir, []string{"sh", "-c", swap, real}
				if res := run(t, other); res.ExitCode != 0 {
					t.Fatal(res)
				}
				_, err := Run(testContext(t), c)
				switch {
				case pinned && name == "another link":
					// The file itself was left alone.
					if err != nil {
						t.Error(err)
					}
				case err == nil:
					t.Error("it was run")
				case (pinned || name != "gone") && !strings.Contains(err.Error(), "the file has changed since it was decided on"):
					t.Errorf("got %v", err)
				}
				if _, err := os.Stat(filepath.Join(c.Dir, "ran")); err == nil {
					t.Error("the other one was run")
				}
			})
		}
	}
}

// TestProgramByDescriptor: programs and pinned scripts run by descriptor. A script that is
// not pinned keeps its path, by which it finds itself.
func TestProgramByDescriptor(t *testing.T) {
	const script = "#!/bin/sh\necho \"$0\"; readlink -f \"$0\"; ls /proc/self/fd\n"
	for _, tt := range []struct {
		name   string
		pinned bool
		want   string
	}{
		{"binary", false, "PROGRAM\n0\n1\n2\n3\n"},
		{"binary", true, "PROGRAM\n0\n1\n2\n3\n"},
		{"script", false, "PROGRAM\nPROGRAM\n0\n1\n2\n3\n"},
		{"script", true, "/proc/self/fd/4\nPROGRAM\n0\n1\n2\n3\n4\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := shell(t, "")
			c.Program, c.Argv, c.Pinned = filepath.Join(c.Dir, "program"), []string{"program"}, tt.pinned
			if tt.name == "script" {
				writeFile(t, c.Program, script)
			} else {
				data, err := os.ReadFile("/bin/sh")
				if err != nil {
					t.Fatal(err)
				}
				writeFile(t, c.Program, string(data))
				c.Argv = []string{"program", "-c", "grep -qE '^[0-9]+$' /proc/$$/comm && readlink /proc/$$/exe; ls /proc/self/fd"}
			}
			c.open(t)
			output := expect("-")
			c.Stdout = output
			if res := run(t, c); res.ExitCode != 0 || output.String() != strings.ReplaceAll(tt.want, "PROGRAM", c.Program) {
				t.Errorf("got %+v, %q", res, output)
			}
		})
	}
}

// TestSwappedUnderRules: what a command is confined to allows its own program by
// the file, and nothing that has taken its place.
func TestSwappedUnderRules(t *testing.T) {
	c := shell(t, "")
	c.Program, c.Argv, c.Pinned = filepath.Join(c.Dir, "program"), []string{"program", "program"}, true
	writeFile(t, c.Program, "#!/bin/sh\ncat \"$1\"\n")
	c.open(t)
	c.Confine = basis(t)
	other := filepath.Join(c.Dir, "other")
	writeFile(t, other, "secret")
	exchange(t, c.Program, other)
	var err error
	if c.Executable.is, err = identify(int(c.Executable.file.Fd())); err != nil {
		t.Fatal(err)
	}
	output, failed := expect("-"), expect("-")
	c.Stdout, c.Stderr = output, failed
	if res := run(t, c); res.ExitCode != 1 || output.String() != "" || !strings.Contains(failed.String(), "ermission denied") {
		t.Errorf("got %+v, %q, %q", res, output, failed)
	}
}

// TestNative distinguishes native programs from interpreted ones.
func TestNative(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	foreign := "\x7fELF" + string(self[4:18]) + "\xff\xff" + string(self[20:64])
	for text, want := range map[string]bool{string(self[:64]): true, foreign: false, "\x7fELF": false, "#!/bin/sh\n": false, "": false} {
		path := filepath.Join(t.TempDir(), "program")
		writeFile(t, path, text)
		x, err := OpenExecutable(path)
		if err != nil {
			t.Fatal(err)
		}
		if x.native != want {
			t.Errorf("%q is native: %v", text, x.native)
		}
		_ = x.Close()
	}
}

// TestPathOfExecutable is where the file is by now, by no link.
func TestPathOfExecutable(t *testing.T) {
	c := shell(t, "")
	real, link, moved := filepath.Join(c.Dir, "a (deleted)"), filepath.Join(c.Dir, "link"), filepath.Join(c.Dir, "b")
	writeFile(t, real, "#!/bin/sh\n")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	c.Program = link
	c.open(t)
	wants := func(want string) {
		t.Helper()
		if got, err := c.Executable.Path(); got != want || err != nil {
			t.Errorf("it is at %q, %v, want %q", got, err, want)
		}
	}
	wants(real)
	if err := os.Rename(real, moved); err != nil {
		t.Fatal(err)
	}
	wants(moved)
	if err := os.Remove(moved); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Executable.Path(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is at %q, %v", got, err)
	}
}

// TestNoExecutable: only regular files are opened, and opening does not wait.
func TestNoExecutable(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "is not a regular file", pipe: "is not a regular file", filepath.Join(dir, "none"): "no such file"} {
		if _, err := OpenExecutable(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSwappedDirectory: a directory that was opened is the one that is entered,
// and one that has a link in its place is not opened. The kernel's way and the one
// for older kernels are both tried.
func TestSwappedDirectory(t *testing.T) {
	c := shell(t, "pwd -P; cat name")
	root := c.Dir
	for _, name := range []string{"in", "other"} {
		if err := os.MkdirAll(filepath.Join(root, name, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(root, name, "sub", "name"), name)
	}
	dir, err := OpenDirectory(root, "in/sub")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	exchange(t, filepath.Join(root, "in"), filepath.Join(root, "other"))
	output := expect("-")
	c.Dir, c.Directory, c.Stdout = filepath.Join(root, "in", "sub"), dir, output
	if res := run(t, c); res.ExitCode != 0 || output.String() != filepath.Join(root, "other", "sub")+"\nin" {
		t.Errorf("got %+v, %q", res, output)
	}
	for link, to := range map[string]string{"link": "other", "out": t.TempDir()} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
		for _, rel := range []string{link, link + "/sub"} {
			wantNoDirectory(t, root, rel)
		}
	}
	wantNoDirectory(t, root, "in/sub/name")
}

func wantNoDirectory(t *testing.T, root, rel string) {
	t.Helper()
	if _, err := OpenDirectory(root, rel); err == nil {
		t.Errorf("%s was opened", rel)
	}
	at, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(at)
	if _, err := walk(at, rel, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC); err == nil {
		t.Errorf("%s was walked to", rel)
	}
}
