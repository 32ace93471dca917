package abi_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

var update = flag.Bool("update", false, "write the golden list of the ABI")

// TestGolden makes each change of the ABI's names show as a difference.
func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, op := range abi.Operations() {
		b.WriteString("import " + abi.ImportNamespace + " " + abi.ImportName(op) + "\n")
	}
	for _, export := range abi.Exports() {
		b.WriteString("export " + export + "\n")
	}
	for _, export := range abi.OptionalExports() {
		b.WriteString("optional export " + export + "\n")
	}
	for _, code := range []abi.Code{abi.CodeDenied, abi.CodeInvalid, abi.CodeNotFound, abi.CodeFailed, abi.CodeTimeout, abi.CodeInterrupted, abi.CodeUnavailable, abi.CodeTooLarge} {
		b.WriteString("code " + string(code) + "\n")
	}
	const golden = "testdata/version1.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the ABI is now\n%s\nfor a change of version 1 run the test with -update, and say so in docs/abi.md", b.String())
	}
	if !slices.IsSorted(abi.Operations()) || !slices.IsSorted(abi.Exports()) {
		t.Error("the lists are not sorted")
	}
}
