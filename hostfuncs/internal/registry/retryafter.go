package registry

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// longestWait is how long a registry may have us wait before it is asked
	// again; a longer wait is reported as an error.
	longestWait = 10 * time.Second
	// mostWaits is how often it may for one request.
	mostWaits = 2
)

// waiter asks again after the time that a registry names when it is asked too
// much, see https://www.rfc-editor.org/rfc/rfc9110#name-retry-after.
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
		// What is left open is no connection for the next request.
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

// retryAfter is how long a registry wants us to wait, where that can be waited
// for. It is seconds; registries name no dates.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	wait := time.Duration(seconds) * time.Second
	return wait, err == nil && seconds >= 0 && seconds <= int(longestWait/time.Second)
}

// repeat returns a request again, if its body can be sent again.
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
