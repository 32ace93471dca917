package confine

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHandled: no version of Landlock is asked for rights that it does not know,
// because it would refuse the ruleset.
func TestHandled(t *testing.T) {
	const tcp = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	for _, tt := range []struct {
		rules Rules
		abi   int
		want  unix.LandlockRulesetAttr
	}{
		{Rules{}, 0, unix.LandlockRulesetAttr{}},
		{Rules{}, 1, unix.LandlockRulesetAttr{Handled_access_fs: 1<<13 - 1}},
		{Rules{}, 2, unix.LandlockRulesetAttr{Handled_access_fs: 1<<14 - 1}},
		{Rules{}, 3, unix.LandlockRulesetAttr{Handled_access_fs: 1<<15 - 1}},
		{Rules{}, 4, unix.LandlockRulesetAttr{Handled_access_fs: 1<<15 - 1, Handled_access_net: tcp}},
		{Rules{}, 5, unix.LandlockRulesetAttr{Handled_access_fs: 1<<16 - 1, Handled_access_net: tcp}},
		{Rules{}, 7, unix.LandlockRulesetAttr{Handled_access_fs: 1<<16 - 1, Handled_access_net: tcp, Scoped: 3}},
		{Rules{}, 9, unix.LandlockRulesetAttr{Handled_access_fs: 1<<17 - 1, Handled_access_net: tcp, Scoped: 3}},
		{Rules{}, 99, unix.LandlockRulesetAttr{Handled_access_fs: 1<<17 - 1, Handled_access_net: tcp, Scoped: 3}},
		{Rules{AnyFiles: true}, 7, unix.LandlockRulesetAttr{Handled_access_net: tcp, Scoped: 3}},
		{Rules{AnyFiles: true}, 9, unix.LandlockRulesetAttr{Handled_access_fs: 1 << 16, Handled_access_net: tcp, Scoped: 3}},
		{Rules{AnyNet: true, AnySockets: true}, 9, unix.LandlockRulesetAttr{Handled_access_fs: 1<<16 - 1, Scoped: 2}},
		{Rules{AnyFiles: true, AnyNet: true}, 5, unix.LandlockRulesetAttr{}},
	} {
		if got := handled(tt.rules, tt.abi); got != tt.want {
			t.Errorf("%+v, version %d: got %+v, want %+v", tt.rules, tt.abi, got, tt.want)
		}
	}
}

// TestFilter checks what compile relies on: no call has a second entry, which would
// never apply, jumps fit into a byte, and the kernel accepts the number of
// instructions.
func TestFilter(t *testing.T) {
	rules := []Rules{{}, {AnyNet: true}, {Connect: []uint16{1}, AnySockets: true}, {UDP: true, Sockets: []string{"/s"}}}
	for i, r := range append(rules, rules...) {
		s := Support{Notify: true}
		if i < len(rules) {
			s.Landlock = ScopeABI
		}
		seen := map[uintptr]bool{}
		calls := newFilter(r, s, []int{1, 2})
		if n := len(compile(calls, kill)); n > 4096 {
			t.Errorf("%+v: there are %d instructions", r, n)
		}
		for _, c := range calls {
			if n := len(c.compile()); n > 255 {
				t.Errorf("%+v: call %d takes %d instructions", r, c.number, n)
			}
			if seen[c.number] {
				t.Errorf("%+v: call %d is there twice", r, c.number)
			}
			seen[c.number] = true
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	var missing *MissingError
	if _, err := (Rules{}).Prepare(Support{}, nil); !errors.As(err, &missing) {
		t.Errorf("got %v without support", err)
	}
	for _, name := range []string{"", "relative", "/a/../b", "/a/", "./a"} {
		_, err := Rules{Read: []string{name}, BestEffort: true}.Prepare(Support{}, nil)
		if err == nil || !strings.Contains(err.Error(), "is not absolute and clean") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}
