//go:build linux || darwin

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// step is a secret set, and what it prints.
type step struct {
	args, stdin string
	stdout      string
	stderr      string
}

func TestSecretGroups(t *testing.T) {
	for name, tt := range map[string]struct {
		steps []step
		want  []group
	}{
		"one call with all types": {
			steps: []step{{"--type dev,preview,local A", "x\r\n\n", "created", ""}},
			want:  []group{{Name: "A", Types: []string{"development", "local", "preview"}, Value: "x", Versions: 1}},
		},
		"the same set, said otherwise, is updated": {
			steps: []step{
				{"--type local --type=ephemeral,dev,pr A", "x", "created", ""},
				{"A --type development,preview,local", "y\n", "updated", ""},
			},
			want: []group{{Name: "A", Types: []string{"development", "local", "preview"}, Value: "y", Versions: 2}},
		},
		"the same value is one more version": {
			steps: []step{{"-t local A", "x", "created", ""}, {"-t local A", "x", "updated", ""}},
			want:  []group{{Name: "A", Types: []string{"local"}, Value: "x", Versions: 2}},
		},
		"--dev are three types": {
			steps: []step{{"--dev A", "x", "created", ""}, {"-t dev,pr,local A", "y", "updated", ""}, {"-p A", "z", "created", ""}},
			want: []group{
				{Name: "A", Types: []string{"development", "local", "preview"}, Value: "y", Versions: 2},
				{Name: "A", Types: []string{"production"}, Value: "z", Versions: 1},
			},
		},
		"an environment by its name": {
			steps: []step{{"-e qa A", "x", "created", ""}, {"--env qa --type dev A", "y", "", "error: the environment selection conflicts with other secret values:\n\tgroup-1 qa\n"}, {"--env none B", "y", "", "error: environment \"none\" not found\n"}},
			want:  []group{{Name: "A", Envs: []string{"qa"}, Value: "x", Versions: 1}},
		},
		"three calls make three groups": {
			steps: []step{{"--type dev A", "x", "created", ""}, {"--type prod A", "x", "created", ""}, {"--type local A", "x", "created", ""}},
			want:  []group{{Name: "A", Types: []string{"development"}, Value: "x", Versions: 1}, {Name: "A", Types: []string{"production"}, Value: "x", Versions: 1}, {Name: "A", Types: []string{"local"}, Value: "x", Versions: 1}},
		},
		"a type in two groups is a conflict": {
			steps: []step{
				{"--type dev A", "x", "created", ""},
				{"--type dev,local A", "y", "", "error: the environment selection conflicts with other secret values:\n\tgroup-1 development\n"},
				{"--type dev,local B", "y", "created", ""},
			},
			want: []group{{Name: "A", Types: []string{"development"}, Value: "x", Versions: 1}, {Name: "B", Types: []string{"development", "local"}, Value: "y", Versions: 1}},
		},
		"nothing is set as nothing": {
			steps: []step{{"--type local A", "\n", "created", ""}},
			want:  []group{{Name: "A", Types: []string{"local"}, Value: "", Versions: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, `{"environments": ["qa"]}`)
			for _, s := range tt.steps {
				got := w.run(s.stdin, append([]string{"secret", "set"}, strings.Fields(s.args)...)...)
				if s.stdout == "" {
					if got.code != 1 || got.stdout != "" || !strings.HasPrefix(got.stderr, s.stderr) {
						t.Errorf("%s: %+v", s.args, got)
					}
				} else if got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "Successfully "+s.stdout+" secret value for ") {
					t.Errorf("%s: %+v", s.args, got)
				}
			}
			var groups []group
			if err := json.Unmarshal([]byte(w.read(w.state.file("secrets.json"))), &groups); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(groups, tt.want) {
				t.Errorf("groups %+v, want %+v", groups, tt.want)
			}
		})
	}
}

const (
	asking      = `unable to list environments: GET /apps/shop/envs: Get "https://api.encore.cloud/apps/shop/envs": `
	notLoggedIn = asking + "not logged in: run 'encore auth login' first"
)

func TestSecretRefused(t *testing.T) {
	for _, tt := range []struct{ name, steer, app, types, want string }{
		{"type", "", "", "staging", `invalid environment type "staging"`},
		{"case", "", "", "Dev", `invalid environment type "Dev"`},
		{"blank", "", "", "dev, local", `invalid environment type " local"`},
		{"empty item", "", "", "dev,", `invalid environment type ""`},
		{"no type", "", "", "", "must specify at least one environment with --type/--env (or --dev/--prod)"},
		{"not linked", "", `{"id": ""}`, "staging", "app is not linked with the Encore Platform (see 'encore app link')"},
		{"not logged in", `{"logged_in": false}`, "", "staging", notLoggedIn},
		{"offline", `{"offline": true}`, "", "staging", asking + "dial tcp: lookup api.encore.cloud: no such host"},
		{"not logged in, wrong flags", `{"logged_in": false}`, "", "dev|--prod", "cannot combine --prod with --type/--env"},
		{"both", "", "", "dev|--dev|-p", "cannot specify both --dev and --prod"},
		{"dev and type", "", "", "local|-d", "cannot combine --dev with --type/--env"},
		{"a broken app", "", "no", "dev", "appfile.Parse: hujson: line 1, column 1: invalid literal: no"},
		{"steered", `{"secret_failure": "quota"}`, "", "dev", "quota"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.steer)
			if tt.app != "" {
				w.write(filepath.Join(w.app, "encore.app"), tt.app)
			}
			got := w.run("x", slices.Concat([]string{"secret", "set", "--type"}, strings.Split(tt.types, "|"), []string{"A"})...)
			if got.code != 1 || got.stdout != "" || got.stderr != "error: "+tt.want+"\n" {
				t.Errorf("%+v", got)
			}
			if w.state.has("secrets.json") {
				t.Error("a secret was set")
			}
		})
	}
}

// TestSecretInterrupted ends it while the platform is asked: nothing is set.
func TestSecretInterrupted(t *testing.T) {
	w := newWorld(t, `{"slow_secret_ms": 60000}`)
	s := w.start("secret", "set", "--type", "dev", "A")
	w.until("it is noted", func() bool { return w.state.has("calls.jsonl") })
	if got, want := w.read(w.state.file("pids")), fmt.Sprintln(s.cmd.Process.Pid); got != want {
		t.Errorf("pids has %q, want %q", got, want)
	}
	s.signal(syscall.SIGINT)
	if got := s.wait(); got.code != -int(syscall.SIGINT) || got.stderr != "" || w.state.has("secrets.json") {
		t.Errorf("%+v", got)
	}
}
