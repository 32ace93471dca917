package wire

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

func TestReader(t *testing.T) {
	data := binary.AppendUvarint(nil, 1<<63)
	data = AppendText(data, "a\x00\xff")
	data = AppendTexts(data, []string{"", "b"})
	for cut := range len(data) {
		r := NewReader(data[:cut])
		r.Number()
		r.Text()
		r.Texts()
		if !errors.Is(r.Done(), ErrMalformed) {
			t.Errorf("%d bytes of %d are taken for a message", cut, len(data))
		}
	}
	r := NewReader(data)
	if n, text, texts := r.Number(), r.Text(), r.Texts(); n != 1<<63 || text != "a\x00\xff" || !slices.Equal(texts, []string{"", "b"}) {
		t.Errorf("got %d, %q, %q", n, text, texts)
	}
	if err := r.Done(); err != nil {
		t.Error(err)
	}
	r = NewReader(append(data, 0))
	r.Number()
	r.Text()
	r.Texts()
	if !errors.Is(r.Done(), ErrMalformed) {
		t.Error("a byte too many is accepted")
	}
}
