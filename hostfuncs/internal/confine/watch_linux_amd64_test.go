package confine

import "golang.org/x/sys/unix"

var archWatchedCases = []watchedCase{
	{"open", raw(unix.SYS_OPEN, "@mine", unix.O_RDONLY), "r in/mine"},
	{"open to make", raw(unix.SYS_OPEN, "@new", unix.O_CREAT|unix.O_RDWR, 0o600), "m in"},
	{"creat", raw(unix.SYS_CREAT, "@mine", 0o600), "w in/mine"},
	{"mkdir", raw(unix.SYS_MKDIR, "@new", 0o700), "d in/new"},
	{"mknod", raw(unix.SYS_MKNOD, "@new", unix.S_IFIFO|0o600, 0), "m in"},
	{"symlink", raw(unix.SYS_SYMLINK, "@x", "@sub/new"), "m in/sub"},
	{"unlink", raw(unix.SYS_UNLINK, "@mine"), "m in"},
	{"rmdir", raw(unix.SYS_RMDIR, "@sub"), "m in"},
	{"link", raw(unix.SYS_LINK, "@mine", "@sub/new"), "m in/sub, m in"},
	{"rename", raw(unix.SYS_RENAME, "@mine", "@sub/new"), "m in, m in/sub"},
	{"renameat", raw(unix.SYS_RENAMEAT, here, "@mine", here, "@sub/new"), "m in, m in/sub"},
}
