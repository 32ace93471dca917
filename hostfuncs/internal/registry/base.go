package registry

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// silence is how long a registry may say nothing.
const silence = 30 * time.Second

// newBase is a transport with a limit for each wait.
func newBase() http.RoundTripper {
	return waiter{&patient{base: newHTTP(silence), limit: silence}}
}

func newHTTP(limit time.Duration) *http.Transport {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.DialContext = (&net.Dialer{Timeout: limit, KeepAlive: limit}).DialContext
	base.TLSHandshakeTimeout = limit
	base.ResponseHeaderTimeout = limit
	// What a registry sends is read as it is: nothing of it expands.
	base.DisableCompression = true
	return base
}

// patient ends a request whose answer stalls.
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

// watchedBody is an answer's, of which each piece has so long to come.
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

// stalledError says that an answer stalled.
type stalledError struct{ after time.Duration }

func (e *stalledError) Error() string {
	return fmt.Sprintf("the registry has sent nothing for %v", e.after)
}
