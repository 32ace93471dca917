//go:build wasip1

package backend

//go:wasmimport extism:host/user stagecraft_docker_build
func hostDockerBuild(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_docker_image
func hostDockerImage(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_env_status
func hostEnvStatus(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_exec
func hostExec(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_list
func hostList(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_log
func hostLog(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_probe
func hostProbe(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_process_start
func hostProcessStart(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_process_stop
func hostProcessStop(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_process_wait
func hostProcessWait(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_read_file
func hostReadFile(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_ready
func hostReady(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_stat
func hostStat(offset uint64) uint64

//go:wasmimport extism:host/user stagecraft_watch
func hostWatch(offset uint64) uint64

// transport calls the host through Extism's memory. The context is not passed on: the
// host itself ends a call.
func transport(_ Context, _ string, imported importFunc, request []byte) ([]byte, error) {
	in := store(request)
	reply := imported(in)
	extismFree(in)
	defer extismFree(reply)
	return load(extismLength(reply), reply, extismLoadU64, extismLoadU8), nil
}
