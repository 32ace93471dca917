package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Heads is a directory of the user that keeps the last head of each log written on this
// machine, since a log without its last runs looks complete. Empty keeps nothing.
type Heads string

// Head is a record that was the last of a log.
type Head struct {
	Hash string `json:"hash"`
	// Size is that of the log with this record, in bytes.
	Size int64     `json:"size"`
	Time time.Time `json:"time"`
}

// keptHeads are the heads of one log.
type keptHeads struct {
	// Log is its path, absolute and with links resolved.
	Log string `json:"log"`
	// First is the hash of its first record. A log with another one is another log.
	First string `json:"first"`
	Last  Head   `json:"last"`
	// Lost are earlier heads that the log no longer had when it was written again.
	Lost []Head `json:"lost,omitempty"`
	// Earlier is the last head of another log that was at this path before.
	Earlier *Head `json:"earlier,omitempty"`
}

const (
	maxHeads = 64 << 10 // bytes of a file
	maxLost  = 8
)

// file is the file with the heads of a log, in a directory of its own.
func (h Heads) file(log string) string {
	sum := sha256.Sum256([]byte(log))
	return filepath.Join(string(h), hex.EncodeToString(sum[:]), "heads.json")
}

// read returns the heads of a log, or nil.
func (h Heads) read(log string) *keptHeads {
	if h == "" {
		return nil
	}
	f, err := safefile.OpenOwn(h.file(log))
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxHeads))
	var kept keptHeads
	if err != nil || json.Unmarshal(data, &kept) != nil || kept.Log != log {
		return nil
	}
	return &kept
}

// keep records a head of a log that is locked. An earlier head that the log no longer has
// stays recorded.
func (h Heads) keep(f *os.File, head Head) error {
	if h == "" {
		return nil
	}
	log, err := safefile.Resolve(f.Name())
	if err != nil {
		return err
	}
	if err := h.prepare(log); err != nil {
		return err
	}
	now := keptHeads{Log: log, First: firstRecord(f), Last: head}
	if before := h.read(log); before != nil {
		now.follow(*before, f)
	}
	data, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(h.file(log), append(data, '\n'))
}

// prepare makes the directory for a log, and removes what a run that was killed while
// writing left there.
func (h Heads) prepare(log string) error {
	file := h.file(log)
	for _, dir := range []string{string(h), filepath.Dir(file)} {
		if err := privatedir.Make(dir); err != nil {
			return err
		}
	}
	left, err := os.ReadDir(filepath.Dir(file))
	for _, entry := range left {
		if entry.Name() != filepath.Base(file) {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(file), entry.Name())))
		}
	}
	return err
}

// follow takes over the heads recorded before for this path.
func (k *keptHeads) follow(before keptHeads, log io.ReaderAt) {
	if before.First != k.First {
		k.Earlier = &before.Last
		return
	}
	k.Lost, k.Earlier = before.Lost, before.Earlier
	if !before.Last.isIn(log) && len(k.Lost) < maxLost {
		k.Lost = append(k.Lost, before.Last)
	}
}

// isIn reports whether a log has a head where it was.
func (h Head) isIn(log io.ReaderAt) bool {
	tail := []byte(hashKey + h.Hash + hashEnd + "\n")
	data := make([]byte, len(tail))
	_, err := log.ReadAt(data, h.Size-int64(len(tail)))
	return err == nil && bytes.Equal(data, tail)
}

// firstRecord is the hash of a log's first record, or empty.
func firstRecord(log io.ReaderAt) string {
	lines := newLines(io.NewSectionReader(log, 0, MaxLine+1))
	for {
		ended, err := lines.next(func([]byte) {})
		if hash, ok := sealed(lines.line); ok && err == nil {
			return hash
		}
		if err != nil || !ended {
			return ""
		}
	}
}

// EndState says whether a log has its end.
type EndState string

// The states of a log's end.
const (
	EndKept    EndState = "kept"    // the log has all its recorded heads
	EndCut     EndState = "cut"     // a recorded head is missing
	EndUnknown EndState = "unknown" // no head is recorded
	EndOther   EndState = "other"   // the recorded heads are of another log
)

// End compares a log's end with the recorded heads.
type End struct {
	State EndState
	// File has the heads, and Last is the last of them; both are empty if none is
	// recorded. Earlier is the last head of another log that was at this path before.
	File, Last, Earlier string

	missing []Head
}

// End finds the recorded heads of a log. The result is complete once [End.See] got all
// records and [End.Finish] was called.
func (h Heads) End(path string) *End {
	log, err := safefile.Resolve(path)
	if err != nil {
		return &End{State: EndUnknown}
	}
	kept := h.read(log)
	if kept == nil {
		return &End{State: EndUnknown}
	}
	e := &End{State: EndOther, File: h.file(log), Last: kept.Last.Hash}
	f, err := safefile.Open(log, os.O_RDONLY)
	if err != nil {
		return e
	}
	defer f.Close()
	// A log without a record is not another log: all of it was cut off.
	if first := firstRecord(f); first == kept.First || first == "" {
		e.State, e.missing = EndKept, append(kept.Lost, kept.Last)
	}
	if kept.Earlier != nil {
		e.Earlier = kept.Earlier.Hash
	}
	return e
}

// See takes a record of the log.
func (e *End) See(r Record) {
	for i, head := range e.missing {
		if head.Hash == r.Hash {
			e.missing = append(e.missing[:i:i], e.missing[i+1:]...)
			return
		}
	}
}

// Finish reports the missing heads.
func (e *End) Finish(report *Report) {
	for _, head := range e.missing {
		e.State = EndCut
		report.Miss(fmt.Sprintf("the end was cut off: record %s, the last one at %s, is missing",
			head.Hash, head.Time.UTC().Format(time.RFC3339)))
	}
}

// Miss adds a finding: a record that was known is missing.
func (r *Report) Miss(text string) {
	r.Findings, r.Broken = append(r.Findings, Finding{Kind: Missing, Text: text}), true
}
