// Package asks reads the parts of a configuration that a provider asks for: those at the
// JSON pointers in its [abi.Capabilities].
package asks

import (
	"encoding/json"
	"fmt"
	"strconv"

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
