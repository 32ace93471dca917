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
      "type": "object",
      "additionalProperties": false,
      "required": ["command"],
      "properties": {
        "command": {
          "description": "the program to run and its arguments; no shell reads them",
          "type": "array",
          "items": {"type": "string"},
          "minItems": 1
        },
        "workdir": {
          "description": "the directory to run in, below the project directory",
          "type": "string",
          "default": "."
        },
        "env": {
          "description": "variables for the program; they override the user's",
          "type": "object",
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
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "dockerfile": {
          "description": "relative to the project directory",
          "type": "string",
          "default": "Dockerfile in the context"
        },
        "context": {
          "description": "the directory that is sent to the engine",
          "type": "string",
          "default": "dev.workdir"
        },
        "target": {
          "description": "the stage to build",
          "type": "string",
          "default": "the last one"
        },
        "args": {
          "description": "values of the Dockerfile's arguments; they are visible in the image, so do not use secrets",
          "type": "object",
          "additionalProperties": {"type": ["string", "number", "boolean"]}
        },
        "labels": {
          "description": "labels of the image",
          "type": "object",
          "additionalProperties": {"type": ["string", "number", "boolean"]}
        },
        "platforms": {
          "description": "the image's platforms, such as linux/arm64",
          "type": "array",
          "items": {"type": "string"}
        },
        "secrets": {
          "description": "secrets that steps may mount, by their IDs in the Dockerfile",
          "type": "object",
          "additionalProperties": {
            "type": "object",
            "additionalProperties": false,
            "required": ["env"],
            "properties": {
              "env": {
                "description": "the variable with the value",
                "type": "string"
              },
              "files": {
                "description": "dotenv files with the variable, below the project directory; later ones win over earlier ones and the environment",
                "type": "array",
                "items": {"type": "string"}
              }
            }
          }
        },
        "cache_from": {
          "description": "references of caches to read",
          "type": "array",
          "items": {"type": "string"}
        },
        "cache_to": {
          "description": "references of caches to write",
          "type": "array",
          "items": {"type": "string"}
        },
        "network": {
          "description": "what steps may reach",
          "enum": ["none", "default", "host"],
          "default": "default"
        }
      }
    }
  }
}`
