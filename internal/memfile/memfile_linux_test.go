package memfile_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/internal/memfile"
)

// TestNew expects a program that can be executed and cannot be changed.
func TestNew(t *testing.T) {
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	file, err := memfile.New("program", program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.CommandContext(t.Context(), memfile.Path(3))
	cmd.ExtraFiles = []*os.File{file}
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	const want = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&want != want {
		t.Errorf("seals %x, %v", seals, err)
	}
	if writer, err := os.OpenFile(memfile.Path(int(file.Fd())), os.O_RDWR, 0); err == nil {
		defer writer.Close()
		if _, err := writer.WriteAt([]byte{0}, 0); err == nil {
			t.Error("it can be written to")
		}
		if err := writer.Truncate(0); err == nil {
			t.Error("it can be truncated")
		}
	}
	if data, err := os.ReadFile(memfile.Path(int(file.Fd()))); err != nil || !bytes.Equal(data, program) {
		t.Errorf("it has other bytes, %v", err)
	}
}

// TestDescriptors executes it with free descriptors below its own: Go moves files of a
// child that were opened later to descriptors above the others, so one can get the
// descriptor of the memory file.
func TestDescriptors(t *testing.T) {
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	var below []*os.File
	for range 8 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		below = append(below, f)
	}
	input, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	below[0].Close() // for its writer, so that the file comes right after input
	file, err := memfile.New("program", program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, f := range below[1:] {
		f.Close()
	}
	cmd := exec.CommandContext(t.Context(), memfile.Path(3))
	cmd.Stdin, cmd.ExtraFiles = input, []*os.File{file}
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}
