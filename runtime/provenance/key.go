package provenance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/secure-systems-lab/go-securesystemslib/signerverifier"
)

// MaxKeyBytes is the most bytes of a key file.
const MaxKeyBytes = 64 << 10

// Hints for making keys.
const (
	MakeKey    = "make one with: openssl genpkey -algorithm ed25519 -out FILE"
	makePublic = "make one with: openssl pkey -in KEY -pubout -out FILE"
	convertKey = "convert it with: openssl pkcs8 -topk8 -nocrypt -in KEY -out FILE"
	decryptKey = "decrypt it with: openssl pkey -in KEY -out FILE"
)

// KeyError says why a file is not a usable key.
type KeyError struct{ Reason, Advice string }

func (e *KeyError) Error() string { return e.Reason }

// Hint says what to do about it.
func (e *KeyError) Hint() string { return e.Advice }

// Signer is a private key.
type Signer struct{ key dsse.SignerVerifier }

// Verifier is a public key.
type Verifier struct{ key dsse.SignerVerifier }

// ID is in-toto's ID of the key, a SHA-256 in hex.
func (v Verifier) ID() string {
	// A loaded key has an ID.
	id, _ := v.key.KeyID()
	return id
}

// ParsePrivateKey reads a private key, Ed25519 or ECDSA on P-256, in PKCS #8 (RFC 5958) as
// PEM.
//
// # Errors
//
// A [*KeyError], which has nothing of the key.
func ParsePrivateKey(data []byte) (Signer, error) {
	block, err := onePEM(data, MakeKey)
	if err != nil {
		return Signer{}, err
	}
	switch block.Type {
	case signerverifier.PrivateKeyPEM:
	case "ENCRYPTED PRIVATE KEY":
		return Signer{}, &KeyError{"the key is encrypted, and passphrases are not supported", decryptKey}
	case "EC PRIVATE KEY":
		return Signer{}, &KeyError{"the key is not in PKCS #8", convertKey}
	case signerverifier.PublicKeyPEM:
		return Signer{}, &KeyError{"expected a private key, got a public key", MakeKey}
	default:
		return Signer{}, &KeyError{"not a private key in PKCS #8", MakeKey}
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Signer{}, &KeyError{"the key is damaged or of an unknown kind", MakeKey}
	}
	owner, ok := key.(interface{ Public() crypto.PublicKey })
	if !ok || !isKnown(owner.Public()) {
		return Signer{}, &KeyError{"the key is neither Ed25519 nor ECDSA on P-256", MakeKey}
	}
	loaded, err := load(block)
	return Signer{loaded}, err
}

// ParsePublicKey reads a public key, Ed25519 or ECDSA on P-256, as the PEM of its
// SubjectPublicKeyInfo (RFC 5280).
//
// # Errors
//
// A [*KeyError].
func ParsePublicKey(data []byte) (Verifier, error) {
	block, err := onePEM(data, makePublic)
	switch {
	case err != nil:
		return Verifier{}, err
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return Verifier{}, &KeyError{"expected a public key, got a private key", makePublic}
	case block.Type != signerverifier.PublicKeyPEM:
		return Verifier{}, &KeyError{"not a public key", makePublic}
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	switch {
	case err != nil:
		return Verifier{}, &KeyError{"the key is damaged or of an unknown kind", makePublic}
	case !isKnown(key):
		return Verifier{}, &KeyError{"the key is neither Ed25519 nor ECDSA on P-256", MakeKey}
	}
	loaded, err := load(block)
	return Verifier{loaded}, err
}

// onePEM reads a file with exactly one key. The name of a curve, which openssl writes
// before the key, is skipped.
func onePEM(data []byte, advice string) (*pem.Block, error) {
	if len(data) > MaxKeyBytes {
		return nil, &KeyError{"the file is too large for a key", advice}
	}
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, &KeyError{"not a key in PEM", advice}
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, &KeyError{"more than one key", "put each key into its own file"}
	}
	return block, nil
}

func isKnown(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return true
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256()
	}
	return false
}

// load loads a key that signs or verifies.
func load(block *pem.Block) (dsse.SignerVerifier, error) {
	key, err := signerverifier.LoadKey(pem.EncodeToMemory(block))
	if err != nil {
		return nil, err
	}
	switch key.KeyType {
	case signerverifier.ED25519KeyType:
		return signerverifier.NewED25519SignerVerifierFromSSLibKey(key)
	case signerverifier.ECDSAKeyType:
		return signerverifier.NewECDSASignerVerifierFromSSLibKey(key)
	}
	return nil, errors.New("unknown kind of key")
}
