//go:build wasip1

package backend

import (
	"context"

	"github.com/extism/go-pdk"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

//go:wasmexport describe
func exportDescribe() int32 { return export(abi.ExportDescribe) }

//go:wasmexport validate
func exportValidate() int32 { return export(abi.ExportValidate) }

//go:wasmexport dev
func exportDev() int32 { return export(abi.ExportDev) }

//go:wasmexport build_docker
func exportBuildDocker() int32 { return export(abi.ExportBuildDocker) }

func export(name string) int32 {
	pdk.Output(Handle(context.Background(), registered, name, pdk.Input()))
	return 0
}
