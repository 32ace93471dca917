package learn_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
)

func file(kind capability.UseKind, path string, by ...string) capability.Use {
	return capability.Use{Kind: kind, Path: path, By: by}
}

func port(kind capability.UseKind, port int) capability.Use {
	return capability.Use{Kind: kind, Port: port}
}

// reads are of files that are numbered, from a format.
func reads(format string, count int) []capability.Use {
	var uses []capability.Use
	for i := range count {
		uses = append(uses, file(capability.UseRead, fmt.Sprintf(format, i)))
	}
	return uses
}

const (
	mayRead = " # used by commands; the provider may read it too\n"
	seesAll = " # commands see the names of all files below, not their contents\n"
	mayAsk  = " # used by commands; the provider may ask whether it answers\n"
)

func TestCommands(t *testing.T) {
	run := command("npm", "ci")
	for _, tt := range []struct {
		name    string
		claims  []capability.Claim
		uses    []capability.Use
		want    string // below the rule for the command
		outside string
	}{
		{"nothing", nil, nil, "    files: {}\n    net: {}\n", ""},
		{"files", nil, []capability.Use{file(capability.UseRead, "b"), file(capability.UseRead, "a"), file(capability.UseWrite, "c")},
			"    files:\n      read:\n        - a" + mayRead + "        - b" + mayRead + "      write:\n        - c\n    net: {}\n", ""},
		{"what may be written may be read", nil, []capability.Use{
			file(capability.UseRead, "c"), file(capability.UseWrite, "c"), file(capability.UseRead, "d/a"), file(capability.UseList, "d"), file(capability.UseMake, "d"),
		}, "    files:\n      write:\n        - \"d/**\"\n        - c\n    net: {}\n", ""},
		{"a directory that is listed", nil, []capability.Use{file(capability.UseList, "d"), file(capability.UseRead, "d/e/a"), file(capability.UseWrite, "d/b")},
			"    files:\n      read:\n        - d/e/a" + mayRead + "      list:\n        - d" + seesAll + "      write:\n        - d/b\n    net: {}\n", ""},
		{"a directory that is listed and read", nil, []capability.Use{file(capability.UseList, "d"), file(capability.UseRead, "d/a"), file(capability.UseList, "d/e")},
			"    files:\n      read:\n        - \"d/**\"" + mayRead + "    net: {}\n", ""},
		{"directories that are listed in what may be written", nil, []capability.Use{file(capability.UseList, "d"), file(capability.UseList, "d/e"), file(capability.UseMake, "d")},
			"    files:\n      write:\n        - \"d/**\"\n    net: {}\n", ""},
		{"directories in one that is listed", nil, []capability.Use{file(capability.UseList, "d/e"), file(capability.UseList, "d"), file(capability.UseList, "d/*")},
			"    files:\n      list:\n        - d" + seesAll + "    net: {}\n", ""},
		{"a directory that is made", nil, []capability.Use{file(capability.UseMkdir, "d"), file(capability.UseMkdir, "d/e"), file(capability.UseMake, "d/e")},
			"    files:\n      write:\n        - \"d/**\"\n    net: {}\n", ""},
		{"the project", nil, []capability.Use{file(capability.UseList, "."), file(capability.UseRead, "a"), file(capability.UseMake, ".")},
			"    files:\n      read:\n        - a" + mayRead + "      list:\n        - ." + seesAll + "    net: {}\n", ""},
		{"as many files as are told", nil, reads("d/%d", 8), func() (want string) {
			for i := range 8 {
				want += fmt.Sprintf("        - d/%d%s", i, mayRead)
			}
			return "    files:\n      read:\n" + want + "    net: {}\n"
		}(), ""},
		{"more files than are told", nil, append(reads("d/e/%d", 9), file(capability.UseRead, "d/a")),
			"    files:\n      read:\n        - \"d/e/**\"" + mayRead + "        - d/a" + mayRead + "    net: {}\n", ""},
		{"more directories than are told", nil, reads("d/%d/a", 9), "    files:\n      read:\n        - \"d/**\"" + mayRead + "    net: {}\n", ""},
		{"names without a rule", nil, []capability.Use{file(capability.UseRead, "d/e/*"), file(capability.UseRead, "d/\xff/a")},
			"    files:\n      read:\n        - \"d/**\"" + mayRead + "    net: {}\n", ""},
		{"what the provider reads too", []capability.Claim{read("a"), read("d/a"), connect(80)},
			[]capability.Use{file(capability.UseRead, "a"), file(capability.UseList, "d"), file(capability.UseRead, "d/b"), port(capability.UseConnect, 80)},
			"    files:\n      read:\n        - \"d/**\"" + mayRead + "        - a\n    net:\n      connect:\n        - 80\n", ""},
		{"what the provider reads of what commands write", []capability.Claim{read("d/a")}, []capability.Use{file(capability.UseMake, "d")},
			"    files:\n      read:\n        - d/a\n      write:\n        - \"d/**\"\n    net: {}\n", ""},
		{"ports", nil, []capability.Use{port(capability.UseConnect, 40000), port(capability.UseListen, 8080), port(capability.UseConnect, 80)},
			"    files: {}\n    net:\n      connect:\n        - 40000" + mayAsk + "        - 80" + mayAsk + "      listen:\n        - 8080\n", ""},
		{"ports that the system picks", nil, []capability.Use{port(capability.UseConnect, 40000), port(capability.UseListen, 0), port(capability.UseConnect, 80)},
			"    files: {}\n    net:\n      connect:\n        - \"*\" # commands used UDP, for example for DNS, or ports chosen by the system\n      listen:\n        - 0\n", ""},
		{"ports that are not", nil, []capability.Use{port(capability.UseConnect, 40000), port(capability.UseListen, 0), port(capability.UseListen, 40000)},
			"    files: {}\n    net:\n      connect:\n        - 40000" + mayAsk + "      listen:\n        - 0\n        - 40000\n", ""},
		{"names", nil, []capability.Use{port(capability.UseUDP, 53), port(capability.UseConnect, 443)},
			"    files: {}\n    net:\n      connect:\n        - \"*\" # commands used UDP, for example for DNS, or ports chosen by the system\n", ""},
		{"a toolchain", nil, []capability.Use{file(capability.UseRead, "/proc", "go", "node", "python"), file(capability.UseRead, "/c", "node")},
			"    files: {}\n    net: {}\n    use:\n      - node\n", ""},
		{"what every toolchain has", nil, []capability.Use{file(capability.UseRead, "/proc", "bun", "deno", "go", "java", "node", "php", "python")},
			"    files: {}\n    net: {}\n    use:\n      - python\n", ""},
		{"a toolchain that few use", nil, []capability.Use{file(capability.UseRead, "/proc", "go", "java", "node", "python"), file(capability.UseRead, "/c", "java")},
			"    files: {}\n    net: {}\n    use:\n      - java\n", ""},
		{"the narrowest", nil, []capability.Use{file(capability.UseRead, "/g", "git", "go")}, "    files: {}\n    net: {}\n    use:\n      - git\n", ""},
		{"the fewest", nil, []capability.Use{file(capability.UseRead, "/g", "git", "go"), file(capability.UseRead, "/c", "go")},
			"    files: {}\n    net: {}\n    use:\n      - go\n", ""},
		{"two", nil, []capability.Use{file(capability.UseRead, "/g", "git", "go"), file(capability.UseRead, "/c", "node")},
			"    files: {}\n    net: {}\n    use:\n      - git\n      - node\n", ""},
		{"a cache in the project", nil, []capability.Use{file(capability.UseMake, ".cache", "go"), file(capability.UseRead, "/c", "go")},
			"    files: {}\n    net: {}\n    use:\n      - go\n", ""},
		{"a cache in the project of an unused toolchain", nil, []capability.Use{file(capability.UseMake, ".cache", "go")},
			"    files:\n      write:\n        - \".cache/**\"\n    net: {}\n", ""},
		{"sockets", nil, []capability.Use{
			file(capability.UseSocket, "/run/d", "docker"), file(capability.UseSocket, "/run/x"), file(capability.UseSocket, "@x"), file(capability.UseSocket, "s"),
		}, "    files: {}\n    net: {}\n", "/run/x @x s"},
		{"outside", nil, []capability.Use{file(capability.UseRead, "/b"), file(capability.UseWrite, "/a"), file(capability.UseRead, "/b")},
			"    files: {}\n    net: {}\n", "/a /b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			claims := append([]capability.Claim{run}, tt.claims...)
			got, err := learn.Policy(claims, learn.Commands{"generic": {Uses: tt.uses}}, learn.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, below, _ := strings.Cut(got.Policy, "      - npm ci\n"); below != tt.want {
				t.Errorf("got\n%s\nwant\n%s", below, tt.want)
			}
			outside := strings.Fields(tt.outside)
			slices.Sort(outside)
			if !slices.Equal(got.Outside, outside) {
				t.Errorf("outside is %q", got.Outside)
			}
			p := parse(t, got.Policy)
			if d := denied(p, claims); d != nil {
				t.Errorf("%s is denied", d)
			}
			for _, f := range explain.Check(p, nil) {
				if f.Name != capability.DockerSocket {
					t.Errorf("found %v in\n%s", f, got.Policy)
				}
			}
		})
	}
}

// TestUnwatched: commands that were not watched are not confined, and the policy says why.
func TestUnwatched(t *testing.T) {
	claims := []capability.Claim{command("npm", "ci"), read("a")}
	for want, commands := range map[string]learn.Commands{
		"    confine: off # commands were not watched\n": nil,
		"    confine: off # one; two\n":                  {"generic": {Missed: []string{"one", "two"}, Uses: reads("d/%d", 2)}},
	} {
		got, err := learn.Policy(claims, commands, learn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want = "  generic:\n" + want + "    exec:\n      - npm ci\n    files:\n      read:\n        - a\n"; !strings.HasSuffix(got.Policy, want) {
			t.Errorf("got\n%s\nwant\n%s", got.Policy, want)
		}
	}
	// More than was kept confines all the same, to what was.
	cut, err := learn.Policy(claims, learn.Commands{"generic": {Cut: true, Uses: reads("d/%d", 1)}}, learn.Options{})
	if err != nil || strings.Contains(cut.Policy, "confine: off") || !strings.Contains(cut.Policy, "net: {}") {
		t.Errorf("got\n%s\n%v", cut.Policy, err)
	}
	// Who runs no commands has none to confine.
	got, err := learn.Policy(claims[1:], learn.Commands{"generic": {Uses: reads("d/%d", 2)}}, learn.Options{})
	if want := "  generic:\n    files:\n      read:\n        - a\n"; err != nil || !strings.HasSuffix(got.Policy, want) {
		t.Errorf("got\n%s\n%v", got.Policy, err)
	}
}

// FuzzCommands checks the promises for what commands use: all of it is allowed, there are
// few rules, and the order does not matter.
func FuzzCommands(f *testing.F) {
	for seed := range uint64(providertest.Rounds(200)) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		var uses []capability.Use
		for range 1 + r.IntN(60) {
			uses = append(uses, randomUse(r))
		}
		claims := []capability.Claim{command("npm", "ci"), randomClaim(r)}
		claims[1].Provider = "generic"
		commands := learn.Commands{"generic": {Uses: uses}}
		got, err := learn.Policy(claims, commands, learn.Options{Project: directories.files()})
		if err != nil {
			t.Fatal(err)
		}
		p := parse(t, got.Policy)
		if d := denied(p, claims); d != nil {
			t.Fatalf("%s is denied by\n%s", d, got.Policy)
		}
		held := capability.Confine([]*capability.Policy{p}, "generic")
		if len(held) != 1 || held[0].Files == nil || held[0].Net == nil || held[0].Mode != capability.ConfineRequire {
			t.Fatalf("got %+v of\n%s", held, got.Policy)
		}
		for _, u := range uses {
			withheld := u.Path == "." && u.Kind != capability.UseList && slices.ContainsFunc(got.Withheld, func(w learn.Withheld) bool { return w.Path == "**" })
			if !allows(held[0], u) && !slices.Contains(got.Outside, u.Path) && !withheld {
				t.Errorf("%c %q %d is not allowed by\n%s", u.Kind, u.Path, u.Port, got.Policy)
			}
		}
		// Eight for each of the three names in the project, and those for its own files.
		if n := len(held[0].Files.Read) + len(held[0].Files.Write); n > 2*(3*8+3)+2 || len(held[0].Files.List) > 3*8+3+1 {
			t.Errorf("%d rules in\n%s", n, got.Policy)
		}
		slices.Reverse(uses)
		if again, err := learn.Policy(claims, commands, learn.Options{Project: directories.files()}); err != nil || again.Policy != got.Policy {
			t.Errorf("the order of uses matters: %v\n%s\n%s", err, again.Policy, got.Policy)
		}
	})
}

func randomUse(r *rand.Rand) capability.Use {
	kinds := []capability.UseKind{
		capability.UseRead, capability.UseRead, capability.UseRead, capability.UseList, capability.UseWrite, capability.UseMake, capability.UseMkdir,
		capability.UseSocket, capability.UseConnect, capability.UseListen, capability.UseUDP,
	}
	u := capability.Use{Kind: kinds[r.IntN(len(kinds))]}
	switch u.Kind {
	case capability.UseConnect, capability.UseListen, capability.UseUDP:
		u.Port = []int{80, 0, 40000}[r.IntN(3)]
		if u.Kind != capability.UseListen {
			u.Port++
		}
		return u
	case capability.UseSocket:
		u.Path = "/run/s"
	default:
		u.Path = strings.Repeat("../", r.IntN(2)) + "a"
		for range r.IntN(4) {
			u.Path += "/" + pick(r, []string{"a", "b", "c", "d", "e", "f", "g", "*"})
		}
		if u.Path = path.Join("b", u.Path); r.IntN(8) == 0 {
			u.Path = pick(r, []string{".", "/x", "/y"})
		}
	}
	for _, name := range []string{"git", "go", "node", "python"} {
		if u.Path[0] == '/' && u.Kind != capability.UseSocket && r.IntN(3) == 0 {
			u.By = append(u.By, name)
		}
	}
	return u
}

// allows reports, by code of its own, whether a command may use something.
func allows(c capability.Confinement, u capability.Use) bool {
	in := func(list []capability.Subtree, wantBelow bool) bool {
		return slices.ContainsFunc(list, func(s capability.Subtree) bool {
			inside := s.Path == "." || u.Path == s.Path || strings.HasPrefix(u.Path, s.Path+"/")
			return s.Below && inside || !wantBelow && s.Path == u.Path
		})
	}
	ports := func(list []capability.Ports, port int) bool {
		return slices.ContainsFunc(list, func(p capability.Ports) bool { return p.Low <= port && port <= p.High })
	}
	switch u.Kind {
	case capability.UseConnect:
		return ports(c.Net.Connect, u.Port)
	case capability.UseListen:
		return ports(c.Net.Listen, u.Port)
	case capability.UseUDP:
		return ports(c.Net.Connect, 1) && ports(c.Net.Connect, 65535)
	}
	switch {
	case u.Path[0] == '/':
		return slices.ContainsFunc(u.By, func(name string) bool { return slices.Contains(c.Use, name) })
	case u.Kind == capability.UseList:
		return in(slices.Concat(c.Files.Read, c.Files.List, c.Files.Write), true)
	case u.Kind == capability.UseRead:
		return in(slices.Concat(c.Files.Read, c.Files.Write), false)
	}
	return in(c.Files.Write, u.Kind != capability.UseWrite)
}
