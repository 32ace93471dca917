// Package asks reads the parts of a configuration that a provider asks for: those at the
// JSON pointers in its [abi.Capabilities].
package asks

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Asks are a provider's asks, with the configuration that their pointers lead into.
type Asks struct {
	abi.Capabilities
	tree     any
	position func(pointer string) yamldoc.Pos
}

// New reads the provider's part of the configuration. position returns the position of
// a JSON pointer in the file.
func New(asked abi.Capabilities, config json.RawMessage, position func(pointer string) yamldoc.Pos) (*Asks, error) {
	a := &Asks{Capabilities: asked, position: position}
	if err := json.Unmarshal(config, &a.tree); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return a, nil
}

// Expand replaces the pointers with * by those that they stand for in the configuration.
// expand does it for a list of pointers.
func Expand(c abi.Capabilities, expand func(pointers []string) []string) abi.Capabilities {
	var exec []abi.ExecAsk
	for _, ask := range c.Exec {
		before, after, found := strings.Cut(ask.ArgvFrom, "/*/")
		if !found {
			exec = append(exec, ask)
			continue
		}
		for _, at := range expand([]string{before + "/*"}) {
			same := func(pointer string) string {
				if below, ok := strings.CutPrefix(pointer, before+"/*/"); ok {
					return at + "/" + below
				}
				return pointer
			}
			exec = append(exec, abi.ExecAsk{Argv: ask.Argv, ArgvFrom: at + "/" + after, DirFrom: same(ask.DirFrom), EnvFrom: same(ask.EnvFrom)})
		}
	}
	c.Exec = exec
	for _, list := range []*[]string{&c.FilesFrom, &c.EnvFrom, &c.EnvFilesFrom, &c.ConnectFrom} {
		*list = expand(*list)
	}
	return c
}

// Position is the position of a pointer in the file.
func (a *Asks) Position(pointer string) yamldoc.Pos { return a.position(pointer) }

// Text is the text at a pointer, empty if there is none.
func (a *Asks) Text(pointer string) string {
	text, _ := a.at(pointer).(string)
	return text
}

// Texts is the list of texts at a pointer, nil if there is none.
func (a *Asks) Texts(pointer string) []string {
	list, _ := a.at(pointer).([]any)
	texts := make([]string, 0, len(list))
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}

// Port is the number at a pointer, or the port of the address or URL there; 0 if there is
// none.
func (a *Asks) Port(pointer string) int {
	if number, ok := a.at(pointer).(float64); ok {
		return int(number)
	}
	if at, err := url.Parse(a.Text(pointer)); err == nil && at.Host != "" {
		return PortOf(at)
	}
	_, port, err := net.SplitHostPort(a.Text(pointer))
	number, nerr := strconv.Atoi(port)
	if err != nil || nerr != nil {
		return 0
	}
	return number
}

// PortOf is the port of a URL for HTTP.
func PortOf(at *url.URL) int {
	port := at.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[at.Scheme]
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return number
}

// Mapping is the mapping at a pointer, nil if there is none.
func (a *Asks) Mapping(pointer string) map[string]any {
	m, _ := a.at(pointer).(map[string]any)
	return m
}

// Each calls use for the text at a pointer, or for each text of a list there.
func (a *Asks) Each(pointer string, use func(text string, pos yamldoc.Pos)) {
	if text := a.Text(pointer); text != "" {
		use(text, a.Position(pointer))
	}
	for i, text := range a.Texts(pointer) {
		use(text, a.Position(abi.UnderPointer(pointer, strconv.Itoa(i))))
	}
}

// at follows a JSON pointer (RFC 6901) through mappings, nil if it leads nowhere.
func (a *Asks) at(pointer string) any {
	if pointer == "" {
		return nil
	}
	tree := a.tree
	for _, key := range yamldoc.SplitPointer(pointer) {
		m, ok := tree.(map[string]any)
		if !ok {
			return nil
		}
		tree = m[key]
	}
	return tree
}
