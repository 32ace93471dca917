package guard

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func FuzzParseStat(f *testing.F) {
	if line, err := os.ReadFile("/proc/self/stat"); err == nil {
		f.Add(line)
	}
	f.Add([]byte("7 (a) Z (b\n) S 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0"))
	f.Add([]byte("1 (x"))
	f.Add([]byte(")("))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, ok := ParseStat(line)
		if ok && !strings.HasPrefix(strings.TrimLeft(string(line), " \t\n\v\f\r+0\u0085\u00a0"), strconv.Itoa(e.PID)) && e.PID > 0 {
			t.Errorf("%q gave %+v", line, e)
		}
	})
}

func TestParseStat(t *testing.T) {
	e, ok := ParseStat([]byte("7 (a) Z (b\n) S 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0"))
	if want := (Process{PID: 7, Parent: 1, Group: 2, Session: 3, Start: 99}); !ok || e != want {
		t.Errorf("got %+v, %v", e, ok)
	}
	if e, ok := ParseStat([]byte("7 (a) Z 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0")); !ok || !e.Zombie {
		t.Errorf("got %+v, %v", e, ok)
	}
	for _, line := range []string{"", "7", "7 (a) S 1 2", "x (a) S 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0"} {
		if e, ok := ParseStat([]byte(line)); ok {
			t.Errorf("%q gave %+v", line, e)
		}
	}
}
