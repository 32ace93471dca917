//go:build wasip1

// Command large is a plug-in for Helm that reads its input as most do, with
// encoding/json and fmt.
package main

import (
	"fmt"

	"github.com/extism/go-pdk"
)

//go:wasmexport helm_plugin_main
func helmPluginMain() int32 {
	var input struct{ ExtraArgs []string }
	if err := pdk.InputJSON(&input); err != nil {
		pdk.SetError(fmt.Errorf("reading the input: %w", err))
		return 1
	}
	pdk.Log(pdk.LogDebug, fmt.Sprintf("arguments: %q", input.ExtraArgs))
	if err := pdk.OutputJSON(struct{}{}); err != nil {
		pdk.SetError(err)
		return 1
	}
	return 0
}

func main() {}
