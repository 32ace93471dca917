package schema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

const (
	// maxDepth bounds nested lists and objects of a schema.
	maxDepth = 100
	// maxProblems is the number of problems that are reported.
	maxProblems = 100
	// place is the address of the schema itself. Nothing can be loaded from it.
	place = "https://provider.invalid/config_schema"
)

// Check checks a value. It returns nil, or an error with a problem for each mistake. An
// error without problems is about the schema.
func Check(request frame.CheckBody) *abi.Error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(request.Schema))
	if err != nil {
		return invalid(err.Error())
	}
	if isDeeper(doc, maxDepth) {
		return invalid(fmt.Sprintf("it is nested more than %d deep", maxDepth))
	}
	compiled, wrong := compile(doc)
	if wrong != nil {
		return wrong
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(request.Value))
	if err != nil {
		return invalid(err.Error())
	}
	// The library assumes that it can read each number.
	if problems := unreadable("", value); len(problems) > 0 {
		return abi.Invalid(first(problems)...)
	}
	failed, ok := errors.AsType[*jsonschema.ValidationError](compiled.Validate(value))
	if !ok {
		return nil
	}
	problems, err := translate(failed, doc, value, request.Texts)
	if err != nil {
		return invalid(err.Error())
	}
	return abi.Invalid(first(problems)...)
}

func invalid(reason string) *abi.Error { return abi.NewError(abi.CodeInvalid, reason) }

func compile(doc any) (*jsonschema.Schema, *abi.Error) {
	switch doc.(type) {
	case map[string]any, bool:
	default:
		return nil, invalid("it is " + kindOf(doc) + ", expected a mapping")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nothing{})
	err := c.AddResource(place, doc)
	if err != nil {
		return nil, invalid(err.Error())
	}
	compiled, err := c.Compile(place)
	if err == nil {
		return compiled, nil
	}
	if loaded, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		return nil, invalid(loaded.Err.Error())
	}
	if failed, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if about := ofSchema(failed, doc); about != "" {
			return nil, invalid(about)
		}
	}
	return nil, invalid(strings.ReplaceAll(err.Error(), place, ""))
}

// ofSchema is the first mistake of a schema.
func ofSchema(err *jsonschema.SchemaValidationError, doc any) string {
	failed, ok := errors.AsType[*jsonschema.ValidationError](err.Err)
	if !ok {
		return ""
	}
	problems, rerr := translate(failed, nil, doc, nil)
	if rerr != nil || len(problems) == 0 {
		return ""
	}
	p := first(problems)[0]
	return cmp.Or(p.Pointer, "/") + ": " + p.Message
}

// nothing loads no schema: one refers to itself alone.
type nothing struct{}

// Load implements [jsonschema.URLLoader].
func (nothing) Load(url string) (any, error) {
	return nil, fmt.Errorf("it refers to %s, and may refer only to itself", strings.TrimPrefix(url, place[:strings.LastIndexByte(place, '/')+1]))
}

// isDeeper reports whether lists and objects are nested more than so deep.
func isDeeper(value any, depth int) bool {
	deeper := func(item any) bool { return depth == 0 || isDeeper(item, depth-1) }
	switch value := value.(type) {
	case []any:
		return depth == 0 || slices.ContainsFunc(value, deeper)
	case map[string]any:
		for _, item := range value {
			if deeper(item) {
				return true
			}
		}
		return depth == 0
	}
	return false
}

// unreadable finds the numbers whose exponents are too large to compute with.
func unreadable(at string, value any) (problems []abi.Problem) {
	switch value := value.(type) {
	case json.Number:
		if _, ok := new(big.Rat).SetString(value.String()); !ok {
			problems = append(problems, abi.Problem{Pointer: at, Message: "is " + kindOf(value) + ", which is out of range"})
		}
	case []any:
		for i, item := range value {
			problems = append(problems, unreadable(at+"/"+strconv.Itoa(i), item)...)
		}
	case map[string]any:
		for key, item := range value {
			problems = append(problems, unreadable(abi.UnderPointer(at, key), item)...)
		}
	}
	return problems
}

// first returns the first problems by their places, each once.
func first(problems []abi.Problem) []abi.Problem {
	slices.SortFunc(problems, func(a, b abi.Problem) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Message, b.Message), strings.Compare(a.Hint, b.Hint))
	})
	problems = slices.CompactFunc(problems, func(a, b abi.Problem) bool { return a.Pointer == b.Pointer && a.Message == b.Message })
	return problems[:min(len(problems), maxProblems)]
}
