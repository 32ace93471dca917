package abi_test

import (
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

func TestNearest(t *testing.T) {
	known := []string{"generic", "encore-ts", "go"}
	for word, want := range map[string]string{
		"generc": "generic", "genric": "generic", "encorets": "encore-ts", "python": "", "g": "", "": "", "xy": "",
	} {
		if got := abi.Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
