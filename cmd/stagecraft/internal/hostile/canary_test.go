package hostile_test

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// canary is a secret of two lines, with characters that are escaped in JSON and in
// URLs.
const canary = "c4n&ry/\"one\nc4nary two"

// canaryForms are the forms that must not be printed.
func canaryForms() []string {
	quoted, _ := json.Marshal(canary)
	forms := slices.Collect(maps.Values(shapes))
	return append(append(forms, strings.Split(canary, "\n")...),
		canary, strings.Trim(string(quoted), `"`), url.QueryEscape(canary), url.PathEscape(canary),
		base64.StdEncoding.EncodeToString([]byte(canary)), base64.URLEncoding.EncodeToString([]byte(canary)))
}

// shapes are secrets that look like something else: a word, a host, URLs, a token of
// three parts. All are masked in values of a dotenv file.
var shapes = map[string]string{
	"DB_PASSWORD": "c4narypostgres", "SLACK_WEBHOOK": "http://c4nary-hook:8080",
	"CALLBACK": "https://c4nary.example/T0/B0", "DB": "postgres://app:c4nary-pw@localhost", "JWT": "eyc4nary.eyJzdWIi.c2lnbg",
	"LICENCE": "sk-live-c4nary.def", "HEX": "9f86d081c4884c7d65", "BUCKET": "9f86d081c4884c7d65.example.com", "OTHER": "c4nary horse staple",
}

// leak is a shell script that prints its variable and its standard input in every
// form, slowly, on both streams.
const leak = `printf '%s\n' "$SECRET"; printf %s "$SECRET" | base64 -w0; echo; cat; printf 'c4n&r' >&2; printf 'y/"one\n' >&2; echo "$FROM_FILE"; echo "$SECRET" >&2`

// TestCanary runs all commands in all modes with a secret and looks for it in every
// byte that is written.
func TestCanary(t *testing.T) {
	w := clitest.NewWorkspace(t, "")
	tmp := t.TempDir()
	value := map[string]any{"env": "CANARY"}
	fromFile := map[string]any{"env": "CANARY_FILE", "files": []string{".env"}}
	exec := func(script string, more map[string]any) map[string]any {
		q := map[string]any{"argv": []string{"sh", "-c", script}, "env": map[string]any{"SECRET": value, "FROM_FILE": fromFile}, "stdin": value}
		for key, v := range more {
			q[key] = v
		}
		return q
	}
	start := exec("sleep 0.01; "+leak+"; exit 3", map[string]any{"name": "one", "watch": []string{"two"}})
	w.Play(t, []map[string]any{
		{"exec": exec(leak, nil)},
		{"exec": exec(leak, map[string]any{"capture": true})},
		{"say": true},
		{"exec": map[string]any{"argv": []string{"sh", "-c", "echo $CANARY_FILE"}, "env_files": []string{".env"}}},
		{"exec": map[string]any{"argv": []string{"sh", "-c", "env; env | base64 -w0; env >&2"}, "env_files": []string{".env"}, "capture": true}},
		{"say": true},
		{"exec": map[string]any{"argv": []string{"sh", "-c", "env; env >&2; echo $DB_PASSWORD"}, "env_files": []string{".env"}}},
		{"status": map[string]any{"names": []string{"CANARY", "CANARY_FILE"}, "files": []string{".env"}}},
		{"start": start}, {"start": start},
		{"wait": map[string]any{}}, {"wait": map[string]any{}}, {"wait": map[string]any{}}, {"wait": map[string]any{}},
		{"exec": exec(leak+"; exit 7", nil)},
	})
	w.Drop(t)
	quoted, _ := json.Marshal(canary)
	env := "CANARY_FILE=" + string(quoted) + "\n"
	for name, value := range shapes {
		env += name + "='" + value + "'\n"
	}
	w.Write(t, ".env", []byte(env))
	w.Write(t, "allow.yml", []byte("version: 1\nproviders: {player: {exec: ['sh **'], env: {pass: ['*'], read: ['*']}, files: {env: [.env]}}}"))
	w.Write(t, "deny.yml", []byte("version: 1\nproviders: {player: {exec: ['sh **']}}"))
	summary := filepath.Join(tmp, "summary.md")
	if err := os.WriteFile(summary, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := []string{"CANARY=" + canary, "TMPDIR=" + tmp}
	inActions := append([]string{"GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY=" + summary}, plain...)
	seen := false
	for _, policy := range []string{"allow.yml", "deny.yml"} {
		data, err := os.ReadFile(filepath.Join(w.Dir, policy))
		if err != nil {
			t.Fatal(err)
		}
		w.Write(t, "stagecraft.policy.yml", data)
		for _, environ := range [][]string{plain, inActions} {
			w.Environ = environ
			for _, command := range []string{
				"dev", "dev -v", "dev --audit a.jsonl --sarif s.json", "build --tag x:1", "build -v --json --tag x:1 --audit a.jsonl --sarif s.json",
				"plan dev", "plan dev --json", "plan build --out p.json", "plan build -v", "build --plan p.json --json",
				"policy learn dev", "policy learn dev --allow --out learnt.yml --audit a.jsonl", "policy learn --from a.jsonl",
				"policy explain --env CANARY exec sh -c x", "policy explain --json env_status CANARY", "validate", "validate --json",
				"provider inspect player", "audit show a.jsonl", "audit verify a.jsonl", "audit report a.jsonl --html r.html",
			} {
				stdout, stderr, _ := w.Run(t, strings.Fields(command)...)
				wantNoCanary(t, policy+" "+command, stdout+stderr)
				seen = seen || strings.Contains(stdout+stderr, "***")
			}
		}
	}
	if !seen {
		t.Error("nothing was masked, so the secret did not occur")
	}
	for _, root := range []string{w.Dir, w.Home, tmp} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Base(path) == ".env" {
				return err
			}
			data, err := os.ReadFile(path)
			wantNoCanary(t, path, string(data))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func wantNoCanary(t *testing.T, where, text string) {
	t.Helper()
	for _, form := range canaryForms() {
		if i := strings.Index(text, form); i >= 0 {
			t.Errorf("%s has %q: ...%q", where, form, text[max(0, i-60):min(len(text), i+len(form)+20)])
			return
		}
	}
}
