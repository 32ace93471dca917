// Package starter writes the first files of a project: its configuration and its policy,
// from what a provider proposes. It is pure. Both files say exactly what the proposal says,
// which is compared before they are returned.
package starter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Proposal is a candidate with the provider that proposes it.
type Proposal struct {
	Provider string
	// Project is the name for the project's image, or empty.
	Project string
	// EditorLine is the comment by which editors find the schema of the configuration, or
	// empty.
	EditorLine string
	abi.Candidate
}

// object is a JSON object with its keys in order.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON implements [json.Marshaler].
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(append(append(key, ':'), value...))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// The names of the files in errors.
const (
	configFile = "stagecraft.yml"
	policyFile = "stagecraft.policy.yml"
)

// Config writes stagecraft.yml.
func Config(p Proposal) ([]byte, error) {
	document := object{{"backend", object{
		{"provider", p.Provider}, {"providers", object{{p.Provider, json.RawMessage(p.Candidate.Config)}}},
	}}}
	if p.Project != "" {
		document = append(object{{"project", object{{"name", p.Project}}}}, document...)
	}
	comments := make(map[string]string)
	base := abi.UnderPointer("/backend/providers", p.Provider)
	for pointer, comment := range p.Comments {
		comments[base+pointer] = comment
	}
	var head []string
	if p.EditorLine != "" {
		head = append(head, strings.TrimPrefix(p.EditorLine, "# "))
	}
	head = append(head, `Written by "stagecraft init".`)
	for _, line := range p.Evidence {
		head = append(head, "found "+line)
	}
	return write(configFile, head, document, comments)
}

// write returns a document with lines of comments at its head. It fails unless the parser
// reads the same document.
func write(file string, head []string, document object, comments map[string]string) ([]byte, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	body, err := yamldoc.Document(data, comments)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var b bytes.Buffer
	for _, line := range head {
		if strings.ContainsFunc(line, func(r rune) bool { return r != ' ' && !yamldoc.Visible(r) }) {
			return nil, fmt.Errorf("%s: a comment has characters that are not visible", file)
		}
		b.WriteString("# " + line + "\n")
	}
	b.Write(body)
	node, err := yamldoc.Parse(file, b.Bytes())
	if err != nil {
		return nil, err
	}
	if same, err := sameJSON(data, node.JSON()); err != nil || !same {
		return nil, fmt.Errorf("%s: the proposal cannot be written as YAML", file)
	}
	return b.Bytes(), nil
}

func sameJSON(a, b []byte) (bool, error) {
	var values [2]any
	for i, data := range [][]byte{a, b} {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&values[i]); err != nil {
			return false, err
		}
	}
	return reflect.DeepEqual(values[0], values[1]), nil
}
