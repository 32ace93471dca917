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
	{name: "type", check: isList, usage: "environment type(s) to set for (comma-separated list)"},
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
	Value string   `json:"value"`
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
	if code := c.askPlatform(); code != 0 {
		return code
	}
	types, err := canonical(given.list("type"))
	if err != nil {
		return fail("%v", err)
	}
	if c.steer.SecretFailure != "" {
		return fail("%s", c.steer.SecretFailure)
	}
	verb, err := c.store(group{Name: args[0], Types: types, Value: string(bytes.TrimRight(data, "\r\n"))})
	if err != nil {
		return fail("%v", err)
	}
	if verb == "created" {
		// The daemon is told of it; that it can't be is no failure.
		if s, err := connect(c.state, request{}); err == nil {
			s.close()
		}
	}
	fmt.Printf("Successfully %s secret value for %s.\n", verb, args[0])
	return 0
}

func (c *call) askPlatform() int {
	a, err := findApp()
	switch {
	case err != nil:
		return fail("%v", err)
	case a.ID == "":
		return fail("app is not linked with the Encore Platform (see 'encore app link')")
	case !c.steer.loggedIn():
		return fail("not logged in: run 'encore auth login' first")
	case c.steer.Offline:
		return fail("unable to list environments: dial tcp: lookup api.encore.cloud: no such host")
	}
	return 0
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
	if len(all) == 0 {
		return nil, errors.New("must specify at least one environment with --type/--env (or --dev/--prod)")
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

// put has no two groups of a secret share a type.
func put(groups []group, g group) ([]group, string, error) {
	var conflicts strings.Builder
	for i, old := range groups {
		if old.Name != g.Name {
			continue
		}
		if slices.Equal(old.Types, g.Types) {
			groups[i].Value = g.Value
			return groups, "updated", nil
		}
		if shared := both(old.Types, g.Types); len(shared) > 0 {
			fmt.Fprintf(&conflicts, "\tgroup-%d %s\n", i+1, strings.Join(shared, ", "))
		}
	}
	if conflicts.Len() > 0 {
		return nil, "", errors.New("the environment selection conflicts with other secret values:\n" + conflicts.String())
	}
	return append(groups, g), "created", nil
}

func both(a, b []string) []string {
	var shared []string
	for _, t := range a {
		if slices.Contains(b, t) {
			shared = append(shared, t)
		}
	}
	return shared
}
