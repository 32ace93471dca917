package abi_test

import (
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

func TestPointers(t *testing.T) {
	for _, tt := range []struct {
		pointer string
		keys    []string
		field   string
	}{
		{"", nil, ""},
		{"/dev/command/0", []string{"dev", "command", "0"}, "dev.command[0]"},
		{"/0/a", []string{"0", "a"}, "0.a"},
		{"/a~1b/c~0d/~01", []string{"a/b", "c~d", "~1"}, "a/b.c~d.~1"},
	} {
		if got := abi.FieldName(tt.pointer); got != tt.field {
			t.Errorf("%q: got %q, want %q", tt.pointer, got, tt.field)
		}
		joined := ""
		for _, key := range tt.keys {
			joined = abi.UnderPointer(joined, key)
		}
		if joined != tt.pointer {
			t.Errorf("got %q, want %q", joined, tt.pointer)
		}
	}
}
