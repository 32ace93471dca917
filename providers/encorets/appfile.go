package main

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"sync"

	"github.com/tailscale/hujson"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// checkLinked says in words what encore says in its own: secrets belong to an
// app that Encore's platform knows. It gives the app's ID.
func (r *run) checkLinked(ctx context.Context) (id string, err error) {
	file := join(r.app, appFile)
	data, err := backend.ReadFile(ctx, file)
	if err != nil {
		return "", r.failure(invalidProject, file, err)
	}
	if id, err = appID(data); err != nil {
		e := r.failed(invalidProject, brokenAt(file, err))
		e.Hint = "encore.app is JSON, in which comments and trailing commas are allowed as well"
		return "", e
	}
	if id != "" {
		return id, nil
	}
	e := r.failed(secretSyncFailed, "the app is not linked with Encore, which keeps its secrets: "+file+" has no id")
	e.Hint = "link it, in " + r.app + ": encore app link\nor keep the secrets in " + join(r.app, ".secrets.local.cue") + ", and take dev.secrets out of stagecraft.yml"
	return "", e
}

// appID reads the ID in an encore.app as encore does. It is empty for an app
// that is not linked.
func appID(data []byte) (string, error) {
	standard, err := hujson.Standardize(data)
	if err != nil {
		return "", err
	}
	var app struct {
		ID string `json:"id"`
	}
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](json.Unmarshal(standard, &app))
	switch {
	case ok && wrong.Field == "id":
		return "", errors.New("id: expected a string, got " + wrong.Value)
	case ok:
		return "", errors.New("expected an object, got " + wrong.Value)
	}
	return app.ID, nil
}

// hujsonPlace is how the parser says where something is wrong.
var hujsonPlace = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^hujson: line ([0-9]+), column ([0-9]+): `) })

// brokenAt has the place that an error names as file:line:column.
func brokenAt(file string, err error) string {
	text := err.Error()
	if at := hujsonPlace().FindStringSubmatch(text); at != nil {
		return file + ":" + at[1] + ":" + at[2] + ": " + text[len(at[0]):]
	}
	return file + ": " + text
}
