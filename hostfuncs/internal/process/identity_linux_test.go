package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSwappedProgram puts another file in the place of the one that was decided
// on, in all the ways that there are, and wants neither to run.
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
				if err := os.WriteFile(real, []byte("#!/bin/sh\ntrue\n"), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("program", c.Program); err != nil {
					t.Fatal(err)
				}
				var err error
				if c.Is, err = Identify(c.Program); err != nil {
					t.Fatal(err)
				}
				other := shell(t, "")
				other.Dir, other.Argv = c.Dir, []string{"sh", "-c", swap, real}
				if res := run(t, other); res.ExitCode != 0 {
					t.Fatal(res)
				}
				if _, err := Run(testContext(t), c); err == nil {
					t.Error("it was run")
				} else if name != "gone" && !strings.Contains(err.Error(), "it is not the file any more that was decided on") {
					t.Errorf("got %v", err)
				}
				if _, err := os.Stat(filepath.Join(c.Dir, "ran")); err == nil {
					t.Error("the other one was run")
				}
			})
		}
	}
}

// TestPinnedProgram runs the file itself where it is a program, and a script by
// its path: its interpreter opens that.
func TestPinnedProgram(t *testing.T) {
	for _, name := range []string{"binary", "script"} {
		t.Run(name, func(t *testing.T) {
			c := shell(t, "")
			c.Program, c.Pinned = filepath.Join(c.Dir, "program"), true
			if name == "script" {
				c.Argv = []string{"program"}
				if err := os.WriteFile(c.Program, []byte("#!/bin/sh\necho \"$0\"\nls /proc/self/fd\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			} else {
				data, err := os.ReadFile("/bin/sh")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(c.Program, data, 0o755); err != nil {
					t.Fatal(err)
				}
				c.Argv = []string{"program", "-c", "grep -qE '^[0-9]+$' /proc/$$/comm && readlink /proc/$$/exe; ls /proc/self/fd"}
			}
			var err error
			if c.Is, err = Identify(c.Program); err != nil {
				t.Fatal(err)
			}
			said := expect("-")
			c.Stdout = said
			if res := run(t, c); res.ExitCode != 0 || said.String() != c.Program+"\n0\n1\n2\n3\n" {
				t.Errorf("got %+v, %q", res, said)
			}
		})
	}
}

// TestSwappedFolder puts another folder, or a link to one, in the place of the
// one that was decided on.
func TestSwappedFolder(t *testing.T) {
	for name, swap := range map[string]string{"a link": "rm -r in; ln -s / in", "a folder": "mv in was; mkdir in"} {
		t.Run(name, func(t *testing.T) {
			c := shell(t, "touch ran; exec pwd")
			other := shell(t, swap)
			other.Dir, c.Dir = c.Dir, filepath.Join(c.Dir, "in")
			if err := os.Mkdir(c.Dir, 0o755); err != nil {
				t.Fatal(err)
			}
			var err error
			if c.DirIs, err = Identify(c.Dir); err != nil {
				t.Fatal(err)
			}
			said := expect("-")
			c.Stdout = said
			if res := run(t, c); res.ExitCode != 0 || said.String() != c.Dir+"\n" {
				t.Errorf("got %+v, %q", res, said)
			}
			if res := run(t, other); res.ExitCode != 0 {
				t.Fatal(res)
			}
			if _, err := Run(testContext(t), c); err == nil || !strings.Contains(err.Error(), "is not the one any more that was decided on") {
				t.Errorf("got %v", err)
			}
		})
	}
}
