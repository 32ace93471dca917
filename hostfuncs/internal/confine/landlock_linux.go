package confine

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Probe returns what the running system supports, and changes nothing.
func Probe() Support {
	s := Support{Seccomp: hasAnswer(kill), Notify: hasAnswer(unix.SECCOMP_RET_USER_NOTIF) && hasGetfd()}
	version, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		s.Landlock = int(version)
	case unix.ENOSYS:
		s.Reason = "the kernel has no Landlock"
	case unix.EOPNOTSUPP:
		s.Reason = "Landlock was disabled when the system started"
	default:
		s.Reason = fmt.Sprintf("its Landlock returned an error (%v)", errno)
	}
	return s
}

const (
	listAccess  = unix.LANDLOCK_ACCESS_FS_READ_DIR
	readAccess  = unix.LANDLOCK_ACCESS_FS_READ_FILE | listAccess
	execAccess  = readAccess | unix.LANDLOCK_ACCESS_FS_EXECUTE
	writeAccess = readAccess | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	// fileAccess is what the kernel accepts in a rule for anything but a directory.
	fileAccess = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV |
		unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX

	allAccess = execAccess | writeAccess | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
)

// handled is what a version of Landlock refuses unless a rule allows it.
func handled(r Rules, abi int) unix.LandlockRulesetAttr {
	var a unix.LandlockRulesetAttr
	if !r.AnyFiles && abi >= FilesABI {
		a.Handled_access_fs = allAccess
		for _, later := range []struct {
			abi  int
			bits uint64
		}{
			{referABI, unix.LANDLOCK_ACCESS_FS_REFER},
			{TruncateABI, unix.LANDLOCK_ACCESS_FS_TRUNCATE},
			{IoctlABI, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV},
		} {
			if abi < later.abi {
				a.Handled_access_fs &^= later.bits
			}
		}
	}
	if !r.anyListen() && abi >= TCPABI {
		a.Handled_access_net |= unix.LANDLOCK_ACCESS_NET_BIND_TCP
	}
	if !r.anyConnect() && abi >= TCPABI {
		a.Handled_access_net |= unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= ScopeABI {
		a.Scoped = unix.LANDLOCK_SCOPE_SIGNAL
		if !r.AnySockets {
			a.Scoped |= unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		}
	}
	if !r.AnySockets && abi >= ResolveUnixABI {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX
	}
	return a
}

// ruleset is a ruleset of Landlock.
type ruleset struct {
	fd      int
	handled unix.LandlockRulesetAttr
}

// newRuleset returns nil if Landlock has nothing to restrict.
func newRuleset(r Rules, abi int, programs ...int) (*os.File, error) {
	s := &ruleset{handled: handled(r, abi)}
	if s.handled == (unix.LandlockRulesetAttr{}) {
		return nil, nil
	}
	// Older kernels accept fields that they do not know if these are zero.
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&s.handled)), unsafe.Sizeof(s.handled), 0)
	if errno != 0 {
		return nil, fmt.Errorf("create a Landlock ruleset: %w", errno)
	}
	s.fd = int(fd)
	err := s.allow(r)
	for _, program := range programs {
		err = errors.Join(err, s.allowFile(program, execAccess&s.handled.Handled_access_fs))
	}
	if err != nil {
		_ = unix.Close(s.fd)
		return nil, err
	}
	return os.NewFile(uintptr(s.fd), "landlock-ruleset"), nil
}

func (s *ruleset) allow(r Rules) error {
	for _, list := range []struct {
		paths  []string
		access uint64
	}{
		{r.Read, readAccess},
		{r.Write, writeAccess},
		{r.Exec, execAccess},
		{r.List, listAccess},
		{r.Sockets, unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX},
	} {
		for _, p := range list.paths {
			if err := s.allowPath(p, list.access&s.handled.Handled_access_fs); err != nil {
				return &os.PathError{Op: "allow", Path: p, Err: err}
			}
		}
	}
	for _, list := range []struct {
		ports  []uint16
		access uint64
	}{
		{r.Connect, unix.LANDLOCK_ACCESS_NET_CONNECT_TCP},
		{r.Listen, unix.LANDLOCK_ACCESS_NET_BIND_TCP},
	} {
		for _, port := range list.ports {
			if err := s.allowPort(port, list.access&s.handled.Handled_access_net); err != nil {
				return fmt.Errorf("allow TCP port %d: %w", port, err)
			}
		}
	}
	return nil
}

func (s *ruleset) allowPath(name string, access uint64) error {
	if access == 0 {
		return nil
	}
	fd, err := unix.Openat2(unix.AT_FDCWD, name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EACCES):
		// A link, see Rules.Resolved, or a path that the program cannot use either.
		return nil
	case err != nil:
		return err
	}
	defer unix.Close(fd)
	return s.allowFile(fd, access)
}

// allowFile allows an open file or directory.
func (s *ruleset) allowFile(fd int, access uint64) error {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= fileAccess
	}
	if access == 0 {
		return nil // the kernel refuses rules that allow nothing, such as listing a file
	}
	return s.add(unix.LANDLOCK_RULE_PATH_BENEATH,
		unsafe.Pointer(&unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}))
}

// netPortAttr is struct landlock_net_port_attr, which is not in x/sys.
type netPortAttr struct{ allowed, port uint64 }

const ruleNetPort = 2

func (s *ruleset) allowPort(port uint16, access uint64) error {
	if access == 0 {
		return nil
	}
	return s.add(ruleNetPort, unsafe.Pointer(&netPortAttr{allowed: access, port: uint64(port)}))
}

func (s *ruleset) add(kind uintptr, attr unsafe.Pointer) error {
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(s.fd), kind, uintptr(attr), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
