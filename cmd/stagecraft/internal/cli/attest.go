package cli

import (
	"context"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// attestFlags are the flags of a command that builds an image.
type attestFlags struct {
	Attest    string `placeholder:"FILE" help:"Write a signed statement of what the image was built from to FILE."`
	AttestKey string `placeholder:"FILE" help:"Sign it with the private key in FILE; default STAGECRAFT_ATTEST_KEY."`
}

// attestation is a statement to write when the image is built; nil for none.
type attestation struct {
	file string
	key  provenance.Signer
}

// attestKeyEnv names the file of the private key that signs statements.
const attestKeyEnv = "STAGECRAFT_ATTEST_KEY"

// attestation reads the key, so that an unusable key fails before the build.
func (f attestFlags) attestation(a *app) (*attestation, error) {
	if f.Attest == "" {
		if f.AttestKey != "" {
			return nil, &usageError{"--attest-key requires --attest", "name the file to write with --attest FILE, or leave --attest-key out"}
		}
		return nil, nil
	}
	keyFile := f.AttestKey
	if keyFile == "" {
		var err error
		if keyFile, err = a.setting(attestKeyEnv); err != nil {
			return nil, err
		}
	}
	if keyFile == "" {
		return nil, &usageError{"--attest requires a private key: name it with --attest-key FILE, or in STAGECRAFT_ATTEST_KEY", provenance.MakeKey}
	}
	key, err := readKey(keyFile, provenance.ParsePrivateKey)
	if err != nil {
		return nil, fmt.Errorf("--attest: %w", err)
	}
	return &attestation{f.Attest, key}, nil
}

// readKey reads a key; its errors name the file.
func readKey[K any](file string, parse func([]byte) (K, error)) (K, error) {
	var key K
	data, err := config.ReadRegular(file, provenance.MaxKeyBytes+1)
	if err == nil {
		key, err = parse(data)
	}
	if err != nil {
		err = fmt.Errorf("key %s: %w", file, err)
	}
	return key, err
}

// write writes the statement of the image that was built.
func (t *attestation) write(ctx context.Context, a *app, image session.Image) error {
	if t == nil {
		return nil
	}
	data, err := t.signed(ctx, a, image)
	if err != nil {
		return fmt.Errorf("--attest: %w", err)
	}
	return writeFile("--attest", t.file, data)
}

func (t *attestation) signed(ctx context.Context, a *app, image session.Image) ([]byte, error) {
	s, err := image.Provenance()
	if err != nil {
		return nil, err
	}
	payload, err := s.Marshal()
	if err != nil {
		return nil, err
	}
	return provenance.Sign(ctx, a.secrets.JSON(payload), t.key)
}
