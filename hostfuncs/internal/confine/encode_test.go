package confine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var encoded = []Rules{
	{},
	{AnyFiles: true},
	{UDP: true, BestEffort: true},
	{AnyNet: true, AnySockets: true},
	{AnyConnect: true},
	{AnyListen: true},
	{
		Read: []string{"/etc/hosts", ""}, Write: []string{"/tmp"}, Exec: []string{"/usr", "/a b\n\xff"}, List: []string{"/home/a"},
		Connect: []uint16{5432, 65535}, Listen: []uint16{0}, Sockets: []string{"/run/docker.sock"},
	},
}

func TestEncoding(t *testing.T) {
	for _, r := range encoded {
		data := r.Encode()
		got, err := Decode(data)
		if err != nil {
			t.Errorf("%+v: %v", r, err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Error(diff)
		}
		for cut := range len(data) {
			if _, err := Decode(data[:cut]); err == nil {
				t.Errorf("%+v: %d bytes of %d are taken for rules", r, cut, len(data))
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":         "",
		"another version": "\x01\x00\x00\x00\x00\x00\x00\x00\x00",
		"unknown switch":  "\x02\x80\x00\x00\x00\x00\x00\x00\x00",
		"more than rules": "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"a long list":     "\x02\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"a long path":     "\x02\x00\x01\xff\xff\xff\xff\x0f",
		"a large port":    "\x02\x00\x00\x00\x00\x00\x00\x01\x80\x80\x04\x00",
		"a long number":   "\x02\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		if r, err := Decode([]byte(data)); err == nil {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range encoded {
		f.Add(r.Encode())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			return
		}
		got, err := Decode(r.Encode())
		if err != nil {
			t.Fatalf("%+v cannot be read back: %v", r, err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Error(diff)
		}
	})
}
