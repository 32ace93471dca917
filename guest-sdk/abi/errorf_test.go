//go:build !wasip1

package abi_test

import (
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

func ExampleErrorf() {
	fmt.Println(abi.Errorf(abi.CodeNotFound, "no file %q", "package.json"))
	// Output: no file "package.json"
}
