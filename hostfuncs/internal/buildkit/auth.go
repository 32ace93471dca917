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
// https://github.com/moby/buildkit/blob/v0.34.2/session/auth/auth.proto. It does
// so for the registries that the build may use, and for no other, so that a
// redirect or a mirror gets nothing, and for what it may do there.
//
// Where a registry gives tokens, the builder gets one, which we fetch, and
// neither password nor identity token. A password is given for a registry that
// takes nothing else, as we ask it ourselves first: one that only the builder
// reaches gets none.
func NewAuth(credentials *registry.Credentials, client *registry.Client, access []Access) Auth {
	// The key is a new one for each build, and none is kept on disk: a builder
	// that serves others too then has no tokens of ours for the next build.
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

// errNothing makes a builder go on without credentials.
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

// FetchToken gives a token for what the registry asked of the builder.
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
	// The builder opens it as NaCl's sign does: the signature, and what was signed.
	signed := append(ed25519.Sign(a.key, req.GetPayload()), req.GetPayload()...)
	return &auth.VerifyTokenAuthorityResponse{Signed: signed}, nil
}

// Access is what a build may do with a repository.
type Access struct {
	Host       string // as [registry.Canonical] has it
	Repository string // without the host
	Push       bool   // it may be read in any case
}

// AccessTo is to the repository of an image's reference.
func AccessTo(ref string, push bool) (Access, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return Access{}, err
	}
	return Access{Host: registry.Canonical(reference.Domain(named)), Repository: reference.Path(named), Push: push}, nil
}

// scopes are those of what a builder asks a token for that the build needs, by
// https://distribution.github.io/distribution/spec/auth/scope/. A registry's
// credentials are often good for all that its user has there.
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

// actions is a scope with the actions that are left of it; empty for none.
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
