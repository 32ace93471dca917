package redact

import (
	"bytes"
	"encoding/json"
	"io"
)

// JSON returns a JSON document, or several such as JSON lines, with the values masked
// in its strings. A number, true, false or null that equals a value becomes a string.
// All else stays byte for byte, names of members too. Data that is not JSON is masked
// by [Set.Text]. The result may be data itself, which is not changed.
func (s *Set) JSON(data []byte) []byte {
	if s.Empty() {
		return data
	}
	if !isJSON(data) {
		return []byte(s.Text(string(data)))
	}
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		n := tokenLen(data)
		token := data[:n]
		data = data[n:]
		if !isName(token, data) {
			token = s.token(token)
		}
		out = append(out, token...)
	}
	return out
}

// token returns a token masked.
func (s *Set) token(token []byte) []byte {
	switch {
	case token[0] == '"':
		var text string
		if err := json.Unmarshal(token, &text); err != nil {
			panic(err) // isJSON has checked it
		}
		if masked := s.Text(text); masked != text {
			return []byte(quoteJSON(masked, false))
		}
	case s.Text(string(token)) == stars:
		return []byte(`"` + stars + `"`)
	}
	return token
}

// isJSON reports whether data is any number of JSON documents. A decoder reads 00 as
// two of them; others refuse it.
func isJSON(data []byte) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		var document json.RawMessage
		if err := d.Decode(&document); err != nil {
			return err == io.EOF
		}
		end := d.InputOffset()
		if end < int64(len(data)) && isLiteral(data[end-1]) && isLiteral(data[end]) {
			return false
		}
	}
}

// tokenLen returns the length of the first token of valid JSON.
func tokenLen(data []byte) int {
	n := 1
	switch {
	case data[0] == '"':
		for data[n] != '"' {
			if data[n] == '\\' {
				n++
			}
			n++
		}
		n++
	case isLiteral(data[0]):
		for n < len(data) && isLiteral(data[n]) {
			n++
		}
	}
	return n
}

// isLiteral reports whether c can be in a number, true, false or null.
func isLiteral(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '.' || c == '+' || c == '-'
}

// isName reports whether a token of valid JSON is the name of a member.
func isName(token, after []byte) bool {
	return token[0] == '"' && bytes.HasPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte(":"))
}
