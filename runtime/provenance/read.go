package provenance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

const (
	// MaxBytes is the most bytes of a file.
	MaxBytes = 4 << 20
	// maxSignatures is the most signatures of a file.
	maxSignatures = 32
)

// readEnvelope reads a file without verifying signatures.
// https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
func readEnvelope(data []byte) (*dsse.Envelope, error) {
	if len(data) > MaxBytes {
		return nil, failed("envelope", "more than %d bytes", MaxBytes)
	}
	e := new(dsse.Envelope)
	if err := decode(data, e); err != nil {
		return nil, failed("envelope", "invalid JSON: %v", err)
	}
	switch {
	case len(e.Signatures) == 0:
		return nil, failed("signature", "missing")
	case len(e.Signatures) > maxSignatures:
		return nil, failed("signature", "more than %d", maxSignatures)
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

// checkBase64 requires the canonical encoding, in either alphabet that DSSE allows: a
// decoder ignores line breaks and excess bits.
func checkBase64(text string) error {
	_, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		_, err = base64.URLEncoding.Strict().DecodeString(text)
	}
	switch {
	case text == "":
		return errors.New("empty")
	case err != nil || strings.ContainsAny(text, "\r\n"):
		return errors.New("not base64 (RFC 4648)")
	}
	return nil
}

// parse reads a statement about one of our builds.
func parse(payload []byte) (Statement, error) {
	var s Statement
	if err := checkTypes(payload); err != nil {
		return s, err
	}
	if err := decode(payload, &s); err != nil {
		return s, failed("statement", "invalid JSON: %v", err)
	}
	if len(s.Subject) == 0 {
		return s, failed("statement", "missing subject")
	}
	for _, subject := range s.Subject {
		if _, ok := ParseDigest("sha256:" + subject.Digest["sha256"]); !ok {
			return s, failed("statement", "missing SHA-256 of a subject")
		}
	}
	return s, nil
}

// checkTypes checks the types of a statement before its other fields are read.
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
		return failed("statement", "invalid JSON: %v", err)
	}
	for _, c := range []struct{ check, is, want string }{
		{"statement type", s.Type, StatementType},
		{"predicate type", s.PredicateType, PredicateType},
		{"build type", s.Predicate.BuildDefinition.BuildType, BuildType},
		{"builder", s.Predicate.RunDetails.Builder.ID, BuilderID},
	} {
		if c.is != c.want {
			return failed(c.check, "expected %q, got %q", c.want, c.is)
		}
	}
	return nil
}

// UnmarshalJSON refuses unknown parameters: whoever verifies a build has to know everything
// that shaped it.
func (e *External) UnmarshalJSON(data []byte) error {
	type fields External
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode((*fields)(e)); err != nil {
		return fmt.Errorf("externalParameters: %w", err)
	}
	return nil
}

// decode reads a JSON document. It ignores unknown fields, as DSSE and in-toto require, but
// refuses what others may read in another way: encoding/json takes the last of two fields
// with the same name, and ignores the case of names.
func decode(data []byte, into any) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	// This also bounds the depth.
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return err
	}
	n := names{known: make(map[string]string)}
	n.learn(reflect.TypeOf(into))
	if err := n.check(json.NewDecoder(bytes.NewReader(data))); err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// names are the names of known fields, by their folded spelling.
type names struct{ known map[string]string }

func (n names) learn(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		n.learn(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			n.known[fold(name)] = name
			n.learn(t.Field(i).Type)
		}
	}
}

// check reads one value of valid JSON.
func (n names) check(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return n.object(d)
	case json.Delim('['):
		for d.More() {
			if err := n.check(d); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func (n names) object(d *json.Decoder) error {
	seen := make(map[string]bool)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name := t.(string)
		folded := fold(name)
		if seen[folded] {
			return fmt.Errorf("duplicate field %q", name)
		}
		if known, ok := n.known[folded]; ok && known != name {
			return fmt.Errorf("unknown field %q (did you mean %q?)", name, known)
		}
		seen[folded] = true
		if err := n.check(d); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// fold makes names equal that encoding/json takes for the same.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		for {
			next := unicode.SimpleFold(r)
			if next <= r {
				return next
			}
			r = next
		}
	}, name)
}
