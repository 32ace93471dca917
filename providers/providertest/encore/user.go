//go:build linux || darwin

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// telemetry is telemetry.json of the user.
type telemetry struct {
	Enabled      bool `json:"enabled"`
	ShownWarning bool `json:"shown_warning"`
}

// tellTelemetry is what every command but the daemon does first: with
// DISABLE_ENCORE_TELEMETRY=1 telemetry is off for good, in the user's file, and
// where it is on that is said once. Without a place for the file nothing is
// written.
func tellTelemetry(silent bool) {
	t := telemetry{Enabled: true}
	was := readUserFile("telemetry.json", &t)
	off := os.Getenv("DISABLE_ENCORE_TELEMETRY") == "1"
	changed := !was || off && t.Enabled
	t.Enabled = t.Enabled && !off
	if t.Enabled && !t.ShownWarning && !silent {
		fmt.Printf("\n%s: This CLI tool collects usage data to help us improve Encore.\n", coloured("1", "Note"))
		fmt.Printf("      You can disable this by running '%s'.\n\n", coloured("33", "encore telemetry disable"))
		t.ShownWarning, changed = true, true
	}
	if changed {
		writeUserFile("telemetry.json", t)
	}
}

// onboarding is onboarding.json of the user.
type onboarding struct {
	DeployHint bool `json:"deploy_hint"`
}

// hintDeploy is printed on standard output by the user's first run that ends
// with exit code 0.
func hintDeploy() {
	var o onboarding
	readUserFile("onboarding.json", &o)
	if o.DeployHint {
		return
	}
	fmt.Printf("\nHint: deploy your app to the cloud by running: %s\n", coloured("36", "git push encore"))
	writeUserFile("onboarding.json", onboarding{DeployHint: true})
}

func readUserFile(name string, into any) bool {
	dir, err := userConfigDir()
	if err != nil {
		return false
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	return err == nil && json.Unmarshal(data, into) == nil
}

// writeUserFile is without an error, as with the real one.
func writeUserFile(name string, value any) {
	dir, err := userConfigDir()
	if err != nil || os.MkdirAll(dir, 0o755) != nil {
		return
	}
	if data, err := json.Marshal(value); err == nil {
		_ = state(dir).replace(name, data)
	}
}
