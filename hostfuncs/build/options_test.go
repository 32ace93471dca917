package build

import "testing"

func TestParseEngine(t *testing.T) {
	for _, tt := range []struct {
		name, certs string
		want        Engine
		ok          bool
	}{
		{"", "", Engine{Kind: Auto}, true},
		{"auto", "", Engine{Kind: Auto}, true},
		{"docker", "/c", Engine{Kind: Docker}, true},
		{"embedded", "", Engine{Kind: Embedded}, true},
		{"buildkit+unix:///run/b.sock", "", Engine{Kind: BuildKit, Address: "unix:///run/b.sock"}, true},
		{"buildkit+tcp://127.0.0.1:1234", "", Engine{Kind: BuildKit, Address: "tcp://127.0.0.1:1234"}, true},
		{"buildkit+tcp://[::1]:1234/", "", Engine{Kind: BuildKit, Address: "tcp://[::1]:1234"}, true},
		{"buildkit+tcp://b.acme.dev:1234", "/c", Engine{Kind: BuildKit, Address: "tcp://b.acme.dev:1234", Certs: "/c"}, true},
		{name: "buildkit+tcp://b.acme.dev:1234"},
		{name: "buildkit+tcp://localhost.acme.dev:1234"},
		{name: "buildkit"},
		{name: "Docker"},
		{name: "buildkit+unix://run/b.sock"},
		{name: "buildkit+tcp://127.0.0.1"},
		{name: "buildkit+tcp://:1234"},
		{name: "buildkit+tcp://u:p@127.0.0.1:1234"},
		{name: "buildkit+tcp://127.0.0.1:1234/x"},
		{name: "buildkit+docker-container://x"},
		{name: "buildkit+ssh://host"},
	} {
		got, err := ParseEngine(tt.name, tt.certs)
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("%q, %q: got %+v, %v", tt.name, tt.certs, got, err)
		}
		if tt.ok && tt.name != "" {
			if again, err := ParseEngine(got.String(), tt.certs); err != nil || again != got {
				t.Errorf("%q: %q gives %+v, %v", tt.name, got.String(), again, err)
			}
		}
	}
}
