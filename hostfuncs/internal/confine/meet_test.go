package confine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// may is what rules say of one thing that a program does.
var may = map[string]func(r Rules, path string, port uint16) bool{
	"read": func(r Rules, path string, _ uint16) bool { return r.AnyFiles || isBelow(r.readable(), path) },
	"write": func(r Rules, path string, _ uint16) bool {
		return r.AnyFiles || isBelow(r.Write, path)
	},
	"exec":    func(r Rules, path string, _ uint16) bool { return r.AnyFiles || isBelow(r.Exec, path) },
	"sockets": func(r Rules, path string, _ uint16) bool { return r.AnySockets || isBelow(r.Sockets, path) },
	"connect": func(r Rules, _ string, port uint16) bool {
		return r.AnyNet || r.AnyConnect || slices.Contains(r.Connect, port)
	},
	"listen": func(r Rules, _ string, port uint16) bool {
		return r.AnyNet || r.AnyListen || slices.Contains(r.Listen, port)
	},
	"UDP":         func(r Rules, _ string, _ uint16) bool { return r.AnyNet || r.UDP },
	"any network": func(r Rules, _ string, _ uint16) bool { return r.AnyNet },
	"best effort": func(r Rules, _ string, _ uint16) bool { return r.BestEffort },
}

func isBelow(list []string, path string) bool {
	return slices.ContainsFunc(list, func(folder string) bool { return within(path, folder) })
}

// TestAnd: a program may do exactly what both rules let it.
func TestAnd(t *testing.T) {
	paths := []string{"/", "/a", "/a/b", "/a/b/c", "/ab", "/b"}
	r := rand.New(rand.NewPCG(1, 2))
	some := func() (list []string) {
		for range r.IntN(3) {
			list = append(list, paths[r.IntN(len(paths))])
		}
		return list
	}
	ports := func() (list []uint16) {
		for range r.IntN(3) {
			list = append(list, uint16(r.IntN(3)))
		}
		return list
	}
	yes := func() bool { return r.IntN(4) == 0 }
	random := func() Rules {
		return Rules{
			Read: some(), Write: some(), Exec: some(), Sockets: some(), AnyFiles: yes(), Connect: ports(), Listen: ports(),
			AnyConnect: yes(), AnyListen: yes(), UDP: yes(), AnyNet: yes(), AnySockets: yes(), BestEffort: yes(),
		}
	}
	for range 20_000 {
		a, b := random(), random()
		both := a.And(b)
		path, port := paths[r.IntN(len(paths))], uint16(r.IntN(3))
		for what, of := range may {
			if got, want := of(both, path, port), of(a, path, port) && of(b, path, port); got != want {
				t.Fatalf("%s of %s, %d: got %v, want %v\n%+v\nand %+v\nare %+v", what, path, port, got, want, a, b, both)
			}
		}
	}
}
