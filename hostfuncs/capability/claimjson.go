package capability

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ParseClaim reads a claim from its JSON. What it does not know is an error,
// since it may be what would be denied.
func ParseClaim(data []byte) (Claim, error) {
	var c Claim
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Claim{}, fmt.Errorf("the claim can't be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Claim{}, errors.New("more follows after the claim")
	}
	return c, nil
}

// The names of uses in JSON, in the order of their values.
var (
	envKinds  = []string{Set: "set", Pass: "pass", Look: "look"}
	fileKinds = []string{Read: "read", Write: "write", Load: "load"}
	netKinds  = []string{Connect: "connect"}
)

// MarshalText implements [encoding.TextMarshaler].
func (k EnvKind) MarshalText() ([]byte, error) { return kindText(envKinds, int(k)) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *EnvKind) UnmarshalText(text []byte) error {
	i, err := kindOf(envKinds, text)
	*k = EnvKind(i)
	return err
}

// MarshalText implements [encoding.TextMarshaler].
func (k FileKind) MarshalText() ([]byte, error) { return kindText(fileKinds, int(k)) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *FileKind) UnmarshalText(text []byte) error {
	i, err := kindOf(fileKinds, text)
	*k = FileKind(i)
	return err
}

// MarshalText implements [encoding.TextMarshaler].
func (k NetKind) MarshalText() ([]byte, error) { return kindText(netKinds, int(k)) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *NetKind) UnmarshalText(text []byte) error {
	i, err := kindOf(netKinds, text)
	*k = NetKind(i)
	return err
}

func kindText(names []string, i int) ([]byte, error) {
	if i < 0 || i >= len(names) {
		return nil, fmt.Errorf("%d is no use", i)
	}
	return []byte(names[i]), nil
}

func kindOf(names []string, text []byte) (int, error) {
	i := slices.Index(names, string(text))
	if i < 0 {
		return -1, fmt.Errorf("%q is no use", text)
	}
	return i, nil
}
