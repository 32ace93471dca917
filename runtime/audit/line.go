package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// MaxLine is the most bytes that the line of a record may have, without its
// newline.
const MaxLine = 4 << 20

// opening is what each line begins with, as Record is written.
const opening = `{"type":"`

// Before the hash, and after it.
const hashKey, hashEnd = `,"hash":"`, `"}`

// origin is the hash before the first record.
var origin = strings.Repeat("0", 2*sha256.Size)

// Some numbers of a call and of an end are told even if they are zero. A field
// of the outer struct hides its namesake, and stands at the end.
type (
	callLine struct {
		*Record
		DurationMS   float64 `json:"duration_ms"`
		RequestBytes int     `json:"request_bytes"`
		ReplyBytes   int     `json:"reply_bytes"`
		Prev         string  `json:"prev"`
		Hash         string  `json:"hash"`
	}
	endLine struct {
		*Record
		Calls      int     `json:"calls"`
		Denied     int     `json:"denied"`
		DurationMS float64 `json:"duration_ms"`
		Prev       string  `json:"prev"`
		Hash       string  `json:"hash"`
	}
)

// line is the record as it stands in a log, with its newline. It sets the
// record's hash.
func (r *Record) line() ([]byte, error) {
	r.Hash = ""
	var v any = r
	switch r.Type {
	case TypeCall:
		v = callLine{r, r.DurationMS, r.RequestBytes, r.ReplyBytes, r.Prev, ""}
	case TypeEnd:
		v = endLine{r, r.Calls, r.Denied, r.DurationMS, r.Prev, ""}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	body := plain(bytes.TrimSuffix(b.Bytes(), []byte(hashKey+hashEnd+"\n")))
	r.Hash = digest(body)
	line := append(append(append(append(body, hashKey...), r.Hash...), hashEnd...), '\n')
	if len(line) > MaxLine+1 {
		return nil, fmt.Errorf("the record has %d bytes, a line of the log at most %d", len(line)-1, MaxLine)
	}
	return line, nil
}

// plain gives JSON without characters that a terminal would obey or show in
// another order. It is the same to whoever reads JSON.
func plain(data []byte) []byte {
	if !slices.ContainsFunc(data, func(c byte) bool { return c > '~' }) {
		return data
	}
	var b bytes.Buffer
	for _, r := range string(data) {
		if !steers(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes()
}

// steers also takes bytes that are no UTF-8 for such a character.
func steers(r rune) bool {
	return r > '~' && (r == unicode.ReplacementChar || !unicode.IsPrint(r))
}

func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// split takes the hash off a line that ends as a record's does.
func split(line []byte) (body []byte, hash string, ok bool) {
	at := len(line) - len(hashKey) - len(origin) - len(hashEnd)
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(hashKey)) || !bytes.HasSuffix(line, []byte(hashEnd)) {
		return nil, "", false
	}
	return line[:at], string(line[at+len(hashKey) : len(line)-len(hashEnd)]), true
}

// sealed tells whether a line is as its writer left it, and gives its hash.
func sealed(line []byte) (hash string, ok bool) {
	body, hash, ok := split(line)
	return hash, ok && len(line) <= MaxLine && digest(body) == hash
}

// brokenOff tells whether a line may be the first part of a record.
func brokenOff(line []byte) bool {
	n := min(len(line), len(opening))
	_, _, ended := split(line)
	return n > 0 && string(line[:n]) == opening[:n] && !ended && !json.Valid(line)
}
