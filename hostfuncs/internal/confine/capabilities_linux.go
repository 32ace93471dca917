package confine

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// kept are the capabilities that root keeps: what tools do to files as root,
// all of which Landlock has its say in or which a file's owner may do anyway,
// becoming another user, and a port below 1024. All others
// lead around the rules, such as CAP_PERFMON, which reads the memory of any
// process, CAP_DAC_READ_SEARCH, which opens files by number, and CAP_MKNOD,
// which makes a way to a disk; or they are about the system as a whole.
const kept uint64 = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER | 1<<unix.CAP_FSETID |
	1<<unix.CAP_SETGID | 1<<unix.CAP_SETUID | 1<<unix.CAP_NET_BIND_SERVICE

// dropCapabilities takes all but those kept from the thread, and from the set
// that root gets back by executing a program.
func dropCapabilities() error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&head, &sets[0]); err != nil {
		return fmt.Errorf("reading capabilities: %w", err)
	}
	if sets[0].Effective&(1<<unix.CAP_SETPCAP) != 0 {
		if err := dropBounding(); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clearing ambient capabilities: %w", err)
	}
	for i := range sets {
		keep := uint32(kept >> (32 * i))
		sets[i].Effective &= keep
		sets[i].Permitted &= keep
		sets[i].Inheritable &= keep
	}
	if err := unix.Capset(&head, &sets[0]); err != nil {
		return fmt.Errorf("dropping capabilities: %w", err)
	}
	return nil
}

// dropBounding goes on until the kernel knows no further capability.
func dropBounding() error {
	for c := range uintptr(64) {
		if kept>>c&1 == 1 {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("dropping capability %d for good: %w", c, err)
		}
	}
	return nil
}
