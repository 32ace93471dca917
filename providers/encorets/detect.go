package main

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// The bounds of a search for apps.
const (
	maxDepth       = 3
	maxDirectories = 100
	maxApps        = 16
)

// Detect proposes to run each app of the project: a directory with an encore.app whose
// package.json depends on encore.dev.
func (*Provider) Detect(ctx backend.Context, opts backend.DetectOptions) ([]abi.Candidate, error) {
	if len(opts.Config) > 0 {
		cfg, err := parse(opts.Config, (*config).checkDev)
		if err != nil {
			return nil, err
		}
		c := (&run{config: cfg}).candidate(path.Clean("./" + cfg.Dev.Entrypoint))
		c.Config = opts.Config
		return []abi.Candidate{c}, nil
	}
	var found []abi.Candidate
	left := maxDirectories
	for dirs := []string{"."}; len(dirs) > 0 && left > 0 && len(found) < maxApps; left-- {
		dir := dirs[0]
		dirs = dirs[1:]
		entries, err := backend.List(ctx, dir)
		if err != nil {
			continue
		}
		if isApp(ctx, dir, entries) {
			var cfg config
			cfg.Dev.Entrypoint = "./" + strings.TrimPrefix(dir, "./")
			if dir == "." {
				cfg.Dev.Entrypoint = "."
			}
			found = append(found, (&run{config: &cfg}).candidate(dir))
			continue
		}
		for _, e := range entries {
			if e.Dir && e.Name[0] != '.' && e.Name != "node_modules" && depth(dir) < maxDepth {
				dirs = append(dirs, path.Join(dir, e.Name))
			}
		}
	}
	return found, nil
}

func depth(dir string) int {
	if dir == "." {
		return 0
	}
	return 1 + strings.Count(dir, "/")
}

// isApp reports whether a directory is an app in TypeScript. One in Go has no package.json.
func isApp(ctx backend.Context, dir string, entries []abi.FileInfo) bool {
	if !slices.ContainsFunc(entries, func(e abi.FileInfo) bool { return e.Name == appFile && !e.Dir }) {
		return false
	}
	data, err := backend.ReadFile(ctx, path.Join(dir, "package.json"))
	return err == nil && strings.Contains(string(data), `"encore.dev"`)
}

// proposed is the configuration of a candidate.
type proposed struct{ entrypoint string }

func (p *proposed) Fields() []abi.Field {
	return []abi.Field{{Name: "dev", To: &proposedDev{p}}}
}

type proposedDev struct{ *proposed }

func (p *proposedDev) Fields() []abi.Field {
	return []abi.Field{{Name: "entrypoint", To: &p.entrypoint}}
}

// candidate is the configuration that runs an app, and what it needs.
func (r *run) candidate(dir string) abi.Candidate {
	c := abi.Candidate{
		Name: "Encore.ts", Dir: dir, Certainty: abi.Certain,
		Evidence: []string{path.Join(dir, appFile), path.Join(dir, "package.json") + " has encore.dev"},
		Comments: map[string]string{"/dev/entrypoint": "the directory of " + appFile},
		Notes:    []string{"the policy allows no build and no secrets: \"stagecraft policy learn build\" adds what a build needs"},
		Needs: abi.Needs{
			Exec: [][]string{r.runCommand()}, Daemons: daemons, Connect: []int{defaultPort},
			EnvPass:    append([]string{telemetryOff, authKey}, daemonPlaces[1:]...),
			Unconfined: "what encore's daemon and its images use is unknown",
		},
	}
	if len(r.Dev.EnvFrom) > 0 {
		c.Needs.Exec = append(c.Needs.Exec, startsDaemon)
	}
	if _, port, ok := splitAddress(r.listen()); ok {
		if n, err := strconv.Atoi(port); err == nil {
			c.Needs.Connect = []int{n}
		}
	}
	c.Config, _ = abi.Encode(&proposed{r.Dev.Entrypoint}) // strings always encode
	return c
}
