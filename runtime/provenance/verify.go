package provenance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// CheckError says which check a file failed, and why.
type CheckError struct{ Check, Reason string }

func (e *CheckError) Error() string { return e.Check + ": " + e.Reason }

func failed(check, format string, args ...any) *CheckError {
	return &CheckError{check, fmt.Sprintf(format, args...)}
}

// Verified is a statement that all given keys signed.
type Verified struct {
	Statement Statement
	// Others is the number of signatures by other keys. They are not verified.
	Others int
}

// Verify reads a file and verifies that each of the keys signed it, and that it is a
// statement about one of our builds.
//
// The ID of a key is an unsigned hint, so it never makes a signature valid. But a signature
// with the ID of a given key that did not make it is refused, although DSSE would ignore
// it: the file was changed.
//
// # Errors
//
// A [*CheckError].
func Verify(ctx context.Context, data []byte, keys ...Verifier) (*Verified, error) {
	if len(keys) == 0 {
		return nil, failed("signature", "a key is required")
	}
	e, err := readEnvelope(data)
	if err != nil {
		return nil, err
	}
	others, err := checkSignatures(ctx, e, keys)
	if err != nil {
		return nil, err
	}
	if e.PayloadType != PayloadType {
		return nil, failed("payload type", "expected %q, got %q", PayloadType, e.PayloadType)
	}
	payload, err := e.DecodeB64Payload()
	if err != nil {
		return nil, failed("envelope", "the payload: %v", err)
	}
	s, err := parse(payload)
	if err != nil {
		return nil, err
	}
	return &Verified{Statement: s, Others: others}, nil
}

// checkSignatures verifies each signature alone, which DSSE allows, to find its key.
func checkSignatures(ctx context.Context, e *dsse.Envelope, keys []Verifier) (others int, err error) {
	signed := make([]bool, len(keys))
	for _, s := range e.Signatures {
		ours := false
		for i, key := range keys {
			if isBy(ctx, e, s, key) {
				ours, signed[i] = true, true
			}
		}
		switch {
		case ours:
		case slices.ContainsFunc(keys, func(key Verifier) bool { return key.ID() == s.KeyID }):
			return 0, failed("signature", "the signature with the ID of key %s is not by that key, or the file was changed", s.KeyID)
		default:
			others++
		}
	}
	if i := slices.Index(signed, false); i >= 0 {
		return 0, failed("signature", "none by the key %s, or the file was changed", keys[i].ID())
	}
	return others, nil
}

func isBy(ctx context.Context, e *dsse.Envelope, s dsse.Signature, key Verifier) bool {
	verifier, err := dsse.NewEnvelopeVerifier(key.key)
	if err != nil {
		return false
	}
	alone := &dsse.Envelope{PayloadType: e.PayloadType, Payload: e.Payload, Signatures: []dsse.Signature{s}}
	_, err = verifier.Verify(ctx, alone)
	return err == nil
}

// CheckImage checks that the statement is about the image with this digest, sha256: and
// hex. Names do not matter: in-toto compares subjects by digest.
func (v *Verified) CheckImage(digest string) error {
	var subjects []string
	for _, subject := range v.Statement.Subject {
		if subject.Digest["sha256"] == strings.TrimPrefix(digest, "sha256:") {
			return nil
		}
		subjects = append(subjects, "sha256:"+subject.Digest["sha256"])
	}
	return failed("image", "the statement is about %s, not %s", strings.Join(subjects, ", "), digest)
}

// CheckPolicy checks that a policy with this SHA-256, in hex, was in force in any layer. The
// name is for the error.
func (v *Verified) CheckPolicy(name, sha256 string) error {
	for _, p := range v.Statement.Predicate.BuildDefinition.InternalParameters.Policies {
		if p.SHA256 == sha256 {
			return nil
		}
	}
	return failed("policy", "%s was not in force in its current version, sha256 %s", name, sha256)
}

// Marshal returns the bytes to sign.
func (s Statement) Marshal() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Sign signs a statement and returns the file.
//
// # Errors
//
// It refuses a payload that [Verify] would refuse.
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
		return nil, fmt.Errorf("the statement has %d bytes, the limit is %d", len(data)+1, MaxBytes)
	}
	return append(data, '\n'), nil
}
