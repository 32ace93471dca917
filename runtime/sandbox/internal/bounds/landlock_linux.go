package bounds

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// handled has, for each version of Landlock, all rights that it can refuse.
var handled = []unix.LandlockRulesetAttr{
	1: {Handled_access_fs: unix.LANDLOCK_ACCESS_FS_REFER - 1},
	2: {Handled_access_fs: unix.LANDLOCK_ACCESS_FS_REFER<<1 - 1},
	3: {Handled_access_fs: unix.LANDLOCK_ACCESS_FS_TRUNCATE<<1 - 1},
	4: {
		Handled_access_fs:  unix.LANDLOCK_ACCESS_FS_TRUNCATE<<1 - 1,
		Handled_access_net: unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP,
	},
	5: {
		Handled_access_fs:  unix.LANDLOCK_ACCESS_FS_IOCTL_DEV<<1 - 1,
		Handled_access_net: unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP,
	},
	6: {
		Handled_access_fs:  unix.LANDLOCK_ACCESS_FS_IOCTL_DEV<<1 - 1,
		Handled_access_net: unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP,
		Scoped:             unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL,
	},
}

// cacheAccess are the rights in the directory. Entries are read, written under another
// name, renamed, and removed if they are damaged.
const cacheAccess = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR |
	unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_REFER |
	unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
	unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR

// restrictFiles refuses all files outside of one directory. It does nothing if the kernel
// has no Landlock.
func restrictFiles(dir string) (done bool, err error) {
	version, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || version < 1 {
		return false, nil
	}
	all := handled[min(int(version), len(handled)-1)]
	// An older kernel accepts fields that it does not know if they are zero.
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&all)), unsafe.Sizeof(all), 0)
	if errno != 0 {
		return false, fmt.Errorf("making a ruleset of Landlock: %w", errno)
	}
	defer unix.Close(int(ruleset))
	if dir != "" {
		if err := allowDir(ruleset, dir, cacheAccess&all.Handled_access_fs); err != nil {
			return false, err
		}
	}
	if usesCgo {
		// psx looks up the other threads when this one is restricted already.
		if err := allowDir(ruleset, "/proc/self/task", unix.LANDLOCK_ACCESS_FS_READ_DIR); err != nil {
			return false, err
		}
	}
	if err := onAllThreads(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0); err != nil {
		return false, fmt.Errorf("applying Landlock: %w", err)
	}
	return true, nil
}

func allowDir(ruleset uintptr, dir string, access uint64) error {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("allowing %s by Landlock: %w", dir, errno)
	}
	return nil
}
