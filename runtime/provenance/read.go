package provenance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

const (
	// MaxBytes is the most that a file may have.
	MaxBytes = 4 << 20
	// maxSignatures bounds how often a payload is checked.
	maxSignatures = 32
)

// readEnvelope reads a file; nothing of it is verified.
// https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
func readEnvelope(data []byte) (*dsse.Envelope, error) {
	if len(data) > MaxBytes {
		return nil, failed("envelope", "it has more than %d bytes", MaxBytes)
	}
	e := new(dsse.Envelope)
	if err := decode(data, e); err != nil {
		return nil, failed("envelope", "it can't be read: %v", err)
	}
	switch {
	case len(e.Signatures) == 0:
		return nil, failed("signature", "the envelope has none")
	case len(e.Signatures) > maxSignatures:
		return nil, failed("signature", "the envelope has more than %d", maxSignatures)
	}
	for _, s := range e.Signatures {
		if err := checkBase64(s.Sig); err != nil {
			return nil, failed("signature", "%v", err)
		}
	}
	if err := checkBase64(e.Payload); err != nil {
		return nil, failed("envelope", "the payload: %v", err)
	}
	return e, nil
}

// checkBase64 wants the one spelling of bytes that there is, in either of the
// alphabets that DSSE allows: a decoder passes over line breaks, and over bits
// that no byte has.
func checkBase64(text string) error {
	_, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		_, err = base64.URLEncoding.Strict().DecodeString(text)
	}
	switch {
	case text == "":
		return errors.New("it is empty")
	case err != nil || strings.ContainsAny(text, "\r\n"):
		return errors.New("it is not base64 as RFC 4648 has it")
	}
	return nil
}

// parse reads a statement, which has to be one of a build of ours.
func parse(payload []byte) (Statement, error) {
	var s Statement
	if err := checkTypes(payload); err != nil {
		return s, err
	}
	if err := decode(payload, &s); err != nil {
		return s, failed("statement", "it can't be read: %v", err)
	}
	if len(s.Subject) == 0 {
		return s, failed("statement", "it has no subject")
	}
	for _, subject := range s.Subject {
		if _, ok := ParseDigest("sha256:" + subject.Digest["sha256"]); !ok {
			return s, failed("statement", "a subject has no SHA-256")
		}
	}
	return s, nil
}

// checkTypes looks at what a statement says that it is, before its fields are
// taken for those of one of ours.
func checkTypes(payload []byte) error {
	var s struct {
		Type          string `json:"_type"`
		PredicateType string `json:"predicateType"`
		Predicate     struct {
			BuildDefinition struct {
				BuildType string `json:"buildType"`
			} `json:"buildDefinition"`
			RunDetails struct {
				Builder struct {
					ID string `json:"id"`
				} `json:"builder"`
			} `json:"runDetails"`
		} `json:"predicate"`
	}
	if err := decode(payload, &s); err != nil {
		return failed("statement", "it can't be read: %v", err)
	}
	for _, c := range []struct{ check, is, want string }{
		{"statement type", s.Type, StatementType},
		{"predicate type", s.PredicateType, PredicateType},
		{"build type", s.Predicate.BuildDefinition.BuildType, BuildType},
		{"builder", s.Predicate.RunDetails.Builder.ID, BuilderID},
	} {
		if c.is != c.want {
			return failed(c.check, "it is %q, not %q", c.is, c.want)
		}
	}
	return nil
}

// UnmarshalJSON refuses parameters that this version doesn't know: whoever
// verifies a build has to know all that shaped it.
func (e *External) UnmarshalJSON(data []byte) error {
	type fields External
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode((*fields)(e)); err != nil {
		return fmt.Errorf("externalParameters: %w", err)
	}
	return nil
}
