package audit_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

func TestVerifyWhole(t *testing.T) {
	report := verify(t, written(t, small()...))
	if len(report.Findings) != 0 || report.Broken || report.Records != 7 || report.Runs != 2 {
		t.Errorf("got %+v", report)
	}
	if report := verify(t, nil); len(report.Findings) != 0 || report.Head != strings.Repeat("0", 64) {
		t.Errorf("an empty log: %+v", report)
	}
}

// TestVerifyHead: the head of a log is the prev of the next record.
func TestVerifyHead(t *testing.T) {
	data := written(t, small()...)
	for n := range lines(data) {
		head := verify(t, bytes.Join(lines(data)[:n], nil)).Head
		if !bytes.Contains(lines(data)[n], []byte(`"prev":"`+head+`"`)) {
			t.Errorf("line %d does not follow %s", n+1, head)
		}
	}
}

func TestVerifyFindings(t *testing.T) {
	whole := lines(written(t, small()...))
	half := whole[2][:len(whole[2])/2]
	other := strings.Replace(string(whole[3]), "backend", "somedir", 1)
	// A record that was made anew, so that its hash is right.
	forged := lines(written(t, small()[1]))[0]
	for _, tt := range []struct {
		name   string
		lines  [][]byte
		want   []string // line and kind of each
		broken bool
	}{
		{"changed", replace(whole, 3, []byte(other)), []string{"4 changed"}, true},
		{"changed and unreadable", replace(whole, 3, bytes.Replace(whole[3], []byte(`"seq"`), []byte(`"seq`), 1)), []string{"4 changed", "6 gap"}, true},
		{"changed at the end", replace(whole, 6, bytes.Replace(whole[6], []byte("done"), []byte("fine"), 1)), []string{"7 changed"}, true},
		{"end taken off", replace(whole, 3, append(bytes.Clone(whole[3][:40]), '\n')), []string{"4 changed", "5 missing", "6 gap"}, true},
		{"end taken off the last", replace(whole, 6, append(bytes.Clone(whole[6][:40]), '\n')), []string{"5 unfinished", "7 changed"}, true},
		{"first removed", whole[1:], []string{"1 missing", "2 gap"}, true},
		{"removed", slices.Delete(slices.Clone(whole), 3, 4), []string{"4 missing", "5 gap"}, true},
		{"last removed", whole[:6], []string{"5 unfinished"}, false},
		{"moved", swap(whole, 3, 4), []string{"4 missing", "5 missing", "6 missing"}, true},
		{"moved within a run", swap(whole, 2, 4), []string{"3 missing", "3 gap", "4 missing", "5 missing", "5 gap", "5 unfinished", "6 missing", "7 gap"}, true},
		{"twice", slices.Insert(slices.Clone(whole), 3, whole[3]), []string{"5 missing", "5 gap"}, true},
		{"replaced by a forged one", replace(whole, 1, forged), []string{"2 missing", "3 missing"}, true},
		{"put in", slices.Insert(slices.Clone(whole), 3, []byte("hello\n")), []string{"4 foreign"}, true},
		{"empty line", slices.Insert(slices.Clone(whole), 3, []byte("\n")), []string{"4 foreign"}, true},
		{"empty line at the end", append(slices.Clone(whole), []byte("\n")), []string{"8 foreign"}, true},
		{"other JSON", append(slices.Clone(whole), []byte(`{"type":1}`+"\n")), []string{"8 foreign"}, true},
		{"broken off at the end", [][]byte{whole[0], whole[1], half}, []string{"1 unfinished", "2 unfinished", "3 torn"}, false},
		{"without its newline", replace(whole, 6, bytes.TrimSuffix(whole[6], []byte("\n"))), []string{"7 torn"}, false},
		{"killed in a call", whole[:3], []string{"2 unfinished", "3 unfinished", "3 unfinished"}, false},
		{"put in as if broken off", slices.Insert(slices.Clone(whole), 2, append(bytes.Clone(half), '\n')), []string{"3 changed"}, true},
		{"too long", append(slices.Clone(whole), bytes.Repeat([]byte("x"), audit.MaxLine+200_000)), []string{"8 foreign"}, true},
		{"too long, and read in whole parts", append(slices.Clone(whole), bytes.Repeat([]byte("x"), audit.MaxLine+64<<10)), []string{"8 foreign"}, true},
		{"a record that is too long", append(slices.Clone(whole), tooLong()), []string{"8 foreign"}, true},
		{"forged after a line that is not a record", append(slices.Clone(whole), []byte("hello\n"), forgedLine(t)), []string{"8 foreign", "9 missing"}, true},
		{"changed, and the next one twice", slices.Insert(replace(whole, 3, []byte(other)), 5, whole[4]), []string{"4 changed", "6 missing", "6 gap"}, true},
		{"changed, and a line put in that is too long", slices.Insert(replace(whole, 3, []byte(other)), 4, tooLong()), []string{"4 changed", "5 foreign", "6 missing"}, true},
		{"a little too long", append(slices.Clone(whole), bytes.Repeat([]byte("x"), audit.MaxLine+1)), []string{"8 foreign"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report := verify(t, bytes.Join(tt.lines, nil))
			var got []string
			for _, f := range report.Findings {
				got = append(got, fmt.Sprint(f.Line, " ", f.Kind))
			}
			if !slices.Equal(got, tt.want) || report.Broken != tt.broken {
				t.Errorf("got %q, broken %v, want %q: %v", got, report.Broken, tt.want, report.Findings)
			}
		})
	}
}

// tooLong is a record whose hash is right.
func tooLong() []byte {
	body := `{"type":"call","asked":"` + strings.Repeat("x", audit.MaxLine) + `"`
	return fmt.Appendf(nil, "%s,\"hash\":\"%x\"}\n", body, sha256.Sum256([]byte(body)))
}

// forgedLine is a record that follows nothing.
func forgedLine(t *testing.T) []byte {
	t.Helper()
	r := newRun("FORGED").end(0, "done", 0, 0, 0)
	r.Seq = 1
	line, err := audit.LineOf(&r)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func replace(lines [][]byte, at int, line []byte) [][]byte {
	lines = slices.Clone(lines)
	lines[at] = line
	return lines
}

func swap(lines [][]byte, a, b int) [][]byte {
	lines = slices.Clone(lines)
	lines[a], lines[b] = lines[b], lines[a]
	return lines
}

// TestVerifyEveryByte changes each byte of a log, takes it away, and cuts the
// log off there.
func TestVerifyEveryByte(t *testing.T) {
	data := written(t, tiny()...)
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1 << (i % 8)
		wantFound(t, changed, "bit %d of byte %d", i%8, i)
		wantFound(t, slices.Delete(bytes.Clone(data), i, i+1), "without byte %d", i)
	}
	for cut := 1; cut < len(data); cut++ {
		wantFound(t, data[:cut], "cut off after byte %d", cut)
	}
}

// TestVerifyEveryLine takes away, doubles and moves each line.
func TestVerifyEveryLine(t *testing.T) {
	whole := lines(written(t, small()...))
	for i := range whole {
		wantFound(t, bytes.Join(slices.Delete(slices.Clone(whole), i, i+1), nil), "without line %d", i)
		for j := range whole {
			wantFound(t, bytes.Join(slices.Insert(slices.Clone(whole), j, whole[i]), nil), "line %d also at %d", i, j)
			if i != j {
				wantFound(t, bytes.Join(swap(whole, i, j), nil), "lines %d and %d swapped", i, j)
			}
		}
	}
}

// tiny is a whole log of few bytes.
func tiny() []audit.Record {
	r := run{audit.Record{Run: "R", Provider: "p", Policies: []audit.Policy{{Layer: "project", Name: "n"}}}}
	start, call := r.record(audit.TypeStart, 0), r.record(audit.TypeCall, 1)
	call.Call, call.Operation, call.Decision = 1, "stat", audit.Allowed
	return []audit.Record{start, call, r.end(2, "done", 0, 1, 0)}
}

func wantFound(t testing.TB, data []byte, format string, args ...any) {
	t.Helper()
	report, err := audit.Examine(bytes.NewReader(data), func(audit.Record) error { return nil })
	if err != nil || len(report.Findings) == 0 {
		t.Errorf("%s is not found, %v", fmt.Sprintf(format, args...), err)
	}
}

// FuzzVerify makes any change to a log and requires that it is found, and that the rest
// is read and shown.
func FuzzVerify(f *testing.F) {
	data := written(f, tiny()...)
	f.Add(0, 1, []byte("X"))
	f.Add(100, 0, []byte("\n"))
	f.Add(len(data), 0, []byte(`{"type":"call"}`+"\n"))
	f.Add(len(lines(data)[0]), len(lines(data)[1]), []byte{})
	f.Fuzz(func(t *testing.T, at, length int, put []byte) {
		if at < 0 || at > len(data) || length < 0 || length > len(data)-at {
			return
		}
		changed := slices.Concat(data[:at], put, data[at+length:])
		if bytes.Equal(changed, data) || len(changed) == 0 {
			return
		}
		report, err := audit.Examine(bytes.NewReader(changed), func(audit.Record) error { return nil })
		if err != nil || len(report.Findings) == 0 {
			t.Errorf("putting %q at %d for %d bytes is not found, %v", put, at, length, err)
		}
	})
}

func TestReadStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	create(t, path, small()...)
	enough, n := errors.New("enough"), 0
	_, err := audit.Read(path, func(audit.Record) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 2 {
		t.Errorf("got %v after %d", err, n)
	}
}

// TestReadChanged: a changed record is shown.
func TestReadChanged(t *testing.T) {
	data := bytes.Replace(written(t, small()...), []byte(`"outcome":"done"`), []byte(`"outcome":"fine"`), 1)
	report, records := read(t, data)
	if len(records) != 7 || records[5].Outcome != "fine" || report.Records != 7 {
		t.Errorf("got %+v", records)
	}
}

func TestReadManyFindings(t *testing.T) {
	for _, line := range []string{"x\n", "\n", `{"type":"` + "\n"} {
		report := verify(t, bytes.Repeat([]byte(line), 5000))
		if len(report.Findings) != 1000 || report.More != 4000 || !report.Broken {
			t.Errorf("%q: %d findings and %d more", line, len(report.Findings), report.More)
		}
	}
}

// TestReadManyTorn: a file full of incomplete lines does not pass for a log whose writers
// were killed.
func TestReadManyTorn(t *testing.T) {
	if report := verify(t, bytes.Repeat([]byte("{\n"), 5000)[:9999]); !report.Broken {
		t.Errorf("got %d findings", len(report.Findings))
	}
}

// TestReadBounded has a line without an end.
func TestReadBounded(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	report, err := audit.Examine(io.LimitReader(zeros{}, 256<<20), func(audit.Record) error { return nil })
	runtime.ReadMemStats(&after)
	if err != nil || len(report.Findings) != 1 {
		t.Errorf("got %+v, %v", report, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d bytes were used", used)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "missing"), os.DevNull} {
		if _, err := audit.Verify(path); err == nil {
			t.Errorf("%s is read", path)
		}
	}
}
