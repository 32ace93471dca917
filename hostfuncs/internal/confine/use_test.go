package confine

import (
	"testing"
)

func TestAllows(t *testing.T) {
	some := Rules{Read: []string{"/r"}, List: []string{"/l"}, Exec: []string{"/x"}, Write: []string{"/w"}, Sockets: []string{"/s/a"}, Connect: []uint16{80}, Listen: []uint16{0}}
	for _, tt := range []struct {
		rules Rules
		use   Use
		want  bool
	}{
		{some, Use{Kind: UseRead, Path: "/r"}, true},
		{some, Use{Kind: UseRead, Path: "/r/a/b"}, true},
		{some, Use{Kind: UseRead, Path: "/ra"}, false},
		{some, Use{Kind: UseRead, Path: "/x/a"}, true},
		{some, Use{Kind: UseList, Path: "/w"}, true},
		{some, Use{Kind: UseList, Path: "/"}, false},
		{some, Use{Kind: UseList, Path: "/l"}, true},
		{some, Use{Kind: UseList, Path: "/l/a"}, true},
		{some, Use{Kind: UseRead, Path: "/l/a"}, false},
		{some, Use{Kind: UseWrite, Path: "/l/a"}, false},
		{some, Use{Kind: UseMake, Path: "/l"}, false},
		{some, Use{Kind: UseWrite, Path: "/r/a"}, false},
		{some, Use{Kind: UseWrite, Path: "/w/a"}, true},
		{some, Use{Kind: UseMake, Path: "/w"}, true},
		{some, Use{Kind: UseMake, Path: "/x"}, false},
		{some, Use{Kind: UseMkdir, Path: "/w/d"}, true},
		{some, Use{Kind: UseMkdir, Path: "/d"}, false},
		{some, Use{Kind: UseSocket, Path: "/s/a"}, true},
		{some, Use{Kind: UseSocket, Path: "/s/b"}, false},
		{some, Use{Kind: UseSocket, Path: "@s"}, false},
		{some, Use{Kind: UseConnect, Port: 80}, true},
		{some, Use{Kind: UseConnect, Port: 81}, false},
		{some, Use{Kind: UseListen}, true},
		{some, Use{Kind: UseListen, Port: 80}, false},
		{some, Use{Kind: UseUDP, Port: 80}, false},
		{some, Use{Path: "/r"}, false},
		{Rules{AnyFiles: true}, Use{Kind: UseMake, Path: "/a"}, true},
		{Rules{AnyFiles: true}, Use{Kind: UseRead, Path: "/a"}, true},
		{Rules{AnySockets: true}, Use{Kind: UseSocket, Path: "@s"}, true},
		{Rules{AnyNet: true}, Use{Kind: UseUDP, Port: 1}, true},
		{Rules{AnyConnect: true}, Use{Kind: UseConnect, Port: 1}, true},
		{Rules{AnyConnect: true}, Use{Kind: UseListen, Port: 1}, false},
		{Rules{AnyListen: true}, Use{Kind: UseListen, Port: 1}, true},
		{Rules{UDP: true}, Use{Kind: UseUDP, Port: 1}, true},
	} {
		if got := tt.rules.Allows(tt.use); got != tt.want {
			t.Errorf("%c %s %d: got %v", tt.use.Kind, tt.use.Path, tt.use.Port, got)
		}
	}
}
