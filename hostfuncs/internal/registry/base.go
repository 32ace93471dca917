package registry

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// silence is how long a registry may send nothing.
const silence = 30 * time.Second

// newBase returns a transport with a limit for each wait.
func newBase() http.RoundTripper {
	return waiter{&patient{base: newHTTP(silence), limit: silence}}
}

func newHTTP(limit time.Duration) *http.Transport {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.DialContext = (&net.Dialer{Timeout: limit, KeepAlive: limit}).DialContext
	base.TLSHandshakeTimeout = limit
	base.ResponseHeaderTimeout = limit
	// Answers are not decompressed, so they do not grow.
	base.DisableCompression = true
	return base
}

// patient cancels a request whose answer stalls.
type patient struct {
	base  http.RoundTripper
	limit time.Duration
}

// RoundTrip implements [http.RoundTripper].
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	resp, err := p.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	b := &watchedBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, limit: p.limit}
	b.timer = time.AfterFunc(p.limit, func() { cancel(&stalledError{p.limit}) })
	b.timer.Stop()
	resp.Body = b
	return resp, nil
}

// watchedBody is the body of an answer, with a limit for each Read.
type watchedBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.limit)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if stalled, ok := context.Cause(b.ctx).(*stalledError); ok && err != nil {
		err = stalled
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.timer.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}

// stalledError means that an answer stalled.
type stalledError struct{ after time.Duration }

func (e *stalledError) Error() string {
	return fmt.Sprintf("the registry has sent nothing for %v", e.after)
}

const (
	// longestWait is the longest Retry-After that is waited for; a longer one is an
	// error.
	longestWait = 10 * time.Second
	// mostWaits is how often a request is repeated.
	mostWaits = 2
)

// waiter repeats a request after the time that a registry requires, see
// https://www.rfc-editor.org/rfc/rfc9110#name-retry-after.
type waiter struct{ base http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (w waiter) RoundTrip(req *http.Request) (*http.Response, error) {
	for waits := 0; ; waits++ {
		resp, err := w.base.RoundTrip(req)
		if err != nil || waits == mostWaits {
			return resp, err
		}
		wait, ok := retryAfter(resp)
		again, repeats := repeat(req)
		if !ok || !repeats {
			return resp, nil
		}
		// The connection can be reused only once the body is read.
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		resp.Body.Close()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-req.Context().Done():
			timer.Stop()
			return nil, req.Context().Err()
		}
		req = again
	}
}

// retryAfter returns the wait that a registry requires in seconds, false if it is too
// long. Registries do not send dates.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	wait := time.Duration(seconds) * time.Second
	return wait, err == nil && seconds >= 0 && seconds <= int(longestWait/time.Second)
}

// repeat returns a copy of a request, if its body can be sent again.
func repeat(req *http.Request) (*http.Request, bool) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	again.Body = body
	return again, err == nil
}
