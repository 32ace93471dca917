package learn

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// allPorts is the rule for any port.
const allPorts = `"*"`

// systemPorts is the first port that systems choose for programs, see
// ip_local_port_range in ip(7).
const systemPorts = 32768

// found is the result for what commands used.
type found struct {
	rules    []capability.Grant
	withheld []Withheld
	// outside is what no line can allow, sorted.
	outside []string
}

// withhold records something that is not learnt, and reports whether it has a reason.
func (f *found) withhold(w Withheld) bool {
	if w.Why != "" {
		f.withheld = append(f.withheld, w)
	}
	return w.Why != ""
}

// commandRules are the rules for what a provider's commands used.
func (j *judge) commandRules(provider string, uses []capability.Use) found {
	var f found
	var inside, beyond []capability.Use
	for _, u := range uses {
		switch {
		case u.Kind == capability.UseConnect || u.Kind == capability.UseListen || u.Kind == capability.UseUDP:
			rule := portRule(u, uses)
			if rule.Key != "net.connect" || !f.withhold(j.port(provider, rule.Rule, u.Port)) {
				f.rules = append(f.rules, rule)
			}
		case len(u.By) > 0 || u.Kind == capability.UseSocket || !inProject(u.Path):
			beyond = append(beyond, u)
		default:
			inside = append(inside, u)
		}
	}
	tools := toolchains(beyond)
	for _, u := range beyond {
		switch {
		case slices.ContainsFunc(u.By, func(name string) bool { return slices.Contains(tools, name) }):
		case u.Kind == capability.UseSocket && len(u.By) > 0:
			f.socket(j, u)
		case u.Kind != capability.UseSocket && inProject(u.Path):
			inside = append(inside, u)
		default:
			f.beyond(j, u)
		}
	}
	for _, name := range tools {
		f.rules = append(f.rules, capability.Grant{Key: "use", Rule: name})
	}
	slices.Sort(f.outside)
	f.outside = slices.Compact(f.outside)
	all := capability.Grant{Key: "net.connect", Rule: allPorts}
	if slices.Contains(f.rules, all) {
		f.rules = slices.DeleteFunc(f.rules, func(g capability.Grant) bool { return g.Key == all.Key && g != all })
	}
	f.rules = append(f.rules, f.placeRules(j, provider, inside)...)
	f.rules = once(f.rules)
	return f
}

// socket handles the socket of an engine, which the user has to name.
func (f *found) socket(j *judge, u capability.Use) {
	if look(j.named, u.Path).Allowed {
		f.rules = append(f.rules, capability.Grant{Key: "sockets", Rule: u.By[0]})
		return
	}
	f.withhold(Withheld{Path: u.Path, Why: socketWhat})
}

// beyond handles what is outside the project and of no toolchain. The user's own terminal
// is not reported.
func (f *found) beyond(j *judge, u capability.Use) {
	write := u.Kind != capability.UseRead && u.Kind != capability.UseList
	switch secret := j.secrecy(u.Path, write); {
	case u.Kind != capability.UseSocket && slices.Contains(j.Terminals, u.Path):
	case u.Kind != capability.UseSocket && secret != "":
		f.withhold(Withheld{Path: u.Path, Why: secret, Fixed: true, Write: write})
	default:
		f.outside = append(f.outside, u.Path)
	}
}

// inProject reports whether the path of a use is in the project.
func inProject(name string) bool { return name != "" && name[0] != '/' && name[0] != '@' }

// portRule is the rule for a port. Only the rule for all ports allows UDP, and so DNS. A
// port that the system chose for another command is another one the next time.
func portRule(u capability.Use, all []capability.Use) capability.Grant {
	key, rule := "net.connect", strconv.Itoa(u.Port)
	switch {
	case u.Kind == capability.UseListen:
		key = "net.listen"
	case u.Kind == capability.UseUDP, u.Port >= systemPorts && picked(u.Port, all):
		rule = allPorts
	}
	return capability.Grant{Key: key, Rule: rule}
}

// picked reports whether the system may have chosen a port for a command.
func picked(port int, all []capability.Use) bool {
	listens := func(on int) bool {
		return slices.ContainsFunc(all, func(u capability.Use) bool { return u.Kind == capability.UseListen && u.Port == on })
	}
	return listens(0) && !listens(port)
}

// narrowest are the toolchains, beginning with the one that allows least. Those that few
// projects use come last: what several allow, such as /proc, is rarely for them.
var narrowest = []string{"git", "python", "node", "go", "php", "deno", "ruby", "elixir", "rust", "bun", "dotnet", "java"}

// toolchains is the smallest set of toolchains that allows the uses, and of several the
// one that allows least. What is in the project needs none.
func toolchains(uses []capability.Use) []string {
	var best []string
	found := false
	uses = alike(uses)
	for set := range 1 << len(narrowest) {
		var names []string
		for i, name := range narrowest {
			if set>>i&1 == 1 {
				names = append(names, name)
			}
		}
		if (!found || len(names) < len(best)) && allow(names, uses) {
			best, found = names, true
		}
	}
	return best
}

// alike is one use for each list of toolchains that allow it.
func alike(uses []capability.Use) []capability.Use {
	var one []capability.Use
	seen := make(map[string]bool)
	for _, u := range uses {
		if id := strings.Join(u.By, " "); len(u.By) > 0 && !inProject(u.Path) && !seen[id] {
			seen[id] = true
			one = append(one, u)
		}
	}
	return one
}

func allow(names []string, uses []capability.Use) bool {
	has := func(list []string) func(string) bool {
		return func(name string) bool { return slices.Contains(list, name) }
	}
	return !slices.ContainsFunc(uses, func(u capability.Use) bool {
		return slices.ContainsFunc(u.By, has(narrowest)) && !slices.ContainsFunc(u.By, has(names))
	})
}
