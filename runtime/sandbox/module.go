package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Import is one import of a module, with the names in its bytes.
type Import struct {
	Module, Name string
	// Kind is table, memory or global, and empty for a function.
	Kind string
}

// String returns the import in one line, cleaned for a terminal.
func (i Import) String() string {
	names := termtext.Mark(termtext.Line(i.Module, 200) + " " + termtext.Line(i.Name, 200))
	if i.Kind != "" {
		return "the " + i.Kind + " " + names
	}
	return names
}

// Info describes a module by its bytes alone.
type Info struct {
	Imports []Import // in the module's order, of all kinds
	Exports []string // of functions, in the module's order
}

// Operations lists the operations that the module imports, sorted. It can call no
// others.
func (i Info) Operations() []string {
	var operations []string
	for _, op := range abi.Operations() {
		if slices.Contains(i.Imports, Import{Module: abi.ImportNamespace, Name: abi.ImportName(op)}) {
			operations = append(operations, op)
		}
	}
	return operations
}

// The modules from which a provider may import, besides that of the operations.
const (
	kernelModule = "extism:host/env"
	wasiModule   = "wasi_snapshot_preview1"
)

// kernelFunctions are the functions of Extism, without those for HTTP, since a provider
// has no network.
var kernelFunctions = []string{
	"alloc", "config_get", "error_get", "error_set", "free", "get_log_level", "input_length",
	"input_load_u64", "input_load_u8", "input_offset", "input_set", "length", "length_unsafe", "load_u64",
	"load_u8", "log_debug", "log_error", "log_info", "log_trace", "log_warn", "memory_bytes", "output_length",
	"output_offset", "output_set", "reset", "store_u64", "store_u8", "var_get", "var_set",
}

// wasiFunctions are all functions of WASI preview 1, which does not change any more. They
// give a module no directory, argument or variable. Standard output and error are its log.
// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
var wasiFunctions = []string{
	"args_get", "args_sizes_get", "clock_res_get", "clock_time_get", "environ_get", "environ_sizes_get",
	"fd_advise", "fd_allocate", "fd_close", "fd_datasync", "fd_fdstat_get", "fd_fdstat_set_flags",
	"fd_fdstat_set_rights", "fd_filestat_get", "fd_filestat_set_size", "fd_filestat_set_times", "fd_pread",
	"fd_prestat_dir_name", "fd_prestat_get", "fd_pwrite", "fd_read", "fd_readdir", "fd_renumber", "fd_seek",
	"fd_sync", "fd_tell", "fd_write", "path_create_directory", "path_filestat_get", "path_filestat_set_times",
	"path_link", "path_open", "path_readlink", "path_remove_directory", "path_rename", "path_symlink",
	"path_unlink_file", "poll_oneoff", "proc_exit", "proc_raise", "random_get", "sched_yield", "sock_accept",
	"sock_recv", "sock_send", "sock_shutdown",
}

// The functions that start a WASI module. A command runs to its end at once, and its
// exports cannot be called afterwards.
const (
	commandStart = "_start"
	libraryStart = "_initialize"
)

// Check reads a module without compiling it. It refuses imports that the host does not
// offer, and a module without the exports of a provider.
//
// # Errors
//
// A [*LoadError].
func Check(wasm []byte, operations []string) (Info, error) {
	info, err := Inspect(wasm)
	if err != nil {
		return Info{}, err
	}
	for _, imp := range info.Imports {
		if !known(imp, operations) {
			return Info{}, &LoadError{Reason: fmt.Sprintf("it imports %s, which this stagecraft does not offer", imp)}
		}
	}
	if slices.Contains(info.Exports, commandStart) && !slices.Contains(info.Exports, libraryStart) {
		return Info{}, &LoadError{Reason: "it is built as a command (it exports _start and no _initialize), and a provider is a library: " +
			"build it with -buildmode=c-shared in Go, -mexec-model=reactor in C, as a cdylib in Rust"}
	}
	for _, export := range abi.Exports() {
		if !slices.Contains(info.Exports, export) {
			return Info{}, &LoadError{Reason: fmt.Sprintf("it has no function %q: a provider exports %s", export, strings.Join(abi.Exports(), ", "))}
		}
	}
	return info, nil
}

func known(imp Import, operations []string) bool {
	if imp.Kind != "" {
		return false
	}
	switch imp.Module {
	case abi.ImportNamespace:
		return slices.ContainsFunc(operations, func(op string) bool { return abi.ImportName(op) == imp.Name })
	case kernelModule:
		return slices.Contains(kernelFunctions, imp.Name)
	case wasiModule:
		return slices.Contains(wasiFunctions, imp.Name)
	}
	return false
}
