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
	"sync"

	"github.com/sirupsen/logrus"
)

// Lookup finds a variable that a file refers to, as ${NAME}, or by its bare
// name on a line.
type Lookup func(name string) (value string, ok bool)

// Parse gives the variables of a file. What it refers to is looked up first,
// and else taken from the lines above.
//
// # Errors
//
// An error names the line and nothing that stands there, which may be a secret.
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

// variable is a name that can stand in an environment.
var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^=\x00\s]+$`) })

var lineOf = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^line (\d+): `) })

// position says where an error is; before are the lines above the statement that
// was read.
func position(err error, before int) error {
	if m := lineOf().FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		return fmt.Errorf("line %d is no line of a dotenv file", before+line)
	}
	return errors.New("a value in it can't be read")
}

// quiet keeps the reader from writing to standard error by itself, where
// nothing would be masked.
var quiet = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })
