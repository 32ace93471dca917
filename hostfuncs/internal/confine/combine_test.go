package confine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// may is what rules say of one thing that a program does.
var may = map[string]func(r Rules, path string, port uint16) bool{
	"read": func(r Rules, path string, _ uint16) bool { return r.AnyFiles || isBelow(r.readable(), path) },
	"list": func(r Rules, path string, _ uint16) bool {
		return r.AnyFiles || isBelow(r.readable(), path) || isBelow(r.List, path)
	},
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

// TestAndOfLists: what may be listed under both is what each lets be listed or read, and
// no more may be read by that.
func TestAndOfLists(t *testing.T) {
	for _, tt := range []struct {
		name    string
		a, b    Rules
		want    []string
		readAll []string
	}{
		{"both list", Rules{List: []string{"/p"}}, Rules{List: []string{"/p/src", "/q"}}, []string{"/p/src"}, nil},
		{"one lists, the other reads", Rules{List: []string{"/p"}}, Rules{Read: []string{"/p/src"}}, []string{"/p/src"}, nil},
		{"one lists, the other writes", Rules{List: []string{"/p"}}, Rules{Write: []string{"/p/out"}}, []string{"/p/out"}, nil},
		{"one lists, the other nothing", Rules{List: []string{"/p"}}, Rules{}, nil, nil},
		{"one lists, the other anything", Rules{List: []string{"/p"}}, Rules{AnyFiles: true}, []string{"/p"}, nil},
		{"both read", Rules{Read: []string{"/p"}}, Rules{Exec: []string{"/p/src"}}, nil, []string{"/p/src"}},
	} {
		for _, both := range []Rules{tt.a.And(tt.b), tt.b.And(tt.a)} {
			if !slices.Equal(both.List, tt.want) || !slices.Equal(both.Read, tt.readAll) || len(both.Write) > 0 || len(both.Exec) > 0 {
				t.Errorf("%s: got %+v", tt.name, both)
			}
		}
	}
}

func isBelow(list []string, path string) bool {
	return slices.ContainsFunc(list, func(directory string) bool { return within(path, directory) })
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
			Read: some(), Write: some(), Exec: some(), List: some(), Sockets: some(), AnyFiles: yes(), Connect: ports(), Listen: ports(),
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
