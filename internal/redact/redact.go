// Package redact masks secret values in what is printed, logged, recorded or passed
// on: three stars replace each occurrence.
//
// # Notes
//
// A value is found in the forms that programs commonly print:
//
//   - unchanged, without line breaks at its end, which stay visible
//   - each line of at least [MinLength] bytes that is not blank
//   - in base64, with the standard and the URL alphabet, padded or not, with and
//     without line breaks at its end; also in lines of 76 or 64 characters
//   - escaped for a URL, in the ways of common languages
//   - escaped for a JSON string, with and without HTML escaping
//   - escaped for HTML and XML, and for the single quotes of a shell
//   - with U+FFFD for each byte that is not UTF-8
//
// Not found of a value over 16 KiB: forms for HTML, XML and shells, base64 in lines,
// and some ways to escape for a URL.
//
// Each byte of any occurrence is masked, also where occurrences overlap, and each run
// of such bytes becomes one mask. The leftmost match alone would show the end of a
// value that begins within another.
//
// Other forms are not found: compressed, in hexadecimal, or in base64 together with
// other text. Masking prevents accidents; it does not stop a program that means to
// reveal a value.
package redact

import (
	"slices"
	"strings"
	"sync"
)

// MinLength is the least length in bytes of a value that is masked. Shorter ones
// occur by chance, and the masks would reveal them.
const MinLength = 4

const stars = "***"

// Set is a set of secret values. The zero value is an empty set; a nil *Set masks
// nothing, and nothing can be added to it. A Set is safe for concurrent use and must
// not be copied.
type Set struct {
	mu      sync.Mutex
	values  []string
	matcher *matcher // nil after a change
}

// Add adds a value. It returns false and adds nothing if the value, without line
// breaks at its end, is shorter than [MinLength]: it is not masked, and the user
// should know. For a value without other characters it returns true.
func (s *Set) Add(value string) (masked bool) {
	switch n := len(trimBreaks(value)); {
	case n == 0:
		return true
	case n < MinLength:
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.values, value) {
		s.values = append(s.values, strings.Clone(value))
		s.matcher = nil
	}
	return true
}

// Empty reports whether there is nothing to mask.
func (s *Set) Empty() bool {
	return s.current() == noValues
}

// Text returns text with the values masked.
func (s *Set) Text(text string) string {
	m := s.current()
	if m == noValues {
		return text
	}
	data := []byte(text)
	scan := scanner{matcher: m}
	scan.read(data)
	if len(scan.spans) == 0 {
		return text
	}
	return string(scan.appendMasked(nil, data))
}

// current returns the matcher of all values added so far. It is the previous matcher
// if and only if the values are the same.
func (s *Set) current() *matcher {
	if s == nil {
		return noValues
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.values) == 0 {
		return noValues
	}
	if s.matcher == nil {
		s.matcher = newMatcher(s.values)
	}
	return s.matcher
}
