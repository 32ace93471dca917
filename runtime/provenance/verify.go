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

// CheckError says which check a file didn't pass, and why.
type CheckError struct{ Check, Reason string }

func (e *CheckError) Error() string { return e.Check + ": " + e.Reason }

func failed(check, format string, args ...any) *CheckError {
	return &CheckError{check, fmt.Sprintf(format, args...)}
}

// Verified is a statement that has been signed by all keys that were given.
type Verified struct {
	Statement Statement
	// Others is how many signatures there are by keys that weren't given. They
	// say nothing, for or against.
	Others int
}

// Verify reads a file and checks it: each of the keys has to have signed it,
// and it has to be a statement of a build.
//
// An ID of a key is a hint that isn't signed, so it never makes a signature
// good. But one that names a key which did not make it is refused, though DSSE
// would pass over it: somebody changed it.
//
// # Errors
//
// A [*CheckError].
func Verify(ctx context.Context, data []byte, keys ...Verifier) (*Verified, error) {
	if len(keys) == 0 {
		return nil, failed("signature", "there is no key to check it with")
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
		return nil, failed("payload type", "it is %q, not %q", e.PayloadType, PayloadType)
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

// checkSignatures looks at each signature as if it were alone, which DSSE has
// for the same: so it is known of each by which key it is.
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
			return 0, failed("signature", "the one that says it is by the key %s is not, or the file was changed", s.KeyID)
		default:
			others++
		}
	}
	if i := slices.Index(signed, false); i >= 0 {
		return 0, failed("signature", "none is by the key %s, or the file was changed", keys[i].ID())
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

// CheckImage wants the statement to be of the image with a digest, which is
// sha256: and hex. Its name doesn't matter: in-toto has subjects compared by
// their digests alone.
func (v *Verified) CheckImage(digest string) error {
	var subjects []string
	for _, subject := range v.Statement.Subject {
		if subject.Digest["sha256"] == strings.TrimPrefix(digest, "sha256:") {
			return nil
		}
		subjects = append(subjects, "sha256:"+subject.Digest["sha256"])
	}
	return failed("image", "the statement is of %s, not of %s", strings.Join(subjects, ", "), digest)
}

// CheckPolicy wants a policy to have been in force, in whichever layer; the
// digest is in hex, name is for the message.
func (v *Verified) CheckPolicy(name, sha256 string) error {
	for _, p := range v.Statement.Predicate.BuildDefinition.InternalParameters.Policies {
		if p.SHA256 == sha256 {
			return nil
		}
	}
	return failed("policy", "%s was not in force, as it is now: sha256 %s", name, sha256)
}

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
