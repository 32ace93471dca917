//go:build linux || darwin

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

var secretFlags = []flagDef{
	{name: "dev", short: "d", bare: "true", check: isBool, usage: "To set the secret for development use"},
	{name: "prod", short: "p", bare: "true", check: isBool, usage: "To set the secret for production use"},
	{name: "env", short: "e", check: isList, usage: "environment name(s) to set for (comma-separated list)"},
	{name: "type", short: "t", check: isList, usage: "environment type(s) to set for (comma-separated list)"},
}

// secretTypes are the names of the environment types, and what they mean.
var secretTypes = map[string]string{
	"development": "development", "dev": "development",
	"production": "production", "prod": "production",
	"preview": "preview", "pr": "preview", "ephemeral": "preview",
	"local": "local",
}

// group is a value of a secret for some types, in secrets.json.
type group struct {
	Name  string   `json:"name"`
	Types []string `json:"types"` // sorted, by their long names
	Envs  []string `json:"envs,omitempty"`
	Value string   `json:"value"`
	// Versions counts the values that it ever had: each call makes one, of the
	// same value too.
	Versions int `json:"versions"`
}

// setSecret reads the value before it looks at anything else, and at the types
// after the platform was asked.
func (c *call) setSecret(given values, args []string) int {
	data, err := io.ReadAll(os.Stdin)
	c.note(len(data))
	if err != nil {
		return fail("%v", err)
	}
	<-time.After(time.Duration(c.steer.SlowSecretMS) * time.Millisecond)
	g, err := c.selected(given)
	if err != nil {
		return fail("%v", err)
	}
	g.Name, g.Value = args[0], string(bytes.TrimRight(data, "\r\n"))
	if c.steer.SecretFailure != "" {
		return fail("%s", c.steer.SecretFailure)
	}
	verb, err := c.store(g)
	if err != nil {
		return fail("%v", err)
	}
	if verb == "created" {
		// The daemon is notified if it can be reached.
		if s, err := connect(c.state, request{}); err == nil {
			if !s.served() {
				fmt.Fprintln(os.Stderr, "warning: failed to refresh secret secret, skipping: error reading from server: EOF")
			}
			s.close()
		}
	}
	fmt.Printf("Successfully %s secret value for %s.\n", verb, args[0])
	return 0
}

// selected returns the group that the flags name. Flags that exclude each other are
// found first, names only after the platform was asked.
func (c *call) selected(given values) (group, error) {
	a, err := findApp()
	switch {
	case err != nil:
		return group{}, err
	case a.broken != nil:
		return group{}, a.broken
	case a.ID == "":
		return group{}, errors.New("app is not linked with the Encore Platform (see 'encore app link')")
	}
	dev, prod, named := given.isTrue("dev"), given.isTrue("prod"), len(given.list("type"))+len(given.list("env")) > 0
	switch {
	case dev && prod:
		return group{}, errors.New("cannot specify both --dev and --prod")
	case dev && named:
		return group{}, errors.New("cannot combine --dev with --type/--env")
	case prod && named:
		return group{}, errors.New("cannot combine --prod with --type/--env")
	}
	if err := c.askPlatform(a.ID); err != nil {
		return group{}, err
	}
	types := given.list("type")
	switch {
	case dev:
		types = []string{"development", "preview", "local"}
	case prod:
		types = []string{"production"}
	}
	return c.named(types, given.list("env"))
}

func (c *call) askPlatform(id string) error {
	why := ""
	switch {
	case !c.loggedIn():
		why = "not logged in: run 'encore auth login' first"
	case c.steer.Offline:
		why = "dial tcp: lookup api.encore.cloud: no such host"
	default:
		return nil
	}
	path := "/apps/" + id + "/envs"
	return fmt.Errorf("unable to list environments: GET %s: Get \"https://api.encore.cloud%s\": %s", path, path, why)
}

func (c *call) named(types, envs []string) (group, error) {
	all, err := canonical(types)
	if err != nil {
		return group{}, err
	}
	for _, name := range envs {
		if !slices.Contains(c.steer.Environments, name) {
			return group{}, fmt.Errorf("environment %q not found", name)
		}
	}
	if len(all)+len(envs) == 0 {
		return group{}, errors.New("must specify at least one environment with --type/--env (or --dev/--prod)")
	}
	return group{Types: all, Envs: slices.Compact(slices.Sorted(slices.Values(envs)))}, nil
}

func canonical(types []string) ([]string, error) {
	var all []string
	for _, t := range types {
		long, ok := secretTypes[t]
		if !ok {
			return nil, fmt.Errorf("invalid environment type %q", t)
		}
		all = append(all, long)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// store puts a value into the group with exactly its types, or makes one.
func (c *call) store(g group) (verb string, err error) {
	unlock, err := c.state.lock("secrets.lock", syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer unlock()
	var groups []group
	data, err := os.ReadFile(c.state.file("secrets.json"))
	if err == nil {
		err = json.Unmarshal(data, &groups)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if groups, verb, err = put(groups, g); err != nil {
		return "", err
	}
	if data, err = json.MarshalIndent(groups, "", "  "); err != nil {
		return "", err
	}
	return verb, c.state.replace("secrets.json", append(data, '\n'))
}

// put ensures that no two groups of a secret share a type.
func put(groups []group, g group) ([]group, string, error) {
	var conflicts strings.Builder
	for i, old := range groups {
		if old.Name != g.Name {
			continue
		}
		if slices.Equal(old.Types, g.Types) && slices.Equal(old.Envs, g.Envs) {
			groups[i].Value = g.Value
			groups[i].Versions++
			return groups, "updated", nil
		}
		if shared := append(both(old.Types, g.Types), both(old.Envs, g.Envs)...); len(shared) > 0 {
			fmt.Fprintf(&conflicts, "\tgroup-%d %s\n", i+1, strings.Join(shared, ", "))
		}
	}
	if conflicts.Len() > 0 {
		return nil, "", errors.New("the environment selection conflicts with other secret values:\n" + conflicts.String())
	}
	g.Versions = 1
	return append(groups, g), "created", nil
}

func both(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(t string) bool { return !slices.Contains(b, t) })
}
