package watch

import (
	"errors"

	"golang.org/x/sys/unix"
)

// perFile is how many files may be watched if each takes a descriptor; 0 if none does.
const perFile = 0

func isNoDirectory(err error) bool { return errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) }

// remedy says what to do about an error of inotify.
// https://man7.org/linux/man-pages/man7/inotify.7.html
func remedy(err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC):
		return "; to change this, watch fewer directories or raise the limit: sysctl fs.inotify.max_user_watches=1048576"
	case errors.Is(err, unix.EMFILE):
		return "; to change this, raise the limit: sysctl fs.inotify.max_user_instances=1024"
	}
	return ""
}

// remotes are the file systems whose files others change without an event here.
// https://man7.org/linux/man-pages/man2/statfs.2.html
var remotes = map[uint32]string{
	unix.NFS_SUPER_MAGIC: "nfs", unix.SMB_SUPER_MAGIC: "smb", unix.CIFS_SUPER_MAGIC: "cifs", unix.SMB2_SUPER_MAGIC: "smb", unix.V9FS_MAGIC: "9p",
	unix.AFS_SUPER_MAGIC: "afs", unix.CEPH_SUPER_MAGIC: "ceph", unix.FUSE_SUPER_MAGIC: "fuse", 0x786f4256: "vboxsf",
}

// remote is the name of the file system of a directory, if events of it are missing.
func remote(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return ""
	}
	return remotes[uint32(s.Type)]
}
