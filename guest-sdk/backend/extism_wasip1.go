//go:build wasip1

package backend

import "encoding/binary"

// The functions of Extism's kernel that a provider needs. The package go-pdk has all of
// them, but imports encoding/json. Offsets are those of Extism's memory, which is not
// the module's own.

//go:wasmimport extism:host/env input_length
func extismInputLength() uint64

//go:wasmimport extism:host/env input_load_u8
func extismInputLoadU8(offset uint64) uint32

//go:wasmimport extism:host/env input_load_u64
func extismInputLoadU64(offset uint64) uint64

//go:wasmimport extism:host/env output_set
func extismOutputSet(offset, length uint64)

//go:wasmimport extism:host/env alloc
func extismAlloc(length uint64) uint64

//go:wasmimport extism:host/env free
func extismFree(offset uint64)

//go:wasmimport extism:host/env length
func extismLength(offset uint64) uint64

//go:wasmimport extism:host/env load_u8
func extismLoadU8(offset uint64) uint32

//go:wasmimport extism:host/env load_u64
func extismLoadU64(offset uint64) uint64

//go:wasmimport extism:host/env store_u8
func extismStoreU8(offset uint64, value uint32)

//go:wasmimport extism:host/env store_u64
func extismStoreU64(offset, value uint64)

// load copies bytes from an offset of Extism's memory or its input, eight at a time.
func load(length, offset uint64, u64 func(uint64) uint64, u8 func(uint64) uint32) []byte {
	out := make([]byte, 0, length)
	for ; length >= 8; length -= 8 {
		out = binary.LittleEndian.AppendUint64(out, u64(offset))
		offset += 8
	}
	for ; length > 0; length-- {
		out = append(out, byte(u8(offset)))
		offset++
	}
	return out
}

// store copies bytes to a new block of Extism's memory.
func store(data []byte) (block uint64) {
	block = extismAlloc(uint64(len(data)))
	offset := block
	for ; len(data) >= 8; data = data[8:] {
		extismStoreU64(offset, binary.LittleEndian.Uint64(data))
		offset += 8
	}
	for _, c := range data {
		extismStoreU8(offset, uint32(c))
		offset++
	}
	return block
}
