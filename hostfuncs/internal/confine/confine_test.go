package confine

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWith(t *testing.T) {
	a := Rules{Read: []string{"/a", "/b"}, Listen: []uint16{1}, UDP: true, BestEffort: true}
	b := Rules{Read: []string{"/b", "/c"}, Exec: []string{"/x"}, Listen: []uint16{1, 2}, AnySockets: true}
	want := Rules{
		Read: []string{"/a", "/b", "/c"}, Exec: []string{"/x"}, Listen: []uint16{1, 2}, UDP: true, AnySockets: true,
	}
	if diff := cmp.Diff(want, a.With(b)); diff != "" {
		t.Error(diff)
	}
}

func TestMissing(t *testing.T) {
	const (
		files      = "which files it may use"
		truncation = "that it cannot truncate files outside"
		ports      = "which TCP ports it may use"
		signals    = "that it cannot signal processes outside"
		sockets    = "which Unix sockets it may use, so it could reach Docker's too"
		bypasses   = "that it uses no sockets or system calls that bypass its rules"
	)
	for _, tt := range []struct {
		name  string
		rules Rules
		s     Support
		want  []string
	}{
		{"all there", Rules{Connect: []uint16{1}}, Support{Landlock: 6, Seccomp: true}, nil},
		{"sockets of old", Rules{Sockets: []string{"/s"}}, Support{Landlock: 8, Seccomp: true}, []string{sockets}},
		{"sockets by asking", Rules{Sockets: []string{"/s"}}, Support{Landlock: 6, Seccomp: true, Notify: true}, nil},
		{"sockets", Rules{Sockets: []string{"/s"}}, Support{Landlock: 9, Seccomp: true}, nil},
		{"any socket", Rules{AnySockets: true, Sockets: []string{"/s"}}, Support{Landlock: 8, Seccomp: true}, nil},
		{"no scopes", Rules{}, Support{Landlock: 5, Seccomp: true}, []string{signals}},
		{"no ports", Rules{Listen: []uint16{1}}, Support{Landlock: 3, Seccomp: true}, []string{ports, signals}},
		{"no ports asked for", Rules{}, Support{Landlock: 3, Seccomp: true}, []string{signals}},
		{"any net", Rules{AnyNet: true}, Support{Landlock: 3, Seccomp: true}, []string{signals}},
		{"no truncation", Rules{}, Support{Landlock: 2, Seccomp: true}, []string{truncation, signals}},
		{"any files", Rules{AnyFiles: true}, Support{Landlock: 2, Seccomp: true}, []string{signals}},
		{"no seccomp", Rules{}, Support{Landlock: 6}, []string{bypasses}},
		{"nothing", Rules{Connect: []uint16{1}, Sockets: []string{"/s"}}, Support{}, []string{files, truncation, ports, signals, sockets, bypasses}},
	} {
		var got []string
		for _, line := range tt.rules.Missing(tt.s) {
			what, _, _ := strings.Cut(line, ": ")
			got = append(got, what)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestMissingIsExplained(t *testing.T) {
	for _, tt := range []struct {
		s    Support
		want string
	}{
		{
			Support{Landlock: 3, Seccomp: true},
			"that it cannot signal processes outside: this needs Linux 6.12, and the kernel has version 3 of Landlock, not 6",
		},
		{
			Support{Reason: "this is plan9", Seccomp: true},
			"that it cannot signal processes outside: this needs Linux 6.12, and this is plan9",
		},
	} {
		if diff := cmp.Diff([]string{tt.want}, Rules{AnyFiles: true, AnyNet: true}.Missing(tt.s)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestResolved(t *testing.T) {
	resolve := func(path string) (string, error) {
		if path == "/dangling" {
			return "", errors.New("leads nowhere")
		}
		return strings.ReplaceAll(path, "/link", "/target"), nil
	}
	got := Rules{
		Read: []string{"/link", "/target", "/dangling"}, Write: []string{"/a/link"}, Exec: []string{"/b"}, Sockets: []string{"/link/s"},
		Connect: []uint16{1}, UDP: true,
	}.Resolved(resolve)
	want := Rules{
		Read: []string{"/target"}, Write: []string{"/a/target"}, Exec: []string{"/b"}, Sockets: []string{"/target/s"},
		Connect: []uint16{1}, UDP: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
