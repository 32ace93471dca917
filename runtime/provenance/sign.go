package provenance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// Marshal is the statement as it is signed.
func (s Statement) Marshal() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Sign signs a statement, and gives the file.
//
// # Errors
//
// A payload that [Verify] would refuse is not signed.
func Sign(ctx context.Context, payload []byte, key Signer) ([]byte, error) {
	if _, err := parse(payload); err != nil {
		return nil, err
	}
	signer, err := dsse.NewEnvelopeSigner(key.key)
	if err != nil {
		return nil, err
	}
	envelope, err := signer.SignPayload(ctx, PayloadType, payload)
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(envelope, "", "  ")
	if err != nil {
		return nil, err
	}
	if len(data) >= MaxBytes {
		return nil, fmt.Errorf("the statement would have %d bytes, at most %d are read", len(data)+1, MaxBytes)
	}
	return append(data, '\n'), nil
}
