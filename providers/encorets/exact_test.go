package main

import (
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// FuzzAddress compares addresses with packages net and net/netip.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{
		"127.0.0.1:4000", "[::1]:80", "a:b:c", "[a]b:1", "[a:1", ":", "x", "[[::]]:1", "1:[2]", "[]:1", "01.2.3.4:1", "256.1.1.1:1", "1.2.3:1",
		"[::ffff:127.0.0.1]:1", "[fe80::1%eth0]:1", "[::%]:1", "[1:2:3:4:5:6:7:8]:9", "[1::2::3]:4", "[1:2:3:4:5:6:7::]:8", "[::1.2.3.4]:5", "[12345::]:6", "[:1]:2", "0.0.0.0:0", "[1.2.3.4%a]:1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, port, ok := splitAddress(s)
		wantHost, wantPort, err := net.SplitHostPort(s)
		if ok != (err == nil) || ok && (host != wantHost || port != wantPort) {
			t.Fatalf("%q: got %q, %q, %v, want %q, %q, %v", s, host, port, ok, wantHost, wantPort, err)
		}
		if ok && joinAddress(host, port) != net.JoinHostPort(host, port) {
			t.Errorf("%q: joined %q", s, joinAddress(host, port))
		}
		for _, text := range []string{s, host} {
			ip, err := netip.ParseAddr(text)
			want := address{valid: err == nil, loopback: ip.IsLoopback(), anyIPv4: ip.Is4() && ip.IsUnspecified()}
			if got := parseAddress(text); got != want {
				t.Errorf("%q: got %+v, want %+v", text, got, want)
			}
		}
	})
}

// FuzzDuration compares durations with package time, down to a millisecond: time computes
// long fractions with floating point.
func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"60s", "1h2m3.5s", "2500ms", "1.s", ".5m", ".s", "0", "-1s", "+1s", "", "1", "1d", "1.2.3s", "1us1µs1μs", "9223372036s", "99999999999999h", "1500000h1.5h", "0.0000001ns"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := time.ParseDuration(s)
		got, ok := duration.Parse(s)
		if ok != (err == nil && want > 0) {
			t.Fatalf("%q: got %v, want %v, %v", s, ok, want, err)
		}
		if !ok {
			return
		}
		if off := got - want.Milliseconds(); off < -1 || off > 1 {
			t.Errorf("%q: got %d ms, want %v", s, got, want)
		}
		if text := (time.Duration(got) * time.Millisecond).String(); got < 1<<40 && duration.Format(got) != text {
			t.Errorf("%d ms: got %s, want %s", got, duration.Format(got), text)
		}
	})
}

// grammar has the expressions of each part of a reference, from
// https://github.com/distribution/reference/blob/v0.6.0/regexp.go, and of other names.
var grammar = map[string]func(string) bool{
	`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$`: isComponent,
	`^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$`: isDomain,
	`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`:                                    isTag,
	`^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$`: isDigest,
	`^[A-Za-z0-9_.-]{0,100}$`:                                                isSuffix,
	`^[A-Za-z_][A-Za-z0-9_]*$`:                                               isVariable,
}

func FuzzGrammar(f *testing.F) {
	expressions := make(map[string]*regexp.Regexp)
	for text := range grammar {
		expressions[text] = regexp.MustCompile(text)
	}
	sum := strings.Repeat("0aF", 11)
	for _, seed := range []string{
		"", "a", "a.b", "a..b", "a_b", "a__b", "a___b", "a---b", "-a", "a-", "A", "a.b-", ".a", "é", "a/b",
		"a:1", "a:", "A-b.c:80", "[::1]", "[::1]:5", "[::1]5", "[]", "[::1", "[g]", "a.:1", "a:b", "_x", "0x", "x y",
		"sha256:" + sum, "a+b-c.d_e:" + sum, "1a:" + sum, "a+1:" + sum, "a:" + sum + "g", ":" + sum, "a+:" + sum, strings.Repeat("x", 101), strings.Repeat("x", 129),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for text, matches := range grammar {
			if got, want := matches(s), expressions[text].MatchString(s); got != want {
				t.Errorf("%q: got %v for %s", s, got, text)
			}
		}
	})
}
