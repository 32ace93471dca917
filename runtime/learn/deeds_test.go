package learn_test

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// deeds are the single things that were done, in words of their own. They say
// what a learnt policy may allow without a look at rules.
type deeds map[string]bool

func deedsOf(claims []capability.Claim) deeds {
	done := make(deeds)
	for _, c := range claims {
		done[c.Provider+" is there"] = true
		for _, deed := range deedsIn(c) {
			done[c.Provider+" "+deed] = true
		}
	}
	return done
}

func deedsIn(c capability.Claim) []string {
	var out []string
	if c.Exec != nil {
		out = append(out, fmt.Sprintf("exec %q", c.Exec.Argv))
	}
	for _, use := range c.Env {
		kind := "pass "
		if use.Use == capability.Look {
			kind = "look "
		}
		out = append(out, kind+use.Name)
	}
	for _, use := range c.Files {
		out = append(out, []string{"read ", "write ", "load "}[use.Use]+use.Path)
	}
	for _, use := range c.Net {
		out = append(out, fmt.Sprintf("port %d", use.Port))
	}
	if b := c.Build; b != nil {
		out = append(out, "context "+b.Context, "target "+b.Target, "network "+b.Network, fmt.Sprintf("push %v", b.Push), "dockerfile "+b.Dockerfile)
		for _, tag := range b.Tags {
			out = append(out, "tag "+tag)
		}
		for _, arg := range b.Args {
			out = append(out, "arg "+arg)
		}
		out = append(out, textsIn(b)...)
	}
	return out
}

// textsIn are what a build has for lists of texts. What the engine of this
// machine is called is none of it.
func textsIn(b *capability.Build) []string {
	var out []string
	if b.EngineAddress != "" {
		out = append(out, "engine "+b.Engine+"+"+b.EngineAddress)
	}
	if b.Syntax != "" {
		// The tag means nothing beside a digest.
		out = append(out, "syntax "+strings.Replace(b.Syntax, ":1@", "@", 1))
	}
	for kind, texts := range map[string][]string{
		"base": b.Bases, "remote": b.Remotes, "platform": b.Platforms, "secret": b.Secrets, "from": b.CacheFrom, "to": b.CacheTo,
	} {
		for _, text := range texts {
			out = append(out, kind+" "+text)
		}
	}
	for _, output := range b.Outputs {
		_, file, _ := strings.Cut(output, ":")
		out = append(out, "output "+file)
	}
	for _, layout := range b.Layouts {
		out = append(out, "layout "+layout)
	}
	return out
}

// has reports whether a claim is made of what was done.
func (done deeds) has(c capability.Claim) bool {
	if !done[c.Provider+" is there"] {
		return false
	}
	return !slices.ContainsFunc(deedsIn(c), func(deed string) bool {
		kind, rest, _ := strings.Cut(deed, " ")
		was := func(deed string) bool { return done[c.Provider+" "+deed] }
		switch kind {
		case "look":
			return !was(deed) && !was("pass "+rest)
		case "read":
			return !was(deed) && !done.allIn(c.Provider, rest) && !was("dockerfile "+rest)
		case "load":
			// What is allowed to be read may be loaded.
			return !was(deed) && !was("read "+rest) && !done.allIn(c.Provider, rest) && !was("dockerfile "+rest)
		case "dockerfile":
			return !was(deed) && !was("read "+rest) && !done.allIn(c.Provider, rest) && !done.inContext(c.Provider, rest)
		case "network":
			// The default is there, unless no build had one.
			return !was(deed) && !was("network host") && (rest == "host" || rest == "default" && !was("network "))
		case "target", "push":
			return rest != "" && rest != "false" && !was(deed)
		}
		return !was(deed)
	})
}

// allIn reports whether a file is in a directory of which all files were read.
func (done deeds) allIn(provider, file string) bool {
	names := directories[path.Dir(file)]
	return file != "." && len(names) > 1 && !slices.ContainsFunc(names, func(name string) bool {
		return !done[provider+" read "+path.Join(path.Dir(file), name)]
	})
}

func (done deeds) inContext(provider, file string) bool {
	for file != "." {
		if file = path.Dir(file); done[provider+" context "+file] {
			return true
		}
	}
	return false
}
