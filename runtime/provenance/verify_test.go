package provenance_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

func TestSignAndVerify(t *testing.T) {
	want, err := provenance.New(build())
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]pair{"ed25519": seeded(t, 1), "p256": p256(t)} {
		t.Run(name, func(t *testing.T) {
			data := signed(t, payload(t, build()), key)
			v, err := provenance.Verify(t.Context(), data, key.verifier)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, v.Statement); diff != "" || v.Others != 0 {
				t.Errorf("%d others, -signed +read:\n%s", v.Others, diff)
			}
			wantCheck(t, second(provenance.Verify(t.Context(), data, seeded(t, 2).verifier)), "signature", "none by the key "+seeded(t, 2).verifier.ID())
			wantCheck(t, second(provenance.Verify(t.Context(), data, key.verifier, seeded(t, 2).verifier)), "signature", "none by the key")
			wantCheck(t, second(provenance.Verify(t.Context(), data)), "signature", "a key is required")
		})
	}
}

func second[T any](_ T, err error) error { return err }

func wantCheck(t *testing.T, err error, check, reason string) {
	t.Helper()
	e, ok := errors.AsType[*provenance.CheckError](err)
	if !ok || e.Check != check || !strings.Contains(e.Reason, reason) {
		t.Errorf("error %v, want one of the check %q with %q", err, check, reason)
	}
}

// envelope takes a file apart.
func envelope(t testing.TB, data []byte) dsse.Envelope {
	t.Helper()
	var e dsse.Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestChangedEnvelopes changes one thing after another.
func TestChangedEnvelopes(t *testing.T) {
	ours, theirs := seeded(t, 1), seeded(t, 2)
	body := payload(t, build())
	other := envelope(t, signed(t, body, theirs)).Signatures[0]
	for _, c := range []struct {
		name          string
		change        func(*dsse.Envelope)
		check, reason string
	}{
		{"payload", func(e *dsse.Envelope) {
			e.Payload = base64.StdEncoding.EncodeToString(bytes.Replace(body, []byte("acme"), []byte("evil"), 1))
		}, "signature", "the signature with the ID of key"},
		{"payload, by a blank", func(e *dsse.Envelope) {
			e.Payload = base64.StdEncoding.EncodeToString(append(slices.Clone(body), ' '))
		}, "signature", "is not"},
		{"no payload", func(e *dsse.Envelope) { e.Payload = "" }, "envelope", "empty"},
		{"payload with a line break", func(e *dsse.Envelope) { e.Payload = e.Payload[:4] + "\n" + e.Payload[4:] }, "envelope", "base64"},
		{"payload that is not base64", func(e *dsse.Envelope) { e.Payload = "*" + e.Payload[1:] }, "envelope", "base64"},
		{"payload type", func(e *dsse.Envelope) { e.PayloadType = "application/json" }, "signature", "is not"},
		{"payload type in another case", func(e *dsse.Envelope) { e.PayloadType = "application/vnd.in-toto+JSON" }, "signature", "is not"},
		{"no payload type", func(e *dsse.Envelope) { e.PayloadType = "" }, "signature", "is not"},
		{"key ID of another", func(e *dsse.Envelope) { e.Signatures[0].KeyID = theirs.verifier.ID() }, "signature", "none by the key"},
		{"key ID of nobody", func(e *dsse.Envelope) { e.Signatures[0].KeyID = "x" }, "signature", "none by the key"},
		{"signature of another under our ID", func(e *dsse.Envelope) { e.Signatures[0].Sig = other.Sig }, "signature", "the signature with the ID"},
		{"signature of another", func(e *dsse.Envelope) { e.Signatures[0] = other }, "signature", "none by the key"},
		{"signature shortened", func(e *dsse.Envelope) { e.Signatures[0].Sig = e.Signatures[0].Sig[:84] }, "signature", "the signature with the ID"},
		{"signature with other unused bits", func(e *dsse.Envelope) {
			e.Signatures[0].Sig = unused(t, e.Signatures[0].Sig)
		}, "signature", "base64"},
		{"empty signature", func(e *dsse.Envelope) { e.Signatures[0].Sig = "" }, "signature", "empty"},
		{"no signatures", func(e *dsse.Envelope) { e.Signatures = nil }, "signature", "missing"},
		{"empty list of signatures", func(e *dsse.Envelope) { e.Signatures = []dsse.Signature{} }, "signature", "missing"},
		{"two, a bad one by us", func(e *dsse.Envelope) {
			e.Signatures = append(e.Signatures, dsse.Signature{KeyID: ours.verifier.ID(), Sig: other.Sig})
		}, "signature", "the signature with the ID"},
		{"two, a bad one by us first", func(e *dsse.Envelope) {
			e.Signatures = []dsse.Signature{{KeyID: ours.verifier.ID(), Sig: other.Sig}, e.Signatures[0]}
		}, "signature", "the signature with the ID"},
		{"many", func(e *dsse.Envelope) { e.Signatures = slices.Repeat(e.Signatures, 33) }, "signature", "more than 32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := envelope(t, signed(t, body, ours))
			c.change(&e)
			data, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			wantCheck(t, second(provenance.Verify(t.Context(), data, ours.verifier)), c.check, c.reason)
		})
	}
}

// unused sets bits of the last character that no byte has.
func unused(t *testing.T, text string) string {
	t.Helper()
	bare := strings.TrimRight(text, "=")
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		changed := bare[:len(bare)-1] + string(c) + text[len(bare):]
		before, _ := base64.StdEncoding.DecodeString(text)
		after, err := base64.StdEncoding.DecodeString(changed)
		if err == nil && changed != text && bytes.Equal(before, after) {
			return changed
		}
	}
	t.Fatal("there are no unused bits")
	return ""
}

// TestEachByteCounts changes each byte of a file in turn, except those of the name
// "keyid": under another name it is an unknown field, and a signature needs none.
func TestEachByteCounts(t *testing.T) {
	key := seeded(t, 1)
	data := signed(t, payload(t, least()), key)
	from, hint := bytes.IndexByte(data, '"'), bytes.Index(data, []byte(`"keyid"`))
	for at := from; at < bytes.LastIndexByte(data, '"'); at++ {
		if bytes.IndexByte([]byte(" \n"), data[at]) >= 0 || at > hint && at <= hint+len("keyid") {
			continue
		}
		changed := slices.Clone(data)
		changed[at] ^= 1
		if _, err := provenance.Verify(t.Context(), changed, key.verifier); err == nil {
			t.Errorf("byte %d, %q instead of %q, is not noticed", at, changed[at], data[at])
		}
	}
}

// TestWhatMayBe has what the specifications allow.
func TestWhatMayBe(t *testing.T) {
	ours, theirs := seeded(t, 1), p256(t)
	body := payload(t, build())
	e := envelope(t, signed(t, body, ours))
	other := envelope(t, signed(t, body, theirs)).Signatures[0]
	both := fmt.Sprintf(`[{"keyid":%q,"sig":%q},{"keyid":%q,"sig":%q}]`, other.KeyID, other.Sig, e.Signatures[0].KeyID, e.Signatures[0].Sig)
	alone := fmt.Sprintf(`[{"sig":%q}]`, e.Signatures[0].Sig)
	url := base64.URLEncoding.EncodeToString(body)
	for _, c := range []struct {
		name, text string
		keys       []provenance.Verifier
		others     int
	}{
		{"no key ID", fmt.Sprintf(`{"payload":%q,"payloadType":%q,"signatures":%s}`, e.Payload, e.PayloadType, alone), []provenance.Verifier{ours.verifier}, 0},
		{"fields that aren't known", fmt.Sprintf(`{"payload":%q,"payloadType":%q,"signatures":%s,"x":{"y":[1]}}`, e.Payload, e.PayloadType, alone), []provenance.Verifier{ours.verifier}, 0},
		{"base64 for URLs", fmt.Sprintf(`{"payload":%q,"payloadType":%q,"signatures":%s}`, url, e.PayloadType, alone), []provenance.Verifier{ours.verifier}, 0},
		{"another's signature as well", fmt.Sprintf(`{"payload":%q,"payloadType":%q,"signatures":%s}`, e.Payload, e.PayloadType, both), []provenance.Verifier{ours.verifier}, 1},
		{"two keys", fmt.Sprintf(`{"payload":%q,"payloadType":%q,"signatures":%s}`, e.Payload, e.PayloadType, both), []provenance.Verifier{ours.verifier, theirs.verifier}, 0},
		{"one key twice", fmt.Sprintf(`{"payload":%q,"payloadType":%q,"signatures":%s}`, e.Payload, e.PayloadType, alone), []provenance.Verifier{ours.verifier, ours.verifier}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := provenance.Verify(t.Context(), []byte(c.text), c.keys...)
			if err != nil || v.Others != c.others {
				t.Errorf("%+v, %v, want %d others", v, err, c.others)
			}
		})
	}
}

// TestStrict has envelopes and statements that others could read in another
// way, or that say too little. Those of the statement are signed.
func TestStrict(t *testing.T) {
	key := seeded(t, 1)
	body := string(payload(t, build()))
	file := string(signed(t, []byte(body), key))
	replace := func(text, old, new string) string {
		if strings.Count(text, old) == 0 {
			t.Fatalf("missing %s", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for _, c := range []struct{ name, data, check, reason string }{
		{"a field twice", replace(file, `"payload"`, `"payload": "", "payload"`), "envelope", "duplicate field"},
		{"a field in two cases", replace(file, `"payload"`, `"Payload": "", "payload"`), "envelope", "did you mean"},
		{"a field after in two cases", replace(file, `"signatures"`, `"ſignatures": [], "signatures"`), "envelope", "did you mean"},
		{"a field in another case", replace(file, `"payloadType"`, `"payloadtype"`), "envelope", `unknown field "payloadtype" (did you mean "payloadType"?)`},
		{"a field twice within", replace(file, `"keyid"`, `"keyid": "", "keyid"`), "envelope", "duplicate field"},
		{"an unknown field twice", replace(file, `"payload"`, `"x": 1, "x": 1, "payload"`), "envelope", "duplicate field"},
		{"more behind it", file + "{}", "envelope", "invalid JSON"},
		{"nothing", "", "envelope", "invalid JSON"},
		{"a list", "[]", "envelope", "invalid JSON"},
		{"null", "null", "signature", "missing"},
		{"no UTF-8", replace(file, `"payload"`, "\"\xff\": 1, \"payload\""), "envelope", "UTF-8"},
		{"deep", strings.Repeat("[", 100_000), "envelope", "invalid JSON"},
		{"large", file + strings.Repeat(" ", provenance.MaxBytes), "envelope", "more than 4194304 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantCheck(t, second(provenance.Verify(t.Context(), []byte(c.data), key.verifier)), c.check, c.reason)
		})
	}
	for _, c := range []struct{ name, payload, check, reason string }{
		{"statement type", replace(body, "Statement/v1", "Statement/v0.1"), "statement type", "Statement/v0.1"},
		{"predicate type", replace(body, "provenance/v1", "provenance/v0.2"), "predicate type", "provenance/v0.2"},
		{"build type", replace(body, "build-v1", "build-v9"), "build type", "build-v9"},
		{"builder", replace(body, "builder-v1", "builder-v9"), "builder", "builder-v9"},
		{"unknown parameter", replace(body, `"tag":`, `"more":1,"tag":`), "statement", `unknown field "more"`},
		{"a field twice", replace(body, `"policies":`, `"policies":[],"policies":`), "statement", "duplicate field"},
		{"a type twice", replace(body, `"_type":`, `"_type":"x","_type":`), "statement", "duplicate field"},
		{"a field in another case", replace(body, `"policies":`, `"Policies":`), "statement", "did you mean"},
		{"no subject", replace(body, body[strings.Index(body, `"subject":[`):strings.Index(body, `"predicateType"`)], `"subject":[],`), "statement", "missing subject"},
		{"no digest", replace(body, `"sha256":"1111`, `"md5":"1111`), "statement", "missing SHA-256"},
		{"a short digest", replace(body, `"sha256":"1111`, `"sha256":"`), "statement", "missing SHA-256"},
		{"no JSON", "x", "statement", "invalid JSON"},
	} {
		t.Run("statement, "+c.name, func(t *testing.T) {
			data := provenance.SignAnything(t, provenance.PayloadType, []byte(c.payload), key.signer)
			wantCheck(t, second(provenance.Verify(t.Context(), data, key.verifier)), c.check, c.reason)
			wantCheck(t, second(provenance.Sign(t.Context(), []byte(c.payload), key.signer)), c.check, c.reason)
		})
	}
	t.Run("another payload type, signed", func(t *testing.T) {
		data := provenance.SignAnything(t, "text/plain", []byte(body), key.signer)
		wantCheck(t, second(provenance.Verify(t.Context(), data, key.verifier)), "payload type", `"text/plain"`)
	})
	t.Run("unknown field of in-toto", func(t *testing.T) {
		data := signed(t, []byte(replace(body, `"metadata":`, `"byproducts":[],"metadata":`)), key)
		if _, err := provenance.Verify(t.Context(), data, key.verifier); err != nil {
			t.Error(err)
		}
	})
}

func TestSignTooMuch(t *testing.T) {
	b := build()
	b.External.Config.Name = strings.Repeat("x", provenance.MaxBytes)
	if _, err := provenance.Sign(t.Context(), payload(t, b), seeded(t, 1).signer); err == nil || !strings.Contains(err.Error(), "the limit is 4194304") {
		t.Errorf("error %v", err)
	}
}

func TestChecks(t *testing.T) {
	key := seeded(t, 1)
	v, err := provenance.Verify(t.Context(), signed(t, payload(t, build()), key), key.verifier)
	if err != nil {
		t.Fatal(err)
	}
	for _, digest := range []string{digit("1"), digit("b"), digit("a")} {
		if err := v.CheckImage("sha256:" + digest); err != nil {
			t.Error(err)
		}
	}
	wantCheck(t, v.CheckImage("sha256:"+digit("2")), "image", "the statement is about sha256:1111")
	for _, digest := range []string{digit("3"), digit("4")} {
		if err := v.CheckPolicy("p.yml", digest); err != nil {
			t.Error(err)
		}
	}
	wantCheck(t, v.CheckPolicy("p.yml", digit("2")), "policy", "p.yml was not in force")
	wantCheck(t, v.CheckPolicy("p.yml", ""), "policy", "p.yml was not in force")
}

// TestEarlierStatement reads a file of an earlier version, whose one subject is
// the image by one digest.
func TestEarlierStatement(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "earlier.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := provenance.Verify(t.Context(), data, seeded(t, 1).verifier)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.CheckImage("sha256:" + digit("1")); err != nil || len(v.Statement.Subject) != 1 {
		t.Errorf("%v, subjects %v", err, v.Statement.Subject)
	}
	wantCheck(t, v.CheckImage("sha256:"+digit("a")), "image", "the statement is about sha256:1111")
}

// FuzzVerify requires that only what was signed is accepted.
func FuzzVerify(f *testing.F) {
	key, body := seeded(f, 1), payload(f, build())
	data := signed(f, body, key)
	f.Add(data)
	f.Add([]byte(`{"payload":"","payloadType":"","signatures":[{"sig":""}]}`))
	f.Add([]byte(`{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"x","sig":"AA=="},{"sig":"AA=="}]}`))
	f.Add(bytes.Replace(data, []byte(`"keyid"`), []byte(`"KEYID"`), 1))
	want, err := provenance.Verify(f.Context(), data, key.verifier)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := provenance.Verify(t.Context(), data, key.verifier)
		if err != nil {
			if _, ok := errors.AsType[*provenance.CheckError](err); !ok {
				t.Errorf("error %v says no check", err)
			}
			return
		}
		if diff := cmp.Diff(want.Statement, v.Statement); diff != "" {
			t.Errorf("what was not signed is taken, from %s", data)
		}
	})
}

// FuzzPayload signs any payload, which has to be refused or read.
func FuzzPayload(f *testing.F) {
	key := seeded(f, 1)
	f.Add(payload(f, build()))
	f.Add(payload(f, least()))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":null,"predicate":{"buildDefinition":{"externalParameters":null}}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		v, err := provenance.Verify(t.Context(), provenance.SignAnything(t, provenance.PayloadType, payload, key.signer), key.verifier)
		if err != nil {
			return
		}
		if err := v.CheckImage("sha256:" + v.Statement.Subject[0].Digest["sha256"]); err != nil {
			t.Error(err)
		}
		again, err := v.Statement.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provenance.Sign(t.Context(), again, key.signer); err != nil {
			t.Errorf("cannot sign again what was read: %v", err)
		}
	})
}
