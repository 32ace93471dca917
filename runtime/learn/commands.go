package learn

import (
	"slices"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// allPorts is the rule for any port.
const allPorts = `"*"`

// systemPorts is the first of the ports that systems pick where a program takes
// any, see ip_local_port_range in ip(7).
const systemPorts = 32768

// commandRules are the lines that allow a provider's commands what they used, and
// outside what no line can allow, sorted.
func commandRules(uses []capability.Use) (rules []capability.Grant, outside []string) {
	var inside, beyond []capability.Use
	for _, u := range uses {
		switch {
		case u.Kind == capability.UseConnect || u.Kind == capability.UseListen || u.Kind == capability.UseUDP:
			rules = append(rules, portRule(u, uses))
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
			rules = append(rules, capability.Grant{Key: "sockets", Rule: u.By[0]})
		case u.Kind != capability.UseSocket && inProject(u.Path):
			inside = append(inside, u)
		default:
			outside = append(outside, u.Path)
		}
	}
	for _, name := range tools {
		rules = append(rules, capability.Grant{Key: "use", Rule: name})
	}
	slices.Sort(outside)
	all := capability.Grant{Key: "net.connect", Rule: allPorts}
	if slices.Contains(rules, all) {
		rules = slices.DeleteFunc(rules, func(g capability.Grant) bool { return g.Key == all.Key && g != all })
	}
	return once(append(rules, placeRules(inside)...)), slices.Compact(outside)
}

// inProject tells whether a path of a use is one in the project.
func inProject(name string) bool { return name != "" && name[0] != '/' && name[0] != '@' }

// portRule is for a use of a port. UDP, as names looked up take it, comes with all
// ports alone. What is connected to on a port that the system picked for another
// command is another port the next time.
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

// picked tells whether a port may be one that the system picked for a command.
func picked(port int, all []capability.Use) bool {
	listens := func(on int) bool {
		return slices.ContainsFunc(all, func(u capability.Use) bool { return u.Kind == capability.UseListen && u.Port == on })
	}
	return listens(0) && !listens(port)
}

// narrowest are the toolchains from the one that allows least on.
var narrowest = []string{"git", "python", "node", "go"}

// toolchains is the smallest set of those that allow what a toolchain can allow; of
// several as small, the one that allows least. What is in the project needs none.
func toolchains(uses []capability.Use) []string {
	var best []string
	found := false
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

func allow(names []string, uses []capability.Use) bool {
	has := func(list []string) func(string) bool {
		return func(name string) bool { return slices.Contains(list, name) }
	}
	return !slices.ContainsFunc(uses, func(u capability.Use) bool {
		return !inProject(u.Path) && slices.ContainsFunc(u.By, has(narrowest)) && !slices.ContainsFunc(u.By, has(names))
	})
}
