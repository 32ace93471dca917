package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestProgramsFindThemselves runs programs by their descriptors: what they say of
// themselves, and find beside themselves, is what they do when run by their paths.
func TestProgramsFindThemselves(t *testing.T) {
	for _, argv := range [][]string{
		{"sh", "-c", "echo $0; readlink /proc/$$/exe"},
		{"bash", "-c", "echo $BASH"},
		{"busybox", "sh", "-c", "busybox basename /a/b"},
		{"git", "--exec-path"},
		{"go", "env", "GOROOT"},
		{"java", "-XshowSettings:properties", "-version"},
		{"node", "-p", "[process.execPath, process.argv0, require('os').constants.signals.SIGINT]"},
		{"npm", "--version"},
		{"perl", "-e", "print $^X, join(':', @INC)"},
		{"postgres", "--version"},
		{"python3", "-c", "import sys, json; print(sys.executable, sys.prefix, sys.argv)"},
	} {
		t.Run(argv[0], func(t *testing.T) {
			path, err := exec.LookPath(argv[0])
			if err != nil {
				t.Skip(err)
			}
			if path, err = filepath.Abs(path); err != nil {
				t.Fatal(err)
			}
			c := shell(t, "")
			c.Program, c.Argv = path, argv
			c.Env = append(c.Env, "HOME="+os.Getenv("HOME"), "GOCACHE="+os.Getenv("GOCACHE"))
			want := expect("-")
			c.Stdout, c.Stderr = want, want
			if res := run(t, c); res.ExitCode != 0 {
				t.Skipf("by its path it gives %+v, %s", res, want)
			}
			c.open(t)
			// Not all scripts find themselves: those of pyenv go by the name in $0.
			c.Executable.fixed, c.Pinned = false, argv[0] == "npm"
			got := expect("-")
			c.Stdout, c.Stderr = got, got
			if res := run(t, c); res.ExitCode != 0 || got.String() != want.String() {
				t.Errorf("got %+v, %s, want %s", res, got, want)
			}
		})
	}
}
