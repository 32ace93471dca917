package frame_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// raw is a frame as bytes.
func raw(kind byte, size uint32, body string) string {
	return string([]byte{kind, byte(size), byte(size >> 8), byte(size >> 16), byte(size >> 24)}) + body
}

func TestReceiveRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		want string
	}{
		"nothing":           {"", "EOF"},
		"a cut header":      {"R\x01\x00", "unexpected EOF"},
		"a cut body":        {raw('R', 5, "four"), "unexpected EOF"},
		"no body":           {raw('R', 5, ""), "unexpected EOF"},
		"an unknown kind":   {raw('?', 0, ""), "unexpected frame of kind '?'"},
		"another order":     {raw('H', 1, "\x00"), "unexpected frame of kind 'H'"},
		"too long":          {raw('X', frame.MaxText+2, ""), "frame of kind 'X' with 2050 bytes, at most 2049 are allowed"},
		"too long by far":   {raw('R', 1<<32-1, ""), "frame of kind 'R' with 4294967295 bytes, at most 67108864 are allowed"},
		"a log without end": {raw('O', frame.MaxLog+1, ""), "frame of kind 'O' with 8193 bytes, at most 8192 are allowed"},
	} {
		_, _, err := frame.NewConn(strings.NewReader(tt.data), io.Discard).Receive(frame.Reply, frame.Log, frame.Exit)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

func TestSendRefusesTooMuch(t *testing.T) {
	var out bytes.Buffer
	err := frame.NewConn(nil, &out).Send(frame.Log, make([]byte, frame.MaxLog), []byte{0})
	if _, ok := errors.AsType[*frame.Error](err); !ok || out.Len() > 0 {
		t.Errorf("got %v and %d bytes", err, out.Len())
	}
}

// TestBodies sends each body and reads it back.
func TestBodies(t *testing.T) {
	load := frame.LoadBody{Compile: true, Pages: 1024, Operations: []string{"exec", ""}, Module: []byte("\x00asm")}
	loaded := frame.LoadedBody{Files: true, Warning: "why"}
	call := frame.CallBody{Export: "dev", Input: []byte("{}")}
	hostCall := frame.HostCallBody{Operation: 3, Request: []byte("{}")}
	exit := frame.ExitBody{Why: frame.Crashed, Reason: "unreachable"}
	for _, tt := range []struct {
		kind   frame.Kind
		parts  [][]byte
		decode func([]byte) (any, error)
		want   any
	}{
		{frame.Load, load.Parts(), decoder(frame.DecodeLoad), load},
		{frame.Reply, loaded.Parts(), decoder(frame.DecodeLoaded), loaded},
		{frame.Call, call.Parts(), decoder(frame.DecodeCall), call},
		{frame.HostCall, hostCall.Parts(), decoder(frame.DecodeHostCall), hostCall},
		{frame.Exit, exit.Parts(), decoder(frame.DecodeExit), exit},
	} {
		var wire bytes.Buffer
		c := frame.NewConn(&wire, &wire)
		if err := c.Send(tt.kind, tt.parts...); err != nil {
			t.Fatal(err)
		}
		kind, body, err := c.Receive(tt.kind)
		if err != nil || kind != tt.kind {
			t.Fatalf("%c: %v", tt.kind, err)
		}
		got, err := tt.decode(body)
		if err != nil {
			t.Errorf("%c: %v", tt.kind, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%c: %s", tt.kind, diff)
		}
	}
}

func decoder[B any](decode func([]byte) (B, error)) func([]byte) (any, error) {
	return func(body []byte) (any, error) { return decode(body) }
}

// TestLongText cuts a text between two letters.
func TestLongText(t *testing.T) {
	parts := frame.ExitBody{Why: frame.Failed, Reason: "x" + strings.Repeat("é", frame.MaxText)}.Parts()
	b, err := frame.DecodeExit(bytes.Join(parts, nil))
	if err != nil || len(b.Reason) != frame.MaxText-1 {
		t.Errorf("%d bytes, %v", len(b.Reason), err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		decode func([]byte) (any, error)
		body   string
	}{
		"load: nothing":          {decoder(frame.DecodeLoad), ""},
		"load: cut operations":   {decoder(frame.DecodeLoad), "\x00\x00\x00\x00\x00\x02\x01a"},
		"load: cut name":         {decoder(frame.DecodeLoad), "\x00\x00\x00\x00\x00\x01\x05a"},
		"load: another engine":   {decoder(frame.DecodeLoad), "\x02\x00\x00\x00\x00\x00"},
		"loaded: nothing":        {decoder(frame.DecodeLoaded), ""},
		"loaded: an unknown bit": {decoder(frame.DecodeLoaded), "\x04"},
		"loaded: no text":        {decoder(frame.DecodeLoaded), "\x00\xff"},
		"call: cut name":         {decoder(frame.DecodeCall), "\x05dev"},
		"host call: nothing":     {decoder(frame.DecodeHostCall), ""},
		"exit: nothing":          {decoder(frame.DecodeExit), ""},
		"exit: an unknown kind":  {decoder(frame.DecodeExit), "?why"},
		"exit: no text":          {decoder(frame.DecodeExit), "c\xff"},
		"exit: a long text":      {decoder(frame.DecodeExit), "c" + strings.Repeat("x", frame.MaxText+1)},
	} {
		_, err := tt.decode([]byte(tt.body))
		if _, ok := errors.AsType[*frame.Error](err); !ok {
			t.Errorf("%s: got %v, want an error of the protocol", name, err)
		}
	}
}

// FuzzReceive reads frames as the host and as the helper: whatever is read is
// bounded by what was sent, and encodes to the same bytes.
func FuzzReceive(f *testing.F) {
	for _, parts := range [][][]byte{
		{[]byte(raw('L', 12, "\x00\x04\x00\x00\x01\x04execwa"))},
		{[]byte(raw('C', 6, "\x03dev{}"))},
		{[]byte(raw('H', 3, "\x01{}")), []byte(raw('R', 3, "\x03no"))},
		{[]byte(raw('O', 3, "log")), []byte(raw('X', 6, "cwhy\xc3\xa9"))},
	} {
		f.Add(bytes.Join(parts, nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := frame.NewConn(bytes.NewReader(data), io.Discard)
		for read := 0; ; {
			kind, body, err := c.Receive(frame.Load, frame.Start, frame.Call, frame.HostCall, frame.Reply, frame.Log, frame.Exit)
			if err != nil {
				return
			}
			if read += 5 + len(body); read > len(data) {
				t.Fatalf("%d bytes of %d", read, len(data))
			}
			if again, ok := reencoded(kind, body); ok && !bytes.Equal(again, body) {
				t.Errorf("%c: %q is read as %q", kind, body, again)
			}
		}
	})
}

// reencoded decodes a body and encodes it; ok is false for what is refused.
func reencoded(kind frame.Kind, body []byte) (again []byte, ok bool) {
	var parts [][]byte
	var err error
	switch kind {
	case frame.Load:
		var b frame.LoadBody
		b, err = frame.DecodeLoad(body)
		parts = b.Parts()
	case frame.Call:
		var b frame.CallBody
		b, err = frame.DecodeCall(body)
		parts = b.Parts()
	case frame.HostCall:
		var b frame.HostCallBody
		b, err = frame.DecodeHostCall(body)
		parts = b.Parts()
	case frame.Reply:
		var b frame.LoadedBody
		b, err = frame.DecodeLoaded(body)
		parts = b.Parts()
	case frame.Exit:
		var b frame.ExitBody
		b, err = frame.DecodeExit(body)
		parts = b.Parts()
	default:
		return nil, false
	}
	return bytes.Join(parts, nil), err == nil
}

// TestLargeParts sends parts of which some are written by themselves, and leaves
// them as they are.
func TestLargeParts(t *testing.T) {
	var wire bytes.Buffer
	c := frame.NewConn(&wire, &wire)
	room := append(bytes.Repeat([]byte("b"), 1<<20), "room"...)
	parts := [][]byte{[]byte("a"), room[:1<<20], []byte("c"), nil, bytes.Repeat([]byte("d"), 1<<17)}
	if err := c.Send(frame.Reply, parts...); err != nil {
		t.Fatal(err)
	}
	_, got, err := c.Receive(frame.Reply)
	if err != nil || !bytes.Equal(got, bytes.Join(parts, nil)) || !bytes.HasSuffix(room, []byte("room")) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
