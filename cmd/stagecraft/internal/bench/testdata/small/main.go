//go:build wasip1

// Command small is a plug-in for Helm without a package of the library, as small as
// Go makes one.
package main

//go:wasmimport extism:host/env alloc
func alloc(length uint64) uint64

//go:wasmimport extism:host/env store_u8
func store(offset uint64, value uint32)

//go:wasmimport extism:host/env output_set
func output(offset, length uint64)

//go:wasmexport helm_plugin_main
func helmPluginMain() int32 {
	const answer = "{}"
	offset := alloc(uint64(len(answer)))
	for i := range len(answer) {
		store(offset+uint64(i), uint32(answer[i]))
	}
	output(offset, uint64(len(answer)))
	return 0
}

func main() {}
