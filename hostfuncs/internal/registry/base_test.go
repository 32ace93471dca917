package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestRetryAfter has a registry say that it is asked too much.
func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		after  string
		until  int // answers like that before a good one
		once   bool
		asked  int
		waited time.Duration
	}{
		{name: "once", status: 429, after: "3", until: 1, asked: 2, waited: 3 * time.Second},
		{name: "overload", status: 503, after: "10", until: 2, asked: 3, waited: 20 * time.Second},
		{name: "at once", status: 429, after: "0", until: 1, asked: 2},
		{name: "for ever", status: 429, after: "10", until: 9, asked: 3, waited: 20 * time.Second},
		{name: "too long", status: 429, after: "11", until: 9, asked: 1},
		{name: "too long for a number", status: 429, after: "99999999999999999999", until: 9, asked: 1},
		{name: "before now", status: 429, after: "-1", until: 9, asked: 1},
		{name: "a date", status: 429, after: "Wed, 21 Oct 2015 07:28:00 GMT", until: 9, asked: 1},
		{name: "no word", status: 429, until: 9, asked: 1},
		{name: "another status", status: 500, after: "1", until: 9, asked: 1},
		{name: "a body that is gone", status: 429, after: "1", until: 9, once: true, asked: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				w := waiter{roundTrip(func(req *http.Request) (*http.Response, error) {
					if sent, err := io.ReadAll(req.Body); string(sent) != "sent" || err != nil {
						t.Errorf("it gets %q, %v", sent, err)
					}
					resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("x"))}
					if asked++; asked <= tt.until {
						resp.StatusCode = tt.status
						resp.Header.Set("Retry-After", tt.after)
					}
					return resp, nil
				})}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://r.io", strings.NewReader("sent"))
				if err != nil {
					t.Fatal(err)
				}
				if tt.once {
					req.GetBody = nil
				}
				began := time.Now()
				resp, err := w.RoundTrip(req)
				if err != nil || (resp.StatusCode == 200) != (tt.asked > tt.until) {
					t.Errorf("got %v, %v", resp, err)
				}
				if waited := time.Since(began); asked != tt.asked || waited != tt.waited {
					t.Errorf("asked %d times in %v, want %d in %v", asked, waited, tt.asked, tt.waited)
				}
			})
		})
	}
}

// TestRetryAfterEnds gives a request up while it waits.
func TestRetryAfterEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := waiter{roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"9"}}, Body: http.NoBody}, nil
		})}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://r.io", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
