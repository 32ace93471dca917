package yamldoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
)

// FromJSON returns a JSON document as YAML, one line per value, in the same order.
// [Parse] reads the same from both.
//
// # Errors
//
// It refuses what is not a JSON document, and a key of more than 1000 bytes.
func FromJSON(data []byte) ([]byte, error) {
	w := writer{in: json.NewDecoder(bytes.NewReader(data))}
	w.in.UseNumber()
	token, err := w.in.Token()
	if err == nil {
		err = w.value(token, "")
	}
	if err != nil {
		return nil, fmt.Errorf("not a JSON document: %w", err)
	}
	if _, err := w.in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("unexpected data after the JSON document")
	}
	return append(bytes.TrimPrefix(w.out.Bytes(), []byte(" ")), '\n'), nil
}

type writer struct {
	in  *json.Decoder
	out bytes.Buffer
}

// value writes a value after a key or a dash; indent is that of the lines below.
func (w *writer) value(token json.Token, indent string) error {
	switch token := token.(type) {
	case json.Delim:
		if !w.in.More() {
			_, err := w.in.Token()
			w.out.WriteString(map[json.Delim]string{'{': " {}", '[': " []"}[token])
			return err
		}
		return w.collection(token, indent)
	case string:
		w.out.WriteString(" " + Quote(token))
	case nil:
		w.out.WriteString(" null")
	default:
		fmt.Fprintf(&w.out, " %v", token)
	}
	return nil
}

// collection writes a list or mapping that is not empty.
func (w *writer) collection(kind json.Delim, indent string) error {
	for first := true; w.in.More(); first = false {
		token, err := w.in.Token()
		if err != nil {
			return err
		}
		// The first line of an item follows its dash.
		if !first || !bytes.HasSuffix(w.out.Bytes(), []byte("-")) {
			w.newLine(indent)
		} else {
			w.out.WriteByte(' ')
		}
		if kind == '[' {
			w.out.WriteByte('-')
		} else {
			key := Quote(token.(string))
			if len(key) > maxKey {
				return fmt.Errorf("a key has more than %d bytes", maxKey)
			}
			w.out.WriteString(key + ":")
			if token, err = w.in.Token(); err != nil {
				return err
			}
		}
		if err := w.value(token, indent+"  "); err != nil {
			return err
		}
	}
	_, err := w.in.Token()
	return err
}

// maxKey is the most bytes of a key on one line:
// https://yaml.org/spec/1.2.2/#742-flow-mappings
const maxKey = 1000

func (w *writer) newLine(indent string) {
	if w.out.Len() > 0 {
		w.out.WriteString("\n" + indent)
	}
}

var (
	plainText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./=+@ -]*$`) })
	// oldBool are booleans in YAML 1.1: https://yaml.org/type/bool.html
	oldBool = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`) })
)

// Quote returns a YAML scalar for a string, plain if possible. It has no characters
// that control a terminal.
func Quote(s string) string {
	if plainText().MatchString(s) && !oldBool().MatchString(s) && !strings.HasSuffix(s, " ") {
		if n, err := Parse("", []byte(s)); err == nil && n.Kind() == KindString && n.Text() == s {
			return s
		}
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		writeEscaped(&b, r)
	}
	b.WriteByte('"')
	return b.String()
}

// writeEscaped follows https://yaml.org/spec/1.2.2/#57-escaped-characters.
func writeEscaped(b *strings.Builder, r rune) {
	switch {
	case r == '"' || r == '\\':
		b.WriteByte('\\')
		b.WriteRune(r)
	case Visible(r):
		b.WriteRune(r)
	case r <= 0xff:
		fmt.Fprintf(b, `\x%02x`, r)
	case r <= 0xffff:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}
