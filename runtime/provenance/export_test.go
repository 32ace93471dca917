package provenance

import (
	"encoding/json"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// SignAnything signs what Sign would refuse.
func SignAnything(t testing.TB, payloadType string, payload []byte, key Signer) []byte {
	t.Helper()
	signer, err := dsse.NewEnvelopeSigner(key.key)
	if err != nil {
		t.Fatal(err)
	}
	e, err := signer.SignPayload(t.Context(), payloadType, payload)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
