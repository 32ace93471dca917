package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Where a file ends is looked for in its last bytes: first in a few, then in
// more, up to what some broken lines may have.
const (
	firstTail = 8 << 10
	maxTail   = 4 * MaxLine
)

// findEnd reads what the next record of a file of that size must follow.
func findEnd(f io.ReaderAt, size int64) (end, error) {
	for window := int64(firstTail); ; window = min(8*window, maxTail) {
		from := max(0, size-window)
		data := make([]byte, size-from)
		if _, err := f.ReadAt(data, from); err != nil && size > 0 {
			return end{}, err
		}
		e, ok := follow(data, from == 0)
		e.size = size
		switch {
		case ok:
			return e, nil
		case from == 0:
			return end{}, errors.New("it holds something else than an audit log; name another file")
		case window == maxTail:
			return end{}, fmt.Errorf("there is no record in its last %d bytes; name another file", maxTail)
		}
	}
}

// follow finds the last record of a file's last bytes, and what the next one
// must follow. A whole file may also have no record yet, but for the first
// part of one.
func follow(data []byte, whole bool) (end, bool) {
	torn := len(data) > 0 && data[len(data)-1] != '\n'
	for stop := len(data); stop > 0; {
		line := bytes.TrimSuffix(data[:stop], []byte{'\n'})
		start := bytes.LastIndexByte(line, '\n') + 1
		if start == 0 && !whole {
			return end{}, false
		}
		if hash, ok := sealed(line[start:]); ok {
			return end{prev: cover(hash, data[stop:], torn), torn: torn}, true
		}
		stop = start
	}
	for line := range bytes.Lines(data) {
		if !brokenOff(bytes.TrimSuffix(line, []byte{'\n'})) {
			return end{}, false
		}
	}
	return end{prev: cover(origin, data, torn), torn: torn}, true
}

// cover is the prev of a record that comes after one of that hash, with bytes
// between them, to which a newline is still to be added.
func cover(hash string, between []byte, torn bool) string {
	if len(between) == 0 {
		return hash
	}
	if torn {
		return digest([]byte(hash), between, []byte{'\n'})
	}
	return digest([]byte(hash), between)
}
