package confine

import (
	"path/filepath"
	"testing"
)

var noLandlock = guards{landlock: -1}

func TestFiles(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		in := func(name string) string { return filepath.Join(p.in, name) }
		out := func(name string) string { return filepath.Join(p.out, name) }
		readable := Rules{Read: []string{p.out}}
		p.checkAttempts(t, []attempt{
			{name: "read inside", argv: []string{"read", in("mine")}, want: "ok"},
			{name: "read what may be read", argv: []string{"read", out("secret")}, more: readable, want: "ok"},
			{name: "read one file", argv: []string{"read", out("secret")}, more: Rules{Read: []string{out("secret")}}, want: "ok"},
			{name: "create inside", argv: []string{"create", in("new")}, want: "ok"},
			{name: "list what may be listed", argv: []string{"list", p.out}, more: Rules{List: []string{p.out}}, want: "ok"},
			{name: "list below what may be listed", argv: []string{"list", p.out}, more: Rules{List: []string{filepath.Dir(p.out)}}, want: "ok"},
			{name: "a rule to list a file", argv: []string{"read", in("mine")}, more: Rules{List: []string{out("secret")}}, want: "ok"},
			{name: "truncate inside", argv: []string{"truncate", in("mine")}, want: "ok"},
			{name: "rename between directories", argv: []string{"rename", in("new"), in("sub/new")}, want: "ok"},
			{name: "link between directories", argv: []string{"link", in("sub/new"), in("new")}, want: "ok"},

			{name: "read", argv: []string{"read", out("secret")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "list", argv: []string{"list", p.out}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "list what one file of may be read", argv: []string{"list", p.out},
				more: Rules{Read: []string{out("secret")}}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "read what may be listed", argv: []string{"read", out("secret")}, more: Rules{List: []string{p.out}},
				want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "create in what may be listed", argv: []string{"create", out("new")}, more: Rules{List: []string{p.out}},
				want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "run what may be listed", argv: []string{"run", out("tool")}, more: Rules{List: []string{p.out}},
				want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "read by a link", argv: []string{"via-link", out("secret"), in("link")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "read by a relative link", argv: []string{"via-link", "../out/secret", in("link")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "read by /proc/self/root", argv: []string{"read", "/proc/self/root" + out("secret")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "read by /proc/self/cwd", argv: []string{"read", "/proc/self/cwd/../out/secret"}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "write", argv: []string{"write", out("secret")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "write what may be read", argv: []string{"write", out("secret")}, more: readable, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "truncate", argv: []string{"truncate", out("secret")}, want: "EACCES", away: guards{landlock: 2}, bare: "ok"},
			{name: "create", argv: []string{"create", out("new")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "make a directory", argv: []string{"mkdir", out("directory")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "link in", argv: []string{"link", out("secret"), in("stolen")}, want: "EXDEV", away: noLandlock, bare: "ok"},
			{name: "rename out", argv: []string{"rename", in("new"), out("moved")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "rename in", argv: []string{"rename", out("moved"), in("moved")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "remove", argv: []string{"remove", out("new")}, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "run", argv: []string{"run", out("tool")}, more: readable, want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "run what may be written", argv: []string{"run", out("tool")}, more: Rules{Write: []string{p.out}},
				want: "EACCES", away: noLandlock, bare: "ok"},
			{name: "run what may be run", argv: []string{"run", out("tool")}, more: Rules{Exec: []string{p.out}}, want: "ok"},

			// Both Landlock and the capabilities refuse it.
			{name: "make a device", argv: []string{"mknod", in("disk")}, want: "EACCES", rootOnly: true,
				away: guards{skip: "landlock"}, bare: "EPERM"},
			{name: "make a device as root", argv: []string{"mknod", in("disk")}, want: "EACCES", rootOnly: true,
				away: guards{skip: "landlock capabilities"}, bare: "ok"},
			{name: "set-user-ID on what is outside", argv: []string{"setuid", out("tool")}, want: "EPERM",
				away: guards{skip: "seccomp"}, bare: "ok"},
		})
	})
}
