package cli

import (
	"context"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// attestFlags are for a command that makes an image.
type attestFlags struct {
	Attest    string `placeholder:"FILE" help:"Write a signed statement of what the image was built from to FILE."`
	AttestKey string `placeholder:"FILE" help:"Sign it with the private key in FILE; default STAGECRAFT_ATTEST_KEY."`
}

// attestation is a statement that is to be written once there is an image. Nil
// is none.
type attestation struct {
	file string
	key  provenance.Signer
}

// attestKey names the file of the key that statements are signed with.
const attestKey = "STAGECRAFT_ATTEST_KEY"

// attestation reads the key, before anything is built that it could not sign.
func (f attestFlags) attestation(a *app) (*attestation, error) {
	if f.Attest == "" {
		if f.AttestKey != "" {
			return nil, &usageError{"--attest-key is for --attest", "name the file to write with --attest FILE, or leave it out"}
		}
		return nil, nil
	}
	keyFile := f.AttestKey
	if keyFile == "" {
		var err error
		if keyFile, err = a.namedBy(attestKey); err != nil {
			return nil, err
		}
	}
	if keyFile == "" {
		return nil, &usageError{"--attest needs a key to sign with: name it with --attest-key FILE, or in STAGECRAFT_ATTEST_KEY", provenance.MakeKey}
	}
	key, err := readKey(keyFile, provenance.ParsePrivateKey)
	if err != nil {
		return nil, fmt.Errorf("--attest: %w", err)
	}
	return &attestation{f.Attest, key}, nil
}

// readKey reads a key, and names its file in errors.
func readKey[K any](file string, parse func([]byte) (K, error)) (K, error) {
	var key K
	data, err := config.ReadRegular(file, provenance.MaxKeyBytes+1)
	if err == nil {
		key, err = parse(data)
	}
	if err != nil {
		err = fmt.Errorf("the key %s: %w", file, err)
	}
	return key, err
}

// write writes the statement of the image that was built.
func (t *attestation) write(ctx context.Context, a *app, image session.Image) error {
	if t == nil {
		return nil
	}
	s, err := image.Provenance()
	if err != nil {
		return fmt.Errorf("--attest: %w", err)
	}
	payload, err := s.Marshal()
	if err != nil {
		return fmt.Errorf("--attest: %w", err)
	}
	data, err := provenance.Sign(ctx, a.secrets.JSON(payload), t.key)
	if err != nil {
		return fmt.Errorf("--attest: %w", err)
	}
	if err := atomicfile.Write(t.file, data); err != nil {
		return fmt.Errorf("--attest: %w", err)
	}
	return nil
}
