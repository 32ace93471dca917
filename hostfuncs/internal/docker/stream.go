package docker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// messageLimit is the most bytes that a message of an engine may have.
const messageLimit = 1 << 20

// streamError says that an answer ended early or is not a stream of messages.
type streamError struct {
	err error
	cut bool // it broke off: the engine is gone, or the way to it
}

func (e *streamError) Error() string { return "cannot read its answer: " + e.err.Error() }
func (e *streamError) Unwrap() error { return e.err }

// message is a line of an engine's output; the fields have the names of its API.
type message struct {
	Stream string          `json:"stream"` // output, in pieces of any length
	Status string          `json:"status"` // of the layer ID, or of the whole
	ID     string          `json:"id"`
	Aux    json.RawMessage `json:"aux"`
	Error  string          `json:"error"`
	Detail *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

func (m message) failed() bool { return m.Error != "" || m.Detail != nil }

func (m message) failure() string {
	switch {
	case m.Detail != nil && m.Detail.Message != "":
		return m.Detail.Message
	case m.Error != "":
		return m.Error
	}
	return "the engine gives no reason"
}

// readMessages calls handle for each message until the stream ends, or handle
// returns an error: then it returns that. What is wrong with the stream itself
// is a [*streamError].
func readMessages(r io.Reader, handle func(message) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, messageLimit)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var m message
		if err := json.Unmarshal(line, &m); err != nil {
			if broke := lines.Err(); broke != nil {
				return &streamError{err: broke, cut: true}
			}
			return &streamError{err: err}
		}
		if err := handle(m); err != nil {
			return err
		}
	}
	err := lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return &streamError{err: errors.New("a message is longer than 1 MiB")}
	case err != nil:
		return &streamError{err: err, cut: true}
	}
	return nil
}
