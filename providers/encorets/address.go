package main

import (
	"slices"
	"strconv"
	"strings"
)

// Packages net and net/netip would be a tenth of the module.

// splitAddress splits host:port and [host]:port as net.SplitHostPort does.
func splitAddress(s string) (host, port string, ok bool) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return "", "", false
	}
	host, port = s[:colon], s[colon+1:]
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		host, ok = strings.CutSuffix(inner, "]")
	} else {
		ok = !strings.Contains(host, ":")
	}
	return host, port, ok && !strings.ContainsAny(host+port, "[]")
}

// joinAddress is the reverse of splitAddress.
func joinAddress(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

// parseIPv4 parses an address such as 127.0.0.1.
func parseIPv4(s string) (ip []byte, ok bool) {
	for _, part := range strings.Split(s, ".") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(part) > 1 && part[0] == '0' {
			return nil, false
		}
		ip = append(ip, byte(n))
	}
	return ip, len(ip) == 4
}

// parseIPv6 parses an address such as ::1 or fe80::1%eth0 (RFC 4291, 2.2).
func parseIPv6(s string) (ip []byte, ok bool) {
	s, zone, zoned := strings.Cut(s, "%")
	if zoned && zone == "" {
		return nil, false
	}
	before, after, gap := strings.Cut(s, "::")
	head, ok := groups(before, !gap)
	tail, ok2 := groups(after, true)
	if !ok || !ok2 || gap && len(head)+len(tail) > 14 || !gap && len(head) != 16 {
		return nil, false
	}
	return slices.Concat(head, make([]byte, 16-len(head)-len(tail)), tail), true
}

// groups parses groups of an IPv6 address. The last may be an IPv4 address.
func groups(s string, last bool) (ip []byte, ok bool) {
	for more := s != ""; more; {
		var group string
		group, s, more = strings.Cut(s, ":")
		if v4, ok := parseIPv4(group); ok && last && !more {
			return append(ip, v4...), true
		}
		n, err := strconv.ParseUint(group, 16, 16)
		if err != nil || len(group) > 4 {
			return nil, false
		}
		ip = append(ip, byte(n>>8), byte(n))
	}
	return ip, true
}

// address is a parsed IP address.
type address struct{ valid, loopback, anyIPv4 bool }

func parseAddress(s string) address {
	if ip, ok := parseIPv4(s); ok {
		return address{valid: true, loopback: ip[0] == 127, anyIPv4: s == "0.0.0.0"}
	}
	ip, ok := parseIPv6(s)
	if !ok {
		return address{}
	}
	zeros := make([]byte, 15)
	mapped := string(ip[:12]) == string(zeros[:10])+"\xff\xff"
	return address{valid: true, loopback: mapped && ip[12] == 127 || string(ip) == string(zeros)+"\x01"}
}
