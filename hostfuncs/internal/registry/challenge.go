package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// GivesTokens asks a registry whether it has a token server, by its answer to a
// request without credentials; it has 30 seconds. One of the loopback may speak
// http.
//
// # Errors
//
// A registry that cannot be asked from here. ctx's error when it is done.
func (c *Client) GivesTokens(ctx context.Context, host string) (bool, error) {
	schemes := []string{"https"}
	if loopback(host) {
		schemes = append(schemes, "http")
	}
	var first error
	for _, scheme := range schemes {
		gives, err := c.challenged(ctx, scheme, host)
		switch {
		case err == nil:
			return gives, nil
		case ctx.Err() != nil:
			return false, ctx.Err()
		case first == nil:
			first = err
		}
	}
	return false, fmt.Errorf("registry %s %w", host, first)
}

// challenged looks for a Bearer among the challenges, see
// https://distribution.github.io/distribution/spec/auth/token/. One that only
// has the word in another's parameters is taken for one that gives tokens, and
// so gets no password.
func (c *Client) challenged(ctx context.Context, scheme, host string) (bool, error) {
	req, err := http.NewRequest(http.MethodGet, scheme+"://"+host+"/v2/", nil)
	if err != nil {
		return false, err
	}
	resp, cancel, err := c.do(ctx, req)
	if err != nil {
		return false, err
	}
	defer cancel()
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("answers with status %d", resp.StatusCode)
	}
	all := strings.ToLower(strings.Join(resp.Header.Values("WWW-Authenticate"), ", "))
	return strings.Contains(all, "bearer"), nil
}
