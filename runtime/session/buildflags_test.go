package session

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
)

// TestHandsEveryOption: a provider that lists an optional field of build_docker's input
// gets it, and docker_build does not.
func TestHandsEveryOption(t *testing.T) {
	// Every provider gets these.
	always := []string{"config", "workdir", "env", "image_tag", "push"}
	fields := reflect.TypeFor[abi.BuildDockerOptions]()
	for i := range fields.NumField() {
		option, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		if slices.Contains(always, option) {
			continue
		}
		d := division{host: build.Options{Tags: []string{"b:2"}, Platforms: []string{"linux/arm64"}, NoCache: true, Pull: true, Load: true}}
		before := d.host
		if !d.hand(option) {
			t.Errorf("option %s is not given to the provider", option)
		}
		if reflect.ValueOf(d.provider).Field(i).IsZero() {
			t.Errorf("option %s: its field is empty", option)
		}
		if option != abi.OptionIdentify && reflect.DeepEqual(d.host, before) {
			t.Errorf("option %s is given to docker_build too", option)
		}
		if filled := d.fill(abi.BuildDockerOptions{ImageTag: "a:1", Push: true}); filled.ImageTag != "a:1" || !filled.Push || reflect.ValueOf(filled).Field(i).IsZero() {
			t.Errorf("option %s: build_docker gets %+v", option, filled)
		}
	}
	if d := new(division); d.hand("output") {
		t.Error("an unknown option is given to the provider")
	}
}

func TestAsksFor(t *testing.T) {
	imports := []string{abi.OpDockerBuild, abi.OpDockerImage, abi.OpExec}
	for name, tt := range map[string]struct {
		asks    abi.Capabilities
		imports []string
		want    abilities
	}{
		"says nothing":               {abi.Capabilities{}, imports, abilities{true, true}},
		"says nothing, imports exec": {abi.Capabilities{}, []string{abi.OpExec}, abilities{}},
		"asks to run, imports all":   {abi.Capabilities{Exec: []abi.ExecAsk{{}}}, imports, abilities{}},
		"asks to build":              {abi.Capabilities{Build: []abi.BuildAsk{{}}}, imports, abilities{build: true}},
		"asks to run and to look":    {abi.Capabilities{Exec: []abi.ExecAsk{{}}, Images: []string{"**"}}, imports, abilities{image: true}},
	} {
		if got := asksFor(abi.Description{Capabilities: tt.asks}, tt.imports); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

// TestFlagsOfSettings: each setting that not every provider can carry out has its flag.
func TestFlagsOfSettings(t *testing.T) {
	for flag, b := range map[string]BuildSettings{
		"a second --tag": {Tags: []string{"b:2"}},
		"--platform":     {Platforms: []string{"linux/arm64"}},
		"--load":         {Load: true},
		"--no-cache":     {NoCache: true},
		"--pull":         {Pull: true},
		"--output":       {Outputs: []string{"oci:out"}},
		"--base":         {Bases: []string{"a=oci:b"}},
		"--engine":       {Engine: "docker"},
		"--engine-certs": {EngineCerts: "certs"},
		"--progress":     {Progress: "plain"},
	} {
		if flags := b.Flags(); len(flags) != 1 || flags[0].Name != flag {
			t.Errorf("%s: got %v", flag, flags)
		}
	}
	defaults := BuildSettings{Engine: "auto", Progress: "auto", Epoch: "1", Verbose: true, Machine: "m"}
	if flags := defaults.Flags(); len(flags) > 0 {
		t.Errorf("the defaults: got %v", flags)
	}
}
