// Package redact keeps secret values from being shown: where one occurs in what
// is printed, logged, recorded or handed on, three stars stand in its place.
//
// # Notes
//
// A value is known in the forms that programs commonly give it:
//
//   - as it is, without the line breaks at its end, which stay to be seen
//   - each line of at least [MinLength] bytes that isn't blank, where it has
//     several
//   - in base64, with the standard and the URL alphabet, padded or not, and
//     with a newline or its own line breaks at the end or without; also in
//     lines of 76 or 64 characters, each by itself
//   - escaped for a URL, in the ways of common languages
//   - escaped for a JSON string, with and without HTML escaping
//   - escaped for HTML and XML, and for the single quotes of a shell
//   - with U+FFFD for each byte that isn't UTF-8
//
// Of a value of more than 16 KiB, forms for HTML, XML and shells aren't known,
// nor base64 in lines, nor all the ways to escape for a URL.
//
// All bytes that belong to any occurrence of any form are masked, whether
// occurrences overlap, touch or lie in one another, and each unbroken run of
// such bytes becomes one mask. Taking the leftmost match alone would show the
// end of a value whose start is the end of another.
//
// A value isn't known in other forms: compressed, in hexadecimal, or in base64
// together with other text. Masking is for accidents, it doesn't stop a program
// that wants to tell what it knows.
package redact

import (
	"slices"
	"strings"
	"sync"
)

// MinLength is the length in bytes from which values are masked. Shorter ones
// occur by chance, and text full of masks would tell them.
const MinLength = 4

const stars = "***"

// Set is the values that must not be shown. The zero value is ready for use and
// has none; a nil *Set masks nothing, and nothing can be added to it. A Set is
// safe for use by several goroutines, and must not be copied.
type Set struct {
	mu      sync.Mutex
	values  []string
	matcher *matcher // nil after a change
}

// Add has a value masked from now on. It reports false, and adds nothing, where
// the value without the line breaks at its end is shorter than [MinLength]: it
// is going to be shown, and the user should know. Where nothing is left of it,
// nothing can be shown, and the answer is true.
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

// current returns what finds the values that have been added so far. It is the
// same matcher as before if and only if the values are the same.
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
