package capability

import (
	"maps"
	"slices"
	"strings"
)

// baseline are the variables that every child gets: what programs can't do
// without, on any system, and what describes the user's terminal and language.
// A * stands for any characters. They are known in any case, since on Windows
// PATH is usually written Path.
var baseline = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_*", "TERM", "COLORTERM", "TZ", "TMPDIR",
	// Windows, where little runs without them.
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
	"PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "COMMONPROGRAMFILES", "COMMONPROGRAMFILES(X86)", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "OS",
}

// PassedEnv picks from the host's environment, "NAME=value" each, what a child
// gets before the provider's own values: the baseline, and what every policy
// passes. Of a name that stands there twice the last counts. The result is
// sorted.
func PassedEnv(policies []*Policy, provider string, environ []string) []string {
	passed := make(map[string]string)
	for _, entry := range environ {
		name, _, ok := strings.Cut(entry, "=")
		if ok && name != "" && passes(policies, provider, name) {
			passed[name] = entry
		}
	}
	return slices.Sorted(maps.Values(passed))
}

func passes(policies []*Policy, provider, name string) bool {
	if len(policies) == 0 {
		return IsBaseline(name)
	}
	for _, p := range policies {
		if !p.passes(provider, name) {
			return false
		}
	}
	return true
}

func (p *Policy) passes(provider, name string) bool {
	_, hazard := Dangerous(name)
	allowed := IsBaseline(name)
	for _, s := range p.of(provider) {
		if s.pass.deny.find(name, false) != nil {
			return false
		}
		allowed = allowed || s.inherit || s.pass.allow.find(name, hazard) != nil
	}
	return allowed
}

// IsBaseline tells whether every child gets a variable, unless a policy denies it.
func IsBaseline(name string) bool {
	upper := strings.ToUpper(name)
	return slices.ContainsFunc(baseline, func(b string) bool { return glob(b, upper) })
}
