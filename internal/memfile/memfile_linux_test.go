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
	file, err := memfile.New("program", bytes.NewReader(program), 20)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Fd() < 20 {
		t.Errorf("its descriptor is %d", file.Fd())
	}
	if err := exec.CommandContext(t.Context(), memfile.Path(file)).Run(); err != nil {
		t.Error(err)
	}
	const want = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&want != want {
		t.Errorf("seals %x, %v", seals, err)
	}
	if writer, err := os.OpenFile(memfile.Path(file), os.O_RDWR, 0); err == nil {
		defer writer.Close()
		if _, err := writer.WriteAt([]byte{0}, 0); err == nil {
			t.Error("it can be written to")
		}
		if err := writer.Truncate(0); err == nil {
			t.Error("it can be truncated")
		}
	}
	if data, err := os.ReadFile(memfile.Path(file)); err != nil || !bytes.Equal(data, program) {
		t.Errorf("it has other bytes, %v", err)
	}
}
