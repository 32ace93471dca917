package confine

import "golang.org/x/sys/unix"

var archWatchedCases = []watchedCase{
	{"renameat", raw(unix.SYS_RENAMEAT, here, "@mine", here, "@sub/new"), "m in, m in/sub"},
}
