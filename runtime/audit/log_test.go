package audit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

func TestAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, path)
	prev := strings.Repeat("0", 64)
	for i, r := range small() {
		if err := l.Append(&r); err != nil {
			t.Fatal(err)
		}
		if r.Prev != prev {
			t.Errorf("record %d follows %s, want %s", i, r.Prev, prev)
		}
		prev = r.Hash
	}
	report, records := readFile(t, path)
	if report.Head != prev || len(records) != len(small()) {
		t.Errorf("got %+v", report)
	}
	for i, want := range small() {
		got := records[i]
		want.Seq, want.Prev, want.Hash = []int{1, 1, 2, 2, 3, 3, 4}[i], got.Prev, got.Hash
		if !reflect.DeepEqual(got, want) {
			t.Errorf("record %d is read as\n%+v, want\n%+v", i, got, want)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}

// TestFormat holds the format that others read.
func TestFormat(t *testing.T) {
	r := newRun("RUN")
	denied := r.denied(2, 20, "exec npm publish")
	data := written(t, r.start("dev"), r.begin(1, 10, "exec npm run dev"), r.exit(r.call(1, 15, 5, "exec", "exec npm run dev"), 0),
		denied, r.end(30, "denied", 3, 2, 1), r.end(0, "done", 0, 0, 0), r.call(0, 0, 0, "", ""))
	golden(t, "testdata/format.golden", data)
}

// TestFieldsKeep: every field of a record is read back.
func TestFieldsKeep(t *testing.T) {
	code := 3
	r := audit.Record{
		Time: began, Run: "R", Provider: "p", SHA256: digest, Policies: []audit.Policy{{Layer: "project", Name: "n", SHA256: digest}},
		Command: "dev", Versions: map[string]string{"go": "1"}, Config: &audit.File{Name: "c", SHA256: digest}, Confinement: "none",
		Call: 1, Operation: "exec", Asked: "exec a", Claim: json.RawMessage(`{"a":[1]}`),
		Decision: audit.Denied, Layer: "project", Rule: "a", RuleFile: "f", RuleLine: 2, Reason: "why",
		Layers: []audit.Layer{{Layer: "project", Name: "n", Decision: audit.Denied, Rule: "a", File: "f", Line: 2}},
		Signal: "SIGKILL", Unchanged: true, RequestBytes: 4, ReplyBytes: 5, Outcome: "failed", Calls: 6, Denied: 7,
		Changed: []audit.Change{{Name: "f", How: "removed"}},
		Error:   &audit.Failure{Code: "failed", Message: "m"}, ExitCode: &code, DurationMS: 1.5,
	}
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Type" && name != "Seq" && name != "Prev" && name != "Hash" {
			t.Errorf("%s is not tested", name)
		}
	}
	for _, kind := range []string{audit.TypeStart, audit.TypeBegin, audit.TypeCall, audit.TypeEnd} {
		want := r
		want.Type = kind
		line, err := audit.LineOf(&want)
		if err != nil {
			t.Fatal(err)
		}
		var got audit.Record
		if err := json.Unmarshal(line, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

// TestAppendPlain has text that a terminal would obey.
func TestAppendPlain(t *testing.T) {
	const text = "größe <&> \x1b[2J\x7f\u009b2J\u202egnp.exe\u2028\ufeff\U000e0001\n"
	r := newRun("RUN").call(1, 0, 0, "exec", text)
	r.Claim = json.RawMessage("{\n\"a\": \"\u009b\u202e\xff\"}")
	data := written(t, r)
	for _, c := range strings.TrimSuffix(string(data), "\n") {
		if c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0) || c == '\u202e' || c == '\u2028' || c == '\ufeff' || c == '\U000e0001' {
			t.Errorf("%q reaches the terminal in %q", c, data)
		}
	}
	if !bytes.Contains(data, []byte("größe <&>")) {
		t.Errorf("plain text was changed: %s", data)
	}
	report, records := read(t, data)
	if report.Broken || records[0].Asked != text {
		t.Errorf("got %q, %+v", records[0].Asked, report)
	}
}

// TestAppendUTC: the times of a log can be compared as text.
func TestAppendUTC(t *testing.T) {
	r := newRun("RUN").start("dev")
	r.Time = r.Time.In(time.FixedZone("", 7200))
	if data := written(t, r); !bytes.Contains(data, []byte(`"time":"2026-07-05T12:00:00.123456789Z"`)) {
		t.Errorf("got %s", data)
	}
}

// TestAppendGoroutines has several writers in one process, with a Log of
// their own and without.
func TestAppendGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var wg sync.WaitGroup
	shared := open(t, path)
	for i := range 8 {
		l := shared
		if i%2 == 0 {
			l = open(t, path)
		}
		wg.Go(func() {
			r := newRun(string(rune('A' + i)))
			for n := range 50 {
				rec := r.call(n+1, n, 1, "exec", "exec true")
				if err := l.Append(&rec); err != nil {
					t.Error(err)
				}
			}
			rec := r.end(60, "done", 0, 50, 0)
			if err := l.Append(&rec); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if report, _ := readFile(t, path); len(report.Findings) != 0 || report.Records != 8*51 || report.Runs != 8 {
		t.Errorf("got %+v", report)
	}
}

// TestAppendAfterTorn: the next record leaves what a kill left at the end of a log, and
// covers it.
func TestAppendAfterTorn(t *testing.T) {
	whole := written(t, small()...)
	half := lines(whole)[2][:50]
	for _, tt := range []struct {
		name string
		left []byte
		torn int // findings
	}{
		{"half a line", bytes.Join([][]byte{whole, half}, nil), 1},
		{"one byte", append(bytes.Clone(whole), '{'), 1},
		{"two of them", bytes.Join([][]byte{whole, half, []byte("\n"), half}, nil), 2},
		{"no newline", bytes.TrimSuffix(whole, []byte("\n")), 0},
		{"half of the first", half, 1},
		{"more than is read at first", bytes.Join([][]byte{whole, half, bytes.Repeat([]byte("x"), 100_000)}, nil), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, tt.left, 0o600); err != nil {
				t.Fatal(err)
			}
			r := newRun("NEXT")
			create(t, path, r.start("dev"), r.end(1, "done", 0, 0, 0))
			data := content(t, path)
			if !bytes.HasPrefix(data, append(bytes.Clone(tt.left), '\n')) {
				t.Fatalf("what was left was changed")
			}
			report := verify(t, data)
			if report.Broken || len(report.Findings) != tt.torn {
				t.Errorf("got %+v", report)
			}
			for _, f := range report.Findings {
				if f.Kind != audit.Torn {
					t.Errorf("got %v", f)
				}
			}
			// The bytes that were left are covered too.
			for i := max(0, len(tt.left)-40); i < len(tt.left); i++ {
				changed := bytes.Clone(data)
				changed[i] ^= 1
				if !verify(t, changed).Broken {
					t.Fatalf("a change of byte %d, of what was left, is not found", i)
				}
			}
		})
	}
}

// TestAppendAfterTruncation has a log cut off while it is written to.
func TestAppendAfterTruncation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, path)
	for _, r := range small()[:4] {
		if err := l.Append(&r); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{len(lines(content(t, path))[0]), 0} {
		if err := os.Truncate(path, int64(size)); err != nil {
			t.Fatal(err)
		}
		r := small()[4]
		if err := l.Append(&r); err != nil {
			t.Fatal(err)
		}
		if report, _ := readFile(t, path); !report.Broken || report.Findings[0].Kind != audit.Gap {
			t.Errorf("cut off to %d bytes: %+v", size, report)
		}
	}
}

// TestAppendRefuses: after a refused record the log is as before and takes the next one.
func TestAppendRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, path)
	r := newRun("RUN")
	first := r.start("dev")
	if err := l.Append(&first); err != nil {
		t.Fatal(err)
	}
	before := content(t, path)
	long, broken, ancient := r.record(audit.TypeCall, 0), r.record(audit.TypeCall, 0), r.record(audit.TypeCall, 0)
	long.Asked = strings.Repeat("x", audit.MaxLine)
	broken.Claim = json.RawMessage(`{`)
	ancient.Time = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, rec := range []audit.Record{long, broken, ancient} {
		if err := l.Append(&rec); err == nil {
			t.Errorf("%.100v was written", rec)
		}
	}
	if !bytes.Equal(content(t, path), before) {
		t.Error("the log was changed")
	}
	last := r.end(1, "done", 0, 0, 0)
	if err := l.Append(&last); err != nil {
		t.Error(err)
	}
	if report, _ := readFile(t, path); len(report.Findings) > 0 || report.Records != 2 {
		t.Errorf("got %+v", report)
	}
}

// TestAppendLongest: the longest line can be read.
func TestAppendLongest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := newRun("RUN").record(audit.TypeCall, 0)
	r.Prev, r.Seq = strings.Repeat("0", 64), 1
	line, err := audit.LineOf(&r)
	if err != nil {
		t.Fatal(err)
	}
	r.Asked = strings.Repeat("x", audit.MaxLine-(len(line)-1)-len(`"asked":"",`))
	create(t, path, r)
	if info, err := os.Stat(path); err != nil || info.Size() != audit.MaxLine+1 {
		t.Errorf("got %v, %v", info.Size(), err)
	}
	// A Log of its own has to find the end.
	create(t, path, newRun("NEXT").end(1, "done", 0, 0, 0))
	if report, _ := readFile(t, path); report.Broken || report.Records != 2 {
		t.Errorf("got %+v", report)
	}
}

func TestAppendLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, path)
	l.SetWait(0)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := audit.Lock(f); err != nil {
		t.Fatal(err)
	}
	r := newRun("RUN").start("dev")
	if err := l.Append(&r); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("got %v", err)
	}
	f.Close()
	if err := l.Append(&r); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"stagecraft.yml": "version: 1\n", "package.json": "{\n}\n", "empty lines": "\n\n", "module": `{"type":"module"}`, "big": strings.Repeat("line\n", 5<<20),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Open(path, audit.Options{}); err == nil || !strings.Contains(err.Error(), "name another file") {
			t.Errorf("%s: got %v", name, err)
		}
		if string(content(t, path)) != text {
			t.Errorf("%s was changed", name)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing", "log"), os.DevNull} {
		if _, err := audit.Open(path, audit.Options{}); err == nil {
			t.Errorf("%s is opened", path)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log")
	l := open(b, path)
	r := newRun("RUN").call(1, 10, 5, "exec", "exec npm run dev in backend with NODE_ENV")
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Append(&r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log")
	l := open(b, path)
	r := newRun("RUN").call(1, 10, 5, "exec", "exec npm run dev in backend with NODE_ENV")
	for range 1000 {
		if err := l.Append(&r); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if report, err := audit.Verify(path); err != nil || report.Records != 1000 {
			b.Fatal(report, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "µs/record")
}
