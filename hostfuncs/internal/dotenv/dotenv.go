// Package dotenv reads dotenv files as Docker Compose does. It alone imports
// Compose's own reader.
package dotenv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/sirupsen/logrus"
)

// Lookup finds a variable that a file refers to, as ${NAME} or by its bare name.
type Lookup func(name string) (value string, ok bool)

// Parse returns the variables of a file. References are looked up first, then in the
// lines above.
//
// # Errors
//
// An error names the line without its text, which may be a secret.
func Parse(data []byte, lookup Lookup) (map[string]string, error) {
	quiet()
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, errors.New("it is UTF-16, expected UTF-8")
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, fmt.Errorf("line %d has a NUL byte, which no variable can have", 1+bytes.Count(data[:i], []byte("\n")))
	}
	vars, err := expand(data, lookup)
	if err != nil {
		return nil, err
	}
	for name := range vars {
		if !variable().MatchString(name) {
			return nil, errors.New("it has a name that no variable can have")
		}
	}
	return vars, nil
}

// variable matches a name of an environment variable.
var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^=\x00\s]+$`) })

var lineOf = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^line (\d+): `) })

// position adds the line to an error; before is the number of lines above the statement.
func position(err error, before int) error {
	if m := lineOf().FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		return fmt.Errorf("line %d is not a line of a dotenv file", before+line)
	}
	return errors.New("a value in it cannot be read")
}

// quiet keeps the reader from writing to standard error, where nothing is masked.
var quiet = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

// maxBytes bounds all values of a file, and all parts of one value. No program could be
// started with more.
const maxBytes = 1 << 20

// maxWork bounds the reader's time to about a second: for each reference in braces it
// reads the rest of the statement.
const maxWork = 32 << 20

var (
	errTooMuch  = errors.New("its values have more than 1048576 bytes")
	errTooDense = errors.New("it has too many references in long values")
)

// expand reads one statement after another to bound the values: Compose's reader inserts
// values into others without a bound, and 30 lines that each contain the previous one
// twice would be a terabyte.
func expand(data []byte, lookup Lookup) (map[string]string, error) {
	rest := strings.TrimPrefix(string(data), "\uFEFF")
	vars := make(map[string]string)
	for line, total, work := 0, 0, 0; ; {
		skipped, statement := cut(rest)
		if statement == "" {
			return vars, nil
		}
		if work += len(statement) * strings.Count(statement, "${"); work > maxWork {
			return nil, errTooDense
		}
		line += strings.Count(rest[:skipped], "\n")
		values := bounded{lookup: lookup, vars: vars}
		made, err := dotenv.UnmarshalWithLookup(statement, values.find)
		if err != nil {
			return nil, position(err, line)
		}
		for name, value := range made {
			total += len(value)
			vars[name] = value
		}
		if total > maxBytes || values.bytes > maxBytes {
			return nil, errTooMuch
		}
		line += strings.Count(statement, "\n")
		rest = rest[skipped+len(statement):]
	}
}

// bounded looks up the references of a statement, up to maxBytes.
type bounded struct {
	lookup Lookup
	vars   map[string]string // of the statements above
	bytes  int
}

func (b *bounded) find(name string) (string, bool) {
	value, ok := b.lookup(name)
	if !ok {
		value, ok = b.vars[name]
	}
	if b.bytes += len(value); b.bytes > maxBytes {
		return "", ok
	}
	return value, ok
}

// cut returns the length of space and comments, and the first statement after them,
// empty if there is none. It ends where it ends for Compose's reader.
func cut(text string) (skipped int, statement string) {
	for {
		space := strings.IndexFunc(text[skipped:], func(r rune) bool { return !unicode.IsSpace(r) })
		if space < 0 {
			return len(text), ""
		}
		skipped += space
		if text[skipped] != '#' {
			return skipped, text[skipped : skipped+length(text[skipped:])]
		}
		comment := strings.IndexByte(text[skipped:], '\n')
		if comment < 0 {
			return len(text), ""
		}
		skipped += comment
	}
}

// length returns the length of the first statement of a text: a name alone, or a value
// up to the end of the line or to its closing quote.
func length(text string) int {
	at := strings.IndexAny(text, "=:\n")
	if at < 0 {
		return len(text)
	}
	if text[at] == '\n' {
		return at + 1
	}
	at++
	at += len(text[at:]) - len(strings.TrimLeftFunc(text[at:], isSpace))
	if at == len(text) || text[at] != '"' && text[at] != '\'' {
		return at + upTo(text[at:], '\n')
	}
	quote := text[at]
	for at++; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case quote:
			return at + 1
		}
	}
	return len(text)
}

func upTo(text string, end byte) int {
	if i := strings.IndexByte(text, end); i >= 0 {
		return i + 1
	}
	return len(text)
}

// isSpace reports whether a character is space within a line.
func isSpace(r rune) bool { return r != '\n' && strings.ContainsRune("\t\v\f\r \u0085\u00A0", r) }
