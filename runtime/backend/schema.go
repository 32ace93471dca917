package backend

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// maxSchema is the most bytes of a provider's schema.
const maxSchema = 256 << 10

// HasSchema reports whether a provider describes its part of the configuration.
func HasSchema(about abi.Description) bool {
	return len(about.ConfigSchema) > 0 && string(about.ConfigSchema) != "null"
}

// Checker checks a value by a JSON Schema, in a process that may not be trusted.
type Checker func(ctx context.Context, schema, value []byte, texts []string) (reply []byte, err error)

// CheckConfig checks a provider's part of the configuration by the schema in the
// provider's description, if there is one. No part is an empty one.
//
// # Errors
//
// An [*abi.Error] with all problems of the part, a [*ContractError] if the schema cannot be
// used, and the cause of ctx when it is done.
func CheckConfig(ctx context.Context, about abi.Description, part []byte, check Checker) error {
	schema := about.ConfigSchema
	if !HasSchema(about) {
		return nil
	}
	if len(schema) > maxSchema {
		return badSchema(fmt.Sprintf("it has %d bytes, the limit is %d", len(schema), maxSchema))
	}
	if string(part) == "null" {
		part = []byte("{}")
	}
	reply, err := check(ctx, schema, part, about.TextFrom)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return badSchema(err.Error())
	}
	err = decodeReply(abi.ExportDescribe, reply, &abi.Empty{})
	if e, ok := errors.AsType[*abi.Error](err); ok && len(e.Problems) == 0 {
		return badSchema(e.Message)
	}
	return err
}

func badSchema(reason string) error {
	return &ContractError{abi.ExportDescribe, "its config_schema is not usable: " + termtext.Line(reason, 300)}
}
