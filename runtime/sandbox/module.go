package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Import is one thing that a module imports, as its bytes name it.
type Import struct {
	Module, Name string
	// Kind is table, memory or global, and empty for a function.
	Kind string
}

// String returns the import in one line, for people.
func (i Import) String() string {
	said := termtext.Mark(termtext.Line(i.Module, 200) + " " + termtext.Line(i.Name, 200))
	if i.Kind != "" {
		return "the " + i.Kind + " " + said
	}
	return said
}

// Info is what a module's bytes show without being run.
type Info struct {
	Imports []Import // in the module's order, of all kinds
	Exports []string // of functions, in the module's order
}

// Operations lists the operations that the module imports, sorted: the most
// that it could ever ask for.
func (i Info) Operations() []string {
	var operations []string
	for _, op := range abi.Operations() {
		if slices.Contains(i.Imports, Import{Module: abi.ImportNamespace, Name: abi.ImportName(op)}) {
			operations = append(operations, op)
		}
	}
	return operations
}

// The modules other than the operations' from which a provider may import.
const (
	kernelModule = "extism:host/env"
	wasiModule   = "wasi_snapshot_preview1"
)

// kernelFunctions are Extism's own, without those for HTTP, since a provider has no
// network.
var kernelFunctions = []string{
	"alloc", "config_get", "error_get", "error_set", "free", "get_log_level", "input_length",
	"input_load_u64", "input_load_u8", "input_offset", "input_set", "length", "length_unsafe", "load_u64",
	"load_u8", "log_debug", "log_error", "log_info", "log_trace", "log_warn", "memory_bytes", "output_length",
	"output_offset", "output_set", "reset", "store_u64", "store_u8", "var_get", "var_set",
}

// wasiFunctions are all of WASI preview 1, which is frozen. A module gets no directory,
// argument or variable for them, and standard output and error are its log.
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

// The functions by which a WASI module begins. A command runs from its start to its
// end, and has no state afterwards in which an export could be called.
const (
	commandStart = "_start"
	libraryStart = "_initialize"
)

// Check reads a module, without compiling it, and refuses one that imports what
// the host does not offer, or that does not export what a provider must.
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
