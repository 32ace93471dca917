// Package probe asks whether something answers at an address.
package probe

import (
	"context"
	"net"
	"net/http"
	"time"
)

// once bounds one round of requests.
const once = 2 * time.Second

// Ask reports whether any address, host:port, answers: by a connection or, with a path,
// by HTTP with a status below 500. named is the host of the HTTP request. The status is
// the last one received.
func Ask(ctx context.Context, addresses []string, named, path string) (answers bool, status int) {
	return ask(ctx, once, addresses, named, path)
}

func ask(ctx context.Context, limit time.Duration, addresses []string, named, path string) (answers bool, status int) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, address := range addresses {
		if path == "" {
			if conn, err := new(net.Dialer).DialContext(ctx, "tcp", address); err == nil {
				conn.Close()
				return true, 0
			}
			continue
		}
		if got, err := get(ctx, address, "http://"+named+path); err == nil {
			status = got
			if status < http.StatusInternalServerError {
				return true, status
			}
		}
	}
	return false, status
}

// get asks only that address, without a proxy or redirects.
func get(ctx context.Context, address, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
