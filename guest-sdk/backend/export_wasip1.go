//go:build wasip1

package backend

import "github.com/stagecraft-dev/stagecraft/guest-sdk/abi"

//go:wasmexport describe
func exportDescribe() int32 { return export(abi.ExportDescribe) }

//go:wasmexport validate
func exportValidate() int32 { return export(abi.ExportValidate) }

//go:wasmexport dev
func exportDev() int32 { return export(abi.ExportDev) }

//go:wasmexport build_docker
func exportBuildDocker() int32 { return export(abi.ExportBuildDocker) }

//go:wasmexport detect
func exportDetect() int32 { return export(abi.ExportDetect) }

func export(name string) int32 {
	input := load(extismInputLength(), 0, extismInputLoadU64, extismInputLoadU8)
	output := Handle(background(), registered, name, input)
	// Extism reads the block after the export has returned, so it stays.
	extismOutputSet(store(output), uint64(len(output)))
	return 0
}
