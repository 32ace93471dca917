package buildkit

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// Auth answers a builder that asks for credentials.
type Auth session.Attachable

// NewAuth answers a builder that asks for the user's credentials, by
// https://github.com/moby/buildkit/blob/v0.34.2/session/auth/auth.proto. It answers only
// for the given access, so that a redirect or a mirror gets nothing.
//
// If a registry issues tokens, the builder gets a token that we fetch, and neither
// password nor identity token. A builder gets a password only for a registry that, asked
// by us, takes nothing else.
func NewAuth(credentials *registry.Credentials, client *registry.Client, access []Access) Auth {
	// Each build has a new key, so that a shared builder cannot use its tokens for the
	// next build.
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	return &authServer{credentials: credentials, client: client, access: access, key: key}
}

type authServer struct {
	auth.UnimplementedAuthServer
	credentials *registry.Credentials
	client      *registry.Client
	access      []Access
	key         ed25519.PrivateKey
}

// errNothing makes a builder continue without credentials.
var errNothing = status.Error(codes.Unimplemented, "no credentials for this registry")

// Register implements [session.Attachable].
func (a *authServer) Register(server *grpc.Server) { auth.RegisterAuthServer(server, a) }

// lookup finds the credentials for a host.
func (a *authServer) lookup(ctx context.Context, host string) (registry.Auth, error) {
	if !slices.ContainsFunc(a.access, func(of Access) bool { return of.Host == registry.Canonical(host) }) {
		return registry.Auth{}, errNothing
	}
	found, err := a.credentials.Lookup(ctx, host)
	if err == nil && found.None() {
		err = errNothing
	}
	return found, err
}

// Credentials sends a password if the registry takes nothing else.
func (a *authServer) Credentials(ctx context.Context, req *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	found, err := a.lookup(ctx, req.GetHost())
	if err != nil {
		return nil, err
	}
	if found.Username == "" || found.Password == "" {
		return nil, errNothing
	}
	gives, err := a.client.GivesTokens(ctx, registry.Canonical(req.GetHost()))
	switch {
	case err != nil:
		return nil, err
	case gives:
		return nil, status.Errorf(codes.FailedPrecondition,
			"registry %s issues tokens, so a builder does not get its password; use a builder that asks for tokens, BuildKit 0.8 or later", req.GetHost())
	}
	return &auth.CredentialsResponse{Username: found.Username, Secret: found.Password}, nil
}

// FetchToken returns a token for the registry's request.
func (a *authServer) FetchToken(ctx context.Context, req *auth.FetchTokenRequest) (*auth.FetchTokenResponse, error) {
	found, err := a.lookup(ctx, req.GetHost())
	if err != nil {
		return nil, err
	}
	scopes := a.scopes(registry.Canonical(req.GetHost()), req.GetScopes())
	if len(scopes) == 0 && len(req.GetScopes()) > 0 {
		return nil, errNothing
	}
	token, err := a.client.FetchToken(ctx, found, registry.TokenRequest{
		Host: req.GetHost(), Realm: req.GetRealm(), Service: req.GetService(), Scopes: scopes,
	})
	if err != nil {
		return nil, err
	}
	answer := &auth.FetchTokenResponse{Token: token.Value, ExpiresIn: int64(token.Expires.Seconds())}
	if !token.Issued.IsZero() {
		answer.IssuedAt = token.Issued.Unix()
	}
	return answer, nil
}

// GetTokenAuthority offers to fetch tokens.
func (a *authServer) GetTokenAuthority(ctx context.Context, req *auth.GetTokenAuthorityRequest) (*auth.GetTokenAuthorityResponse, error) {
	if _, err := a.lookup(ctx, req.GetHost()); err != nil {
		return nil, err
	}
	return &auth.GetTokenAuthorityResponse{PublicKey: a.key.Public().(ed25519.PublicKey)}, nil
}

// VerifyTokenAuthority proves that the offer came from this process.
func (a *authServer) VerifyTokenAuthority(ctx context.Context, req *auth.VerifyTokenAuthorityRequest) (*auth.VerifyTokenAuthorityResponse, error) {
	if _, err := a.lookup(ctx, req.GetHost()); err != nil {
		return nil, err
	}
	// The format is that of NaCl's sign: the signature, then the signed bytes.
	signed := append(ed25519.Sign(a.key, req.GetPayload()), req.GetPayload()...)
	return &auth.VerifyTokenAuthorityResponse{Signed: signed}, nil
}

// Access is the right to pull, and with Push to push, a repository.
type Access struct {
	Host       string // as [registry.Canonical] has it
	Repository string // without the host
	Push       bool
}

// AccessTo returns the access to the repository of a reference.
func AccessTo(ref string, push bool) (Access, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return Access{}, err
	}
	return Access{Host: registry.Canonical(reference.Domain(named)), Repository: reference.Path(named), Push: push}, nil
}

// scopes returns the requested scopes that the build needs, by
// https://distribution.github.io/distribution/spec/auth/scope/. Credentials often allow
// all that the user may do in a registry.
func (a *authServer) scopes(host string, asked []string) []string {
	var granted []string
	for _, list := range asked {
		for scope := range strings.FieldsSeq(list) {
			if actions := a.actions(host, scope); actions != "" {
				granted = append(granted, actions)
			}
		}
	}
	return granted
}

// actions returns a scope with its allowed actions, empty for none.
func (a *authServer) actions(host, scope string) string {
	colon := max(strings.LastIndexByte(scope, ':'), 0)
	name := scope[:colon]
	repository, ok := strings.CutPrefix(name, "repository:")
	if !ok {
		return ""
	}
	var left []string
	for action := range strings.SplitSeq(scope[colon+1:], ",") {
		if slices.ContainsFunc(a.access, func(of Access) bool {
			return of.Host == host && of.Repository == repository && (action == "pull" || action == "push" && of.Push)
		}) {
			left = append(left, action)
		}
	}
	if left == nil {
		return ""
	}
	return name + ":" + strings.Join(left, ",")
}
