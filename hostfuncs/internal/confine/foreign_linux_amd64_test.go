package confine

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"testing"
)

// program is a whole ELF file that runs the code, see elf(5).
func program(t *testing.T, code ...byte) string {
	t.Helper()
	const base, headers = 0x400000, 64 + 56
	var file bytes.Buffer
	for _, field := range []any{
		[16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1},
		[]uint16{2, 62}, uint32(1), []uint64{base + headers, 64, 0}, uint32(0), []uint16{64, 56, 1, 0, 0, 0},
		[]uint32{1, 5}, []uint64{0, base, base, uint64(headers + len(code)), uint64(headers + len(code)), 0x1000},
		code,
	} {
		must(t, binary.Write(&file, binary.LittleEndian, field))
	}
	return file.String()
}

// TestForeignCalls runs code that asks the kernel in another processor's way,
// by numbers that the filter would take for other calls.
func TestForeignCalls(t *testing.T) {
	exit64 := []byte{0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05} // xor edi, edi; mov eax, exit; syscall
	getpid32 := []byte{0xb8, 20, 0, 0, 0, 0xcd, 0x80}           // mov eax, getpid; int 0x80
	getpidX32 := []byte{0xb8, 39, 0, 0, 0x40, 0x0f, 0x05}       // mov eax, 0x40000000 + getpid; syscall
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		for _, tt := range []struct {
			name, want string
			code       []byte
		}{
			{"native", "", exit64},
			{"i386", "killed SIGSYS", append(getpid32, exit64...)},
			{"x32", "killed SIGSYS", append(getpidX32, exit64...)},
		} {
			t.Run(tt.name, func(t *testing.T) {
				name := filepath.Join(filepath.Dir(p.self), tt.name)
				p.write(t, name, program(t, tt.code...), 0o755)
				if got := p.run(t, p.rules(), noSeccomp, name); got != "" && tt.name != "native" {
					t.Skipf("this kernel does not run such a program: without the filter it is %q", got)
				}
				if got := p.run(t, p.rules(), guards{}, name); len(got) < len(tt.want) || got[:len(tt.want)] != tt.want || tt.want == "" && got != "" {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	})
}
