//go:build wasip1

// Command small is a plug-in for Helm that uses nothing but Extism's package, which
// makes it about as large as the module of our provider generic.
package main

import "github.com/extism/go-pdk"

//go:wasmexport helm_plugin_main
func helmPluginMain() int32 {
	pdk.OutputString("{}")
	return 0
}

func main() {}
