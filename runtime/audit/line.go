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

// MaxLine is the most bytes of a record's line, without its newline.
const MaxLine = 4 << 20

// opening begins each line.
const opening = `{"type":"`

// The bytes before the hash, and after it.
const hashKey, hashEnd = `,"hash":"`, `"}`

// origin is the hash before the first record.
var origin = strings.Repeat("0", 2*sha256.Size)

// Some numbers of a call and of an end are written even if they are zero. A field of the
// outer struct hides the one of the same name and comes last.
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

// line returns the record's line with its newline, and sets the record's hash.
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
		return nil, fmt.Errorf("the record has %d bytes, the limit is %d", len(line)-1, MaxLine)
	}
	return line, nil
}

// plain escapes control characters, and those that change the order of text, in JSON.
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

// steers reports whether a character is to be escaped. Bytes that are not UTF-8 are.
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

// split separates the hash from a line that ends like a record.
func split(line []byte) (body []byte, hash string, ok bool) {
	at := len(line) - len(hashKey) - len(origin) - len(hashEnd)
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(hashKey)) || !bytes.HasSuffix(line, []byte(hashEnd)) {
		return nil, "", false
	}
	return line[:at], string(line[at+len(hashKey) : len(line)-len(hashEnd)]), true
}

// sealed reports whether a line has its own hash.
func sealed(line []byte) (hash string, ok bool) {
	body, hash, ok := split(line)
	return hash, ok && len(line) <= MaxLine && digest(body) == hash
}

// incomplete reports whether a line may be the first part of a record.
func incomplete(line []byte) bool {
	n := min(len(line), len(opening))
	_, _, ended := split(line)
	return n > 0 && string(line[:n]) == opening[:n] && !ended && !json.Valid(line)
}
