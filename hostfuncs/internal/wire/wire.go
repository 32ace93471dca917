// Package wire encodes messages between two processes of this program: numbers as
// varints, texts and lists with their length before them.
package wire

import (
	"encoding/binary"
	"errors"
)

// ErrMalformed reports data that is cut off, too long or otherwise not a message.
var ErrMalformed = errors.New("malformed message")

// AppendText appends a text.
func AppendText(data []byte, text string) []byte {
	return append(binary.AppendUvarint(data, uint64(len(text))), text...)
}

// AppendTexts appends a list of texts.
func AppendTexts(data []byte, texts []string) []byte {
	data = binary.AppendUvarint(data, uint64(len(texts)))
	for _, text := range texts {
		data = AppendText(data, text)
	}
	return data
}

// Reader reads a message. After something malformed it returns zero values, and
// [Reader.Done] an error.
type Reader struct {
	data []byte
	bad  bool
}

// NewReader returns a reader of a whole message.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Number reads a number.
func (r *Reader) Number() uint64 {
	n, size := binary.Uvarint(r.data)
	if r.bad || size <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[size:]
	return n
}

// Count reads the length of a list, each element of which takes at least a byte.
func (r *Reader) Count() uint64 {
	n := r.Number()
	if n > uint64(len(r.data)) {
		r.bad = true
		return 0
	}
	return n
}

// Text reads a text.
func (r *Reader) Text() string {
	n := r.Count()
	text := string(r.data[:n])
	r.data = r.data[n:]
	return text
}

// Texts reads a list of texts.
func (r *Reader) Texts() []string {
	texts := make([]string, r.Count())
	for i := range texts {
		texts[i] = r.Text()
	}
	return texts
}

// Done returns [ErrMalformed] unless the message was read whole and well-formed.
func (r *Reader) Done() error {
	if r.bad || len(r.data) > 0 {
		return ErrMalformed
	}
	return nil
}
