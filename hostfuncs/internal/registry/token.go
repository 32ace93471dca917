package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

const (
	// askLimit is how long a registry or a token server may take to answer.
	askLimit = 30 * time.Second
	// tokenLimit is the most bytes of a token server's answer.
	tokenLimit = 64 << 10
	// redirectLimit is the most redirects.
	redirectLimit = 3
	// shortest is the specification's default validity of a token.
	shortest = 60 * time.Second
)

// tokenForm matches a token that is one word of a header.
var tokenForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[!-~]+$`) })

// Client asks registries for their authentication, and token servers for tokens.
type Client struct {
	base  http.RoundTripper
	limit time.Duration
}

// NewClient returns a client that uses base; nil is the default.
func NewClient(base http.RoundTripper) *Client {
	if base == nil {
		base = newBase()
	}
	return &Client{base: base, limit: askLimit}
}

// TokenRequest is a registry's request for a token.
type TokenRequest struct {
	Host           string // of the registry
	Realm, Service string
	Scopes         []string
}

// Token is a token for a registry.
type Token struct {
	Value   string
	Issued  time.Time // zero if unknown
	Expires time.Duration
}

// Format prints no secret.
func (t Token) Format(f fmt.State, _ rune) { fmt.Fprint(f, "token") }

// FetchToken exchanges credentials for a token, by
// https://distribution.github.io/distribution/spec/auth/token/ for a name and a
// password, and by https://distribution.github.io/distribution/spec/auth/oauth/
// for an identity token. A registry token is returned as it is. The realm must
// pass [CheckRealm]; redirects are followed to the same host, three times. The
// server has 30 seconds, and 64 KiB for its answer. It is asked once.
//
// # Errors
//
// Errors name registry and token server, and quote nothing that was sent or received.
// ctx's error once it is done.
func (c *Client) FetchToken(ctx context.Context, auth Auth, want TokenRequest) (Token, error) {
	if auth.RegistryToken != "" {
		return Token{Value: auth.RegistryToken, Expires: shortest}, nil
	}
	if err := CheckRealm(want.Host, want.Realm); err != nil {
		return Token{}, err
	}
	req, err := want.request(auth)
	if err != nil {
		return Token{}, err
	}
	token, err := c.fetch(ctx, req)
	switch {
	case ctx.Err() != nil:
		return Token{}, ctx.Err()
	case err != nil:
		return Token{}, fmt.Errorf("registry %s: its token server %s %w", want.Host, req.URL.Host, err)
	}
	return token, nil
}

func (want TokenRequest) request(auth Auth) (*http.Request, error) {
	values := url.Values{}
	if want.Service != "" {
		values.Set("service", want.Service)
	}
	if auth.IdentityToken != "" {
		values.Set("scope", strings.Join(want.Scopes, " "))
		values.Set("grant_type", "refresh_token")
		values.Set("client_id", "stagecraft")
		values.Set("refresh_token", auth.IdentityToken)
		req, err := http.NewRequest(http.MethodPost, want.Realm, strings.NewReader(values.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	}
	values["scope"] = want.Scopes
	req, err := http.NewRequest(http.MethodGet, want.Realm, nil)
	if err != nil {
		return nil, err
	}
	for name, all := range req.URL.Query() {
		if _, ok := values[name]; !ok {
			values[name] = all
		}
	}
	if auth.Username != "" {
		values.Set("account", auth.Username)
		req.SetBasicAuth(auth.Username, auth.Password)
	}
	req.URL.RawQuery = values.Encode()
	return req, nil
}

func (c *Client) fetch(ctx context.Context, req *http.Request) (Token, error) {
	resp, cancel, err := c.do(ctx, req)
	if err != nil {
		return Token{}, err
	}
	defer cancel()
	defer resp.Body.Close()
	if err := refusal(resp); err != nil {
		return Token{}, err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, tokenLimit+1))
	switch {
	case err != nil:
		return Token{}, fmt.Errorf("did not finish its answer: %w", err)
	case len(text) > tokenLimit:
		return Token{}, errors.New("answers with more than 64 KiB")
	}
	return parseToken(text)
}

// do sends a request and follows redirects only to the same host.
func (c *Client) do(ctx context.Context, req *http.Request) (*http.Response, context.CancelFunc, error) {
	limited, cancel := context.WithTimeout(ctx, c.limit)
	client := http.Client{Transport: c.base, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		switch {
		case len(via) > redirectLimit:
			return errors.New("redirects too often")
		case to.URL.Scheme != via[0].URL.Scheme || !sameHost(to.URL.Host, via[0].URL.Host, to.URL.Scheme):
			return fmt.Errorf("redirects to %s, another host; credentials are not sent there", termtext.Line(to.URL.Host, 200))
		}
		return nil
	}}
	resp, err := client.Do(req.WithContext(limited))
	if err == nil {
		return resp, cancel, nil
	}
	late := limited.Err() != nil
	cancel()
	if late && ctx.Err() == nil {
		return nil, nil, fmt.Errorf("does not answer within %v", c.limit)
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		// Its text contains the address with all parameters.
		err = failed.Err
	}
	return nil, nil, fmt.Errorf("cannot be reached: %w", err)
}

// refusal returns the error of an answer without a token.
func refusal(resp *http.Response) error {
	switch status := resp.StatusCode; status {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return errors.New("refuses the credentials; log in again with `docker login`")
	case http.StatusTooManyRequests:
		if after := termtext.Line(resp.Header.Get("Retry-After"), 40); after != "" {
			return fmt.Errorf("received too many requests; try again later (Retry-After: %s)", after)
		}
		return errors.New("received too many requests; try again later")
	default:
		return fmt.Errorf("answers with status %d", status)
	}
}

// parseToken decodes a token server's answer.
func parseToken(text []byte) (Token, error) {
	var a struct {
		Token       string    `json:"token"`
		AccessToken string    `json:"access_token"`
		ExpiresIn   int64     `json:"expires_in"` // seconds
		IssuedAt    time.Time `json:"issued_at"`
	}
	// The decoder's error would quote the text.
	if json.Unmarshal(text, &a) != nil {
		return Token{}, errors.New("answers with something other than the JSON of the specification")
	}
	if a.Token == "" {
		a.Token = a.AccessToken
	}
	if !tokenForm().MatchString(a.Token) {
		return Token{}, errors.New("answers without a token")
	}
	expires := shortest
	if most := int64(24 * 60 * 60); a.ExpiresIn > 0 {
		expires = time.Duration(min(a.ExpiresIn, most)) * time.Second
	}
	return Token{Value: a.Token, Issued: a.IssuedAt, Expires: expires}, nil
}
