package session

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
)

// keyboard is where the user types keys for a run of dev, nil if nobody can.
func (r *run) keyboard() *exec.Keyboard {
	if r.operation != abi.ExportDev || r.mode.preview() != nil {
		return nil
	}
	return exec.OpenKeyboard()
}

// ready shows that the backend is ready, and opens its first URL if the user wants that.
func (r *run) ready(processes []abi.ReadyProcess) {
	if r.mode.preview() != nil {
		return
	}
	opts := r.session.opts
	open := opts.OpenURL
	for _, p := range processes {
		text := "ready"
		if p.Name != "" {
			text = p.Name + " is ready"
		}
		if p.URL != "" {
			text += " at " + p.URL
		}
		opts.Reporter.Log(r.module.ID, abi.LevelInfo, text)
		if p.URL == "" || open == nil {
			continue
		}
		err := checkLocal(p.URL)
		if err == nil {
			err = open(p.URL)
		}
		if err != nil {
			opts.Reporter.Warn(fmt.Errorf("cannot open %s: %w", p.URL, err))
		}
		open = nil
	}
}

// checkLocal refuses a URL of another machine: a provider could give data away in it.
func checkLocal(text string) error {
	at, err := url.Parse(text)
	if err != nil {
		return err
	}
	host := at.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return nil
	}
	return errors.New("it is not a URL of this machine")
}
