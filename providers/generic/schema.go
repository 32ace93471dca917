package main

// schema is the JSON Schema of the configuration. Package embed would be a tenth of
// the module.
const schema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "generic",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "dev": {
      "description": "how the backend runs for development",
      "type": "object",
      "additionalProperties": false,
      "required": ["command"],
      "properties": {
        "command": {
          "description": "the program to run and its arguments; no shell reads them",
          "type": "array",
          "prefixItems": [{"description": "the program to run", "type": "string", "minLength": 1}],
          "items": {"type": "string"},
          "minItems": 1,
          "examples": [["npm", "run", "dev"]]
        },
        "workdir": {
          "description": "the directory to run in, below the project directory",
          "type": "string",
          "default": "."
        },
        "env": {
          "description": "variables for the program; they override the user's",
          "type": ["object", "null"],
          "additionalProperties": {"type": ["string", "number", "boolean"]}
        },
        "interactive": {
          "description": "leave Ctrl-C to the program; requires a terminal",
          "type": "boolean",
          "default": false
        }
      }
    },
    "build": {
      "description": "how its image is built",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "dockerfile": {
          "description": "relative to the project directory; default: Dockerfile in the context",
          "type": "string"
        },
        "context": {
          "description": "the directory that is sent to the engine; default: dev.workdir",
          "type": "string"
        },
        "target": {
          "description": "the stage to build; default: the last one",
          "type": "string"
        },
        "args": {
          "description": "values of the Dockerfile's arguments; they are visible in the image, so do not use secrets",
          "type": ["object", "null"],
          "propertyNames": {"description": "a name has no = and no line break", "pattern": "^[^=\\x00\\r\\n]+$"},
          "additionalProperties": {"type": ["string", "number", "boolean"]}
        },
        "labels": {
          "description": "labels of the image",
          "type": ["object", "null"],
          "propertyNames": {"description": "a name has no = and no line break", "pattern": "^[^=\\x00\\r\\n]+$"},
          "additionalProperties": {"type": ["string", "number", "boolean"]}
        },
        "platforms": {
          "description": "the image's platforms, such as linux/arm64",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        },
        "secrets": {
          "description": "secrets that steps may mount, by their IDs in the Dockerfile",
          "type": ["object", "null"],
          "propertyNames": {"description": "an ID has letters, digits, _, . and -", "pattern": "^[A-Za-z0-9_.-]+$"},
          "additionalProperties": {
            "type": "object",
            "additionalProperties": false,
            "required": ["env"],
            "properties": {
              "env": {
                "description": "the variable with the value",
                "type": "string",
                "minLength": 1,
                "examples": ["NPM_TOKEN"]
              },
              "files": {
                "description": "dotenv files with the variable, below the project directory; later ones win over earlier ones and the environment",
                "type": ["array", "null"],
                "items": {"type": "string", "minLength": 1}
              }
            }
          }
        },
        "cache_from": {
          "description": "references of caches to read",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        },
        "cache_to": {
          "description": "references of caches to write",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        },
        "network": {
          "description": "what steps may reach",
          "enum": ["none", "default", "host", ""],
          "default": "default"
        }
      }
    }
  }
}`
