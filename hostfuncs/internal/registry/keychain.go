package registry

import (
	"context"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Keychain is the credentials as go-containerregistry takes them. It is to go
// with a [Transport], since that library sends them wherever a registry says.
func (c *Credentials) Keychain() authn.Keychain { return keychain{c} }

type keychain struct{ credentials *Credentials }

// Resolve implements [authn.Keychain].
func (k keychain) Resolve(of authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), of)
}

// ResolveContext implements [authn.ContextKeychain].
func (k keychain) ResolveContext(ctx context.Context, of authn.Resource) (authn.Authenticator, error) {
	auth, err := k.credentials.Lookup(ctx, of.RegistryStr())
	if err != nil || auth.None() {
		return authn.Anonymous, err
	}
	return authn.FromConfig(authn.AuthConfig{
		Username: auth.Username, Password: auth.Password,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	}), nil
}
