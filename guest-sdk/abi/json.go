package abi

import (
	"encoding/base64"
	"unicode/utf8"
)

// Setter is a value that reads its own JSON. It is not the interface of encoding/json,
// because once that is called, the linker keeps the method of its name of every type,
// and all that the one of time.Time needs.
type Setter interface{ SetJSON(data []byte) error }

// Getter is a value that writes its own JSON. See [Setter].
type Getter interface{ GetJSON() ([]byte, error) }

// JSON is a value in JSON. It is json.RawMessage without encoding/json.
type JSON []byte

// Text returns the text of a string, and false for other values.
func (j JSON) Text() (string, bool) {
	n, err := parse(j)
	return n.text, err == nil && n.kind == '"'
}

// GetJSON returns the value without white space; nil is null.
func (j JSON) GetJSON() ([]byte, error) {
	if j == nil {
		return []byte("null"), nil
	}
	if _, err := parse(j); err != nil {
		return nil, err
	}
	return compact(j), nil
}

// SetJSON copies data.
func (j *JSON) SetJSON(data []byte) error {
	*j = append(JSON(nil), data...)
	return nil
}

// MarshalJSON is GetJSON for encoding/json.
func (j JSON) MarshalJSON() ([]byte, error) { return j.GetJSON() }

// UnmarshalJSON is SetJSON for encoding/json.
func (j *JSON) UnmarshalJSON(data []byte) error { return j.SetJSON(data) }

// compact removes white space, and escapes what appendString does.
func compact(in []byte) []byte {
	var out []byte
	quoted := false
	for i := 0; i < len(in); i++ {
		switch c := in[i]; c {
		case '\\':
			out = append(out, c)
			i++
		case '"':
			quoted = !quoted
		case ' ', '\t', '\r', '\n':
			if !quoted {
				continue
			}
		case '<', '>', '&':
			out = appendEscaped(out, rune(c))
			continue
		case "\u2028"[0]:
			if r, size := utf8.DecodeRune(in[i:]); r == '\u2028' || r == '\u2029' {
				out = appendEscaped(out, r)
				i += size - 1
				continue
			}
		}
		out = append(out, in[i])
	}
	return out
}

// base64Data is []byte, in JSON a string in base64.
type base64Data []byte

func (b base64Data) GetJSON() ([]byte, error) {
	if b == nil {
		return []byte("null"), nil
	}
	return append(base64.StdEncoding.AppendEncode([]byte{'"'}, b), '"'), nil
}

func (b *base64Data) SetJSON(data []byte) error {
	n, err := parse(data)
	if err != nil || n.kind == 'n' {
		return err
	}
	*b, err = base64.StdEncoding.DecodeString(n.text)
	return err
}
