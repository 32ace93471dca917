package yamldoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Document returns a JSON object as YAML for people, in the same order: each text of
// comments above the key at its JSON pointer, and lists of scalars on one line. [Parse]
// reads the same from both.
//
// # Errors
//
// It refuses what is not a JSON object, a key of more than 1000 bytes, and a comment of
// more than one line or with characters that are not [Visible].
func Document(data []byte, comments map[string]string) ([]byte, error) {
	for pointer, comment := range comments {
		if strings.ContainsFunc(comment, func(r rune) bool { return r != ' ' && !Visible(r) }) {
			return nil, fmt.Errorf("the comment at %s has characters that are not visible", pointer)
		}
	}
	w := documentWriter{comments: comments}
	if err := w.mapping(data, "", ""); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	return w.out.Bytes(), nil
}

type documentWriter struct {
	out      bytes.Buffer
	comments map[string]string
}

// parts calls each with the parts of a JSON object or list, with empty keys in a list.
func parts(data []byte, each func(key string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(data))
	kind, err := d.Token()
	if err != nil {
		return err
	}
	for d.More() {
		key := ""
		if kind == json.Delim('{') {
			token, err := d.Token()
			if err != nil {
				return err
			}
			key = token.(string)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := each(key, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("unexpected data after it")
	}
	return nil
}

// mapping writes the lines of an object, of which the first follows what is written.
func (w *documentWriter) mapping(data []byte, pointer, indent string) error {
	if len(data) == 0 || data[0] != '{' {
		return errors.New("it has no {")
	}
	first := true
	return parts(data, func(key string, value json.RawMessage) error {
		at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		name := Quote(key)
		if len(name) > maxKey {
			return fmt.Errorf("a key has more than %d bytes", maxKey)
		}
		if comment := w.comments[at]; comment != "" {
			w.line(indent, first)
			w.out.WriteString("# " + comment + "\n")
			first = false
		}
		w.line(indent, first)
		first = false
		w.out.WriteString(name + ":")
		return w.value(value, at, indent)
	})
}

// line begins a line. The first one of an item follows its dash.
func (w *documentWriter) line(indent string, first bool) {
	if !first || !bytes.HasSuffix(w.out.Bytes(), []byte("- ")) {
		w.out.WriteString(indent)
	}
}

// value writes what follows a key or a dash; indent is that of the key.
func (w *documentWriter) value(data json.RawMessage, pointer, indent string) error {
	switch data[0] {
	case '{':
		if empty(data) {
			w.out.WriteString(" {}\n")
			return nil
		}
		w.out.WriteByte('\n')
		return w.mapping(data, pointer, indent+"  ")
	case '[':
		return w.list(data, pointer, indent)
	}
	text, err := scalarText(data)
	w.out.WriteString(" " + text + "\n")
	return err
}

func empty(data []byte) bool { return len(bytes.TrimSpace(data[1:len(data)-1])) == 0 }

func (w *documentWriter) list(data json.RawMessage, pointer, indent string) error {
	if flow, ok := inOneLine(data); ok {
		w.out.WriteString(" " + flow + "\n")
		return nil
	}
	w.out.WriteByte('\n')
	i := -1
	return parts(data, func(_ string, item json.RawMessage) error {
		i++
		at := pointer + "/" + strconv.Itoa(i)
		w.out.WriteString(indent + "  -")
		if item[0] == '{' && !empty(item) {
			w.out.WriteByte(' ')
			return w.mapping(item, at, indent+"    ")
		}
		return w.value(item, at, indent+"    ")
	})
}

// inOneLine writes a list of scalars, and reports whether it is one.
func inOneLine(data json.RawMessage) (string, bool) {
	var items []string
	err := parts(data, func(_ string, item json.RawMessage) error {
		text, err := scalarText(item)
		items = append(items, text)
		return err
	})
	return "[" + strings.Join(items, ", ") + "]", err == nil
}

func scalarText(data json.RawMessage) (string, error) {
	switch data[0] {
	case '"':
		var s string
		err := json.Unmarshal(data, &s)
		return Quote(s), err
	case '{', '[':
		return "", errors.New("not a scalar")
	}
	return string(data), nil
}
