package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Parse reads one document; file is its name in positions. An empty document is null. A
// byte order mark is ignored.
//
// # Errors
//
// [Problems], all of them; the parser itself stops at the first.
func Parse(file string, data []byte) (*Node, error) {
	if len(data) > MaxBytes {
		return nil, Problems{{Pos: Pos{File: file}, Message: fmt.Sprintf("the file has more than %d bytes", MaxBytes)}}
	}
	if p, ok := otherEncoding(file, data); ok {
		return nil, Problems{p}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if p, ok := unreadable(file, data); ok {
		return nil, Problems{p}
	}
	root, err := decode(data)
	if err != nil {
		return nil, Problems{syntaxProblem(file, data, err)}
	}
	if root == nil {
		return &Node{kind: KindNull, pos: Pos{file, 1, 1}}, nil
	}
	c := converter{file: file}
	node := c.convert(root, "", 0)
	if err := once(c.problems).Err(); err != nil {
		return nil, err
	}
	return node, nil
}

// once removes duplicates: an anchor's value is read for each alias.
func once(ps Problems) Problems {
	said := make(map[Problem]bool)
	return slices.DeleteFunc(ps, func(p Problem) bool {
		s := Problem{Pos: p.Pos, Message: p.Message}
		again := said[s]
		said[s] = true
		return again
	})
}

// decode returns the root of the only document; nil if there is none. The parser
// reports some errors by panicking.
func decode(data []byte) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	if err := d.Decode(&next); err == nil {
		return nil, fmt.Errorf("yaml: line %d: expected one document, found another", next.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// Visible reports whether a reader sees the character and recognises it.
func Visible(r rune) bool {
	return unicode.IsPrint(r) && r != unicode.ReplacementChar && termtext.HasShape(r)
}

// Word returns a foreign word for display in a line: it is quoted if its ends would not
// be visible, and escaped if it could look like another word or control a terminal.
func Word(word string) string {
	switch {
	case strings.ContainsFunc(word, func(r rune) bool { return !Visible(r) }):
		return strconv.QuoteToASCII(word)
	case word == "" || strings.ContainsAny(word, ` "`):
		return strconv.Quote(word)
	}
	return word
}

// Words returns [Word] of each.
func Words(words []string) []string {
	shown := make([]string, len(words))
	for i, word := range words {
		shown[i] = Word(word)
	}
	return shown
}
