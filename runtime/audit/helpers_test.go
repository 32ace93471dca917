package audit_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

var update = flag.Bool("update", false, "write the golden files")

const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// began is when the runs of the tests begin.
var began = time.Date(2026, 7, 5, 12, 0, 0, 123456789, time.UTC)

func create(t testing.TB, path string, records ...audit.Record) {
	t.Helper()
	l := open(t, path)
	for _, r := range records {
		if err := l.Append(&r); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t testing.TB, path string) *audit.Log {
	t.Helper()
	l, err := audit.Open(path, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// written is what a log of the records holds.
func written(t testing.TB, records ...audit.Record) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	create(t, path, records...)
	return content(t, path)
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// verify reports on a file of that content.
func verify(t testing.TB, data []byte) audit.Report {
	t.Helper()
	report, _ := read(t, data)
	return report
}

func read(t testing.TB, data []byte) (audit.Report, []audit.Record) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return readFile(t, path)
}

func readFile(t testing.TB, path string) (audit.Report, []audit.Record) {
	t.Helper()
	var records []audit.Record
	report, err := audit.Read(path, func(r audit.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return report, records
}

// lines are with their newlines.
func lines(data []byte) [][]byte { return slices.Collect(bytes.Lines(data)) }

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := content(t, path); !bytes.Equal(got, want) {
		t.Errorf("%s differs; run the test with -update if that is right. It is now\n%s", path, got)
	}
}

// run makes the records of one run, each some milliseconds after the begin.
type run struct{ base audit.Record }

func newRun(id string) run {
	return run{audit.Record{Run: id, Provider: "generic", SHA256: digest, Policies: []audit.Policy{
		{Layer: "asked", Name: "the provider generic", SHA256: digest},
		{Layer: "project", Name: "stagecraft.policy.yml", SHA256: digest},
		{Layer: "ceiling", Name: "/etc/stagecraft/ceiling.yml", SHA256: digest},
	}}}
}

func (r run) record(kind string, ms int) audit.Record {
	rec := r.base
	rec.Type, rec.Time = kind, began.Add(time.Duration(ms)*time.Millisecond)
	return rec
}

func (r run) start(command string) audit.Record {
	rec := r.record(audit.TypeStart, 0)
	rec.Command, rec.Confinement = command, "none"
	rec.Versions = map[string]string{"stagecraft": "1.2.0", "go": "go1.26", "abi": "1", "os": "linux", "arch": "amd64"}
	rec.Config = &audit.File{Name: "stagecraft.yml", SHA256: digest}
	return rec
}

func (r run) begin(number, ms int, asked string) audit.Record {
	rec := r.record(audit.TypeBegin, ms)
	rec.Call, rec.Operation, rec.Asked = number, "exec", asked
	rec.Claim = json.RawMessage(`{"operation":"exec"}`)
	return rec
}

func (r run) call(number, ms int, took float64, operation, asked string) audit.Record {
	rec := r.record(audit.TypeCall, ms)
	rec.Call, rec.Operation, rec.Asked, rec.DurationMS = number, operation, asked, took
	rec.Claim = json.RawMessage(`{"operation":"` + operation + `"}`)
	rec.RequestBytes, rec.ReplyBytes = 120, 15
	rec.Decision, rec.Layer = audit.Allowed, "project"
	rec.Rule, rec.RuleFile, rec.RuleLine = "npm run *", "stagecraft.policy.yml", 5
	rec.Reason = `allowed by "npm run *", stagecraft.policy.yml:5`
	rec.Layers = []audit.Layer{
		{Layer: "asked", Name: "the provider generic", Decision: audit.Allowed},
		{Layer: "project", Name: "stagecraft.policy.yml", Decision: audit.Allowed, Rule: "npm run *", File: "stagecraft.policy.yml", Line: 5},
		{Layer: "ceiling", Name: "/etc/stagecraft/ceiling.yml", Decision: audit.Allowed, Rule: "npm **", File: "/etc/stagecraft/ceiling.yml", Line: 12},
	}
	return rec
}

func (r run) exit(rec audit.Record, code int) audit.Record {
	rec.ExitCode = &code
	return rec
}

func (r run) denied(number, ms int, asked string) audit.Record {
	rec := r.call(number, ms, 0.2, "exec", asked)
	rec.Decision, rec.Layer = audit.Denied, "ceiling"
	rec.Rule, rec.RuleFile, rec.RuleLine = "npm publish **", "/etc/stagecraft/ceiling.yml", 14
	rec.Reason = `denied by "npm publish **", /etc/stagecraft/ceiling.yml:14`
	rec.Layers[2] = audit.Layer{Layer: "ceiling", Name: "/etc/stagecraft/ceiling.yml", Decision: audit.Denied,
		Rule: "npm publish **", File: "/etc/stagecraft/ceiling.yml", Line: 14}
	rec.Error = &audit.Failure{Code: "denied", Message: rec.Reason}
	return rec
}

func (r run) end(ms int, outcome string, code, calls, denied int) audit.Record {
	rec := r.record(audit.TypeEnd, ms)
	rec.Outcome, rec.ExitCode, rec.Calls, rec.Denied, rec.DurationMS = outcome, &code, calls, denied, float64(ms)
	return rec
}

// small is a whole log of two runs that took turns.
func small() []audit.Record {
	a, b := newRun("AAAA"), newRun("BBBB")
	return []audit.Record{
		a.start("dev"), b.start("build"),
		a.begin(1, 10, "exec npm run dev"), b.call(1, 12, 1, "stat", "stat backend/package.json"),
		a.exit(a.call(1, 4000, 3990, "exec", "exec npm run dev"), 0), b.end(500, "done", 0, 1, 0),
		a.end(4100, "done", 0, 1, 0),
	}
}
